/* A study: a job with everything it needs, checked against each other. All errors that can be known before
 * work starts are found when it is opened.
 *
 * A study is lesions x columns, and a cell (base/cell.h) is one of each. Cells are evaluated by evaluate.h:
 * the inputs of the cell's column go through the engine under its lesion, and the column turns their outcomes
 * into the record of the cell. The whole way of a cell, from the job to the map, is drawn in
 * docs/architecture.md. */
#ifndef LES_JOB_STUDY_H
#define LES_JOB_STUDY_H

#include "data/corpus.h"
#include "job/column.h"
#include "job/job.h"
#include "lesion/lesion.h"

typedef struct les_study {
  const les_job *job;
  const les_model *model;
  les_lesions lesions;      /* after expansion */
  les_columns columns;      /* made from `prompts` and `tasks`; cells are computed from these alone */
  les_record_layout layout; /* of a cell's record */
  les_recorder *recorder;
  les_prompts prompts;    /* with tokens, the begin token included; empty if the job has none */
  les_task **tasks;       /* (job->n_tasks) with their requests */
  les_corpus calibration; /* empty if the job has none */
  char chat_sha256[65];   /* of the model's chat template; "" if no prompt needs it */
  char *warning;          /* what is odd about the prompts, in one line; NULL: nothing */
  char *json; /* the job as it is stored and compared: lesions expanded, no paths, ranks, threads */
} les_study;

/* job and model outlive the study. */
les_status les_study_open(les_study **out, const les_job *job, const les_model *model);
void les_study_close(les_study **study);

#endif
