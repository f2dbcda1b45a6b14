/* What a study will take, before it is run: counts, memory, and the time of a small part of it on this
 * machine. */
#ifndef LES_JOB_ESTIMATE_H
#define LES_JOB_ESTIMATE_H

#include "base/progress.h"
#include "job/study.h"

typedef struct les_cost_estimate {
  int64_t cells;         /* lesions x columns */
  int64_t intact_runs;   /* columns */
  int64_t prompt_tokens; /* of the inputs of all columns */
  int64_t new_tokens;    /* at most, over all cells and intact runs */
  size_t weights_bytes;  /* the model's matrices, mapped: once a node, whatever the ranks */
  size_t batch_bytes;    /* of each rank: buffers of a batch and of sampling */
  size_t plan_bytes;     /* largest replaced parameters of a lesion, in each rank that works on it */

  /* Measured: seconds of one rank with `threads` threads. */
  int threads;
  int sampled_columns, sampled_lesions;
  double intact_seconds; /* of an intact run */
  double cell_seconds;   /* of a cell, mean over the lesions that were tried */
  double plan_seconds;   /* of making a lesion's parameters */
} les_cost_estimate;

/* Counts, and runs `columns` columns under `lesions` lesions spread evenly over the study's (0: as many as
 * make a full batch). progress: counts the cells run; NULL: nobody is told. */
les_status les_cost_estimate_compute(les_cost_estimate *out, const les_study *study, int threads, int columns,
                                     int lesions, const les_progress *progress);

/* Seconds that the study takes on n such ranks, each with as many cores of its own: the work shared out, and
 * the intact run of a column done by one of them. Loading the model is not in it. */
double les_cost_estimate_seconds(const les_cost_estimate *estimate, const les_study *study, int ranks);

#endif
