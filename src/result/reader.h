/* Serial reader of result files (layout: schema.h), for the map and for status. Nothing in a file is trusted:
 * what is missing, of another type or shape is an error that names it. Only what files made before it was
 * stored lack, a lesion's family, operation and part, is read off the lesion's spec. */
#ifndef LES_RESULT_READER_H
#define LES_RESULT_READER_H

#include "result/schema.h"

/* A result file read into memory: descriptions at once, fields on request. */
typedef struct les_result {
  char *path;
  char *job; /* JSON */
  int n_lesions, n_prompts, n_layers, max_new_tokens;
  int samples; /* of each prompt, one column each, one after another */
  /* of each lesion (n_lesions): /lesions/spec, layer, family, operation, part, done */
  char **lesion_specs;
  int32_t *lesion_layers;
  char **lesion_families, **lesion_operations, **lesion_parts;
  uint8_t *lesion_done;
  char **prompt_domains;  /* (n_prompts) */
  bool *further_sample;   /* (n_prompts) a further sample of the prompt before; NULL: one sample of each */
  uint8_t *status;        /* (n_lesions, n_prompts) */
  bool has[LES_N_FIELDS]; /* the fields of /cells with one value a cell */
  /* attributes */
  char *model_name, *model_sha256, *arch, *compute;
  int64_t cells_computed;
} les_result;

/* Opens for reading, while a sweep is writing too (no file lock). Refuses another schema; errors name the
 * file. */
les_status les_result_open(les_result **out, const char *path);
void les_result_close(les_result **r);

/* Reads /cells/NAME of one value a cell as doubles (n_lesions, n_prompts), NaN where nothing was computed;
 * malloc'ed, the caller's. Not there: LES_FAILED. */
les_status les_result_field(const les_result *r, const char *name, double **values);

/* The same of the intact runs, /baseline/NAME (n_prompts). */
les_status les_result_baseline(const les_result *r, const char *name, double **values);

/* True if the file has /cells/NAME, of one value a cell. */
bool les_result_has(const les_result *r, const char *name);

#endif
