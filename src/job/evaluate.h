/* Cells of a study, each turned into a record of measures. Sweeps call this tile by tile. */
#ifndef LES_JOB_EVALUATE_H
#define LES_JOB_EVALUATE_H

#include "base/cell.h"
#include "job/study.h"

/* Keeps intact runs and plans of lesions between calls, within a memory limit. Not thread-safe: one per rank;
 * it uses `threads` threads itself. */
typedef struct les_evaluator les_evaluator;

typedef struct les_evaluator_options {
  int threads;
  size_t memory_limit; /* bytes for kept states, caches and replaced matrices; 0: a quarter of the machine's
                          memory */
} les_evaluator_options;

/* `study` is borrowed. */
les_status les_evaluator_open(les_evaluator **out, const les_study *study,
                              const les_evaluator_options *options);
void les_evaluator_close(les_evaluator **e);

/* Called once per cell, in no particular order, as soon as its record (study->layout) is complete. Returning
 * a failure ends the evaluation with it. */
typedef les_status les_cell_fn(void *ctx, les_cell cell, const void *record);

/* Evaluates n cells. Records are the same bytes whatever the other cells of the call, the calls before, and
 * the threads. `stop` (may be NULL) is asked between forward passes; true ends with LES_STOPPED, and cells
 * not yet reported are lost. */
les_status les_evaluate(les_evaluator *e, const les_cell *cells, int n, les_cell_fn *done, void *ctx,
                        bool (*stop)(void *ctx));

#endif
