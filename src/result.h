/* The result file: its layout (schema 1) and its serial reader. Parallel writing is in mpi/store.c, which
 * uses the names and layout given here.
 *
 *   /job                     string      the job as JSON (les_study.json)
 *   /lesion /prompt /token   int32       dimension scales 0..n-1
 *   /lesions/spec            string[L]   /lesions/layer int32[L] (-1: several)   /lesions/done uint8[L]
 *   /prompts/id, domain, text string[P]
 *   /baseline/FIELD          [P, ...]    fields of the intact run (les_field.baseline)
 *   /baseline/status         uint8[P]
 *   /cells/FIELD             [L, P, ...] fields of each cell
 *   /cells/status            uint8[L, P] 0 to do, 1 done, 2 failed
 *
 * Attributes of / hold what may differ from run to run; no data set does. */
#ifndef LES_RESULT_H
#define LES_RESULT_H

#include "field.h"

enum { LES_SCHEMA = 1 };
enum { LES_CELL_TODO = 0, LES_CELL_DONE = 1, LES_CELL_FAILED = 2 };

/* A result file read into memory: descriptions at once, fields on request. */
typedef struct les_result {
  char *path;
  char *job; /* JSON */
  int n_lesions, n_prompts, n_layers, max_new_tokens;
  char **lesion_specs; /* (n_lesions) */
  int32_t *lesion_layers;
  uint8_t *lesion_done;
  char **prompt_ids, **prompt_domains; /* (n_prompts) */
  uint8_t *status;                     /* (n_lesions, n_prompts) */
  /* attributes */
  char *program, *model_name, *model_sha256, *arch, *compute;
  int64_t cells_computed;
} les_result;

/* Opens for reading, while a sweep is writing too (no file lock). Refuses another schema; errors name the
 * file. */
les_status les_result_open(les_result **out, const char *path);
void les_result_close(les_result **r);

/* Reads /cells/NAME of one value a cell as doubles (n_lesions, n_prompts); malloc'ed, the caller's. Not
 * there: LES_FAILED. */
les_status les_result_field(const les_result *r, const char *name, double **values);

/* True if the file has /cells/NAME. */
bool les_result_has(const les_result *r, const char *name);

/* SHA-256 in hex over name, type, shape and bytes of all data sets in name order: equal results, equal
 * digest. */
les_status les_result_sha256(const char *path, char hex[65]);

#endif
