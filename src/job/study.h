/* A study: a job with everything it needs, checked against each other. All errors that can be known before
 * work starts are found when it is opened.
 *
 * A study is lesions x columns, and a cell (base/cell.h) is one of each. The way of a cell:
 *
 *   les_job -> les_study -> les_tile -> les_engine -> les_outcome -> record -> les_store -> les_map
 *
 * The scheduler hands cells out in tiles (grid/scheduler.h), a worker evaluates a tile (evaluate.h): the
 * inputs of a cell's column go through the engine under the cell's lesion, the column turns their outcomes
 * into a record (column.h, record.h), and the record goes into the result file, from which maps are drawn. */
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
  les_columns columns;      /* of prompts and tasks; whoever computes cells looks at nothing else of these */
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
