/* A job: the model, the prompts, the lesions and the measures of one sweep, as a JSON file says it. What it
 * means for a loaded model is a les_study (study.h). */
#ifndef LES_JOB_JOB_H
#define LES_JOB_JOB_H

#include "base/status.h"
#include "engine/sampler.h"
#include "kernels/kernels.h"

#include <stdbool.h>
#include <stdint.h>

/* A task whose documents are columns of the grid beside the prompts. */
typedef struct les_job_task {
  char *name; /* as `lesion task` knows it */
  char *data; /* path of its JSONL file */
  int limit;  /* documents at most; 0: all */
} les_job_task;

typedef struct les_job {
  char *path;          /* of the job file */
  char *model_path;    /* this and the other paths: relative ones are taken from the job file's folder */
  char *prompts_path;  /* NULL: none, the job has tasks alone */
  char *output;        /* default: the job file's name with .h5 in place of .json */
  char **lesion_specs; /* (n_lesion_specs) as written */
  int n_lesion_specs;
  char **measures; /* (n_measures) group names, each once, in the order of the table of fields */
  int n_measures;
  int max_new_tokens; /* 0: nothing is generated */
  les_sampling sampling;
  int samples; /* continuations of each prompt, 1 or more */
  bool ignore_eos;
  les_compute compute;
  uint64_t seed;
  int threads;         /* 0: not set */
  les_job_task *tasks; /* (n_tasks) */
  int n_tasks;
  char *calibration; /* path of the text for `mean` lesions; NULL: none */
  bool chat;         /* prompts are user's turns in the model's chat template */
  bool special;      /* special tokens written in prompts count as such */
  char *system;      /* message in front of conversations that have none; NULL: none */
} les_job;

/* Reads the job file: syntax, known keys, types and ranges. Does not open the files it names. */
les_status les_job_open(les_job **out, const char *path);
void les_job_close(les_job **job);

#endif
