/* A job: the model, the prompts, the lesions and the measures of one sweep, read from a JSON file and
 * checked. */
#ifndef LES_JOB_H
#define LES_JOB_H

#include "field.h"
#include "lesion.h"
#include "model.h"

typedef struct les_prompt {
  char *id, *domain, *text;
  char *answer; /* expected answer; NULL: none given */
  les_tokens tokens;
} les_prompt;

typedef struct les_prompts {
  les_prompt *items;
  int n;
  char sha256[65]; /* of the file's bytes */
} les_prompts;

/* Reads a JSONL file of {"id", "domain", "prompt"[, "answer"]}. Every line is checked: valid JSON and UTF-8,
 * ids unique. Errors name file and line. */
les_status les_prompts_read(les_prompts *out, const char *path);
void les_prompts_free(les_prompts *p);

/* How a token is chosen from logits. temperature 0: the most likely one, of equal ones the lowest id. */
typedef struct les_sampling {
  float temperature;
  int top_k;   /* 0: all */
  float top_p; /* 1: all */
  uint64_t seed;
} les_sampling;

typedef struct les_job {
  char *path;       /* of the job file */
  char *model_path; /* absolute, as are the other paths */
  char *prompts_path, *output;
  char **lesion_specs; /* (n_lesion_specs) as written */
  int n_lesion_specs;
  char **measures; /* (n_measures) group names */
  int n_measures;
  int max_new_tokens; /* 0: nothing is generated */
  les_sampling sampling;
  bool ignore_eos;
  les_compute compute;
  uint64_t seed;
  int threads;       /* 0: not set */
  char *calibration; /* path of the text for `mean` lesions; NULL: none */
} les_job;

/* Reads the job file: syntax, known keys, types and ranges. Does not open the files it names. */
les_status les_job_open(les_job **out, const char *path);
void les_job_close(les_job **job);

/* The job with everything it needs, checked against each other: model, prompts in tokens, lesions after
 * expansion, the record of a cell. All errors that can be known before work starts are found here. */
typedef struct les_study {
  const les_job *job;
  const les_model *model;
  les_prompts prompts;
  les_lesions lesions;
  les_record_layout layout;
  char *json; /* the job as it is stored and compared: lesions expanded, no paths, ranks, threads */
} les_study;

les_status les_study_open(les_study **out, const les_job *job, const les_model *model);
void les_study_close(les_study **study);

#endif
