/* A study: a job with everything it needs, checked against each other. All errors that can be known before
 * work starts are found when it is opened. */
#ifndef LES_JOB_STUDY_H
#define LES_JOB_STUDY_H

#include "data/corpus.h"
#include "data/prompts.h"
#include "data/task.h"
#include "job/job.h"
#include "lesion/lesion.h"
#include "measure/field.h"
#include "model/model.h"

/* A task of the job. */
typedef struct les_study_task {
  les_task *task; /* with its requests */
} les_study_task;

typedef struct les_study {
  const les_job *job;
  const les_model *model;
  les_study_task *tasks;  /* (job->n_tasks) */
  les_prompts prompts;    /* with tokens, the begin token included; then the documents of the tasks */
  les_lesions lesions;    /* after expansion */
  les_corpus calibration; /* empty if the job has none */
  les_record_layout layout;
  char *json; /* the job as it is stored and compared: lesions expanded, no paths, ranks, threads */
} les_study;

/* job and model outlive the study. */
les_status les_study_open(les_study **out, const les_job *job, const les_model *model);
void les_study_close(les_study **study);

#endif
