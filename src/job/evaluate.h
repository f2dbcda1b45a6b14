/* Cells of a study: prompts under lesions, each turned into a record of measures. Sweeps call this tile by
 * tile. */
#ifndef LES_JOB_EVALUATE_H
#define LES_JOB_EVALUATE_H

#include "base/cell.h"
#include "job/study.h"

/* Keeps intact runs of prompts and plans of lesions between calls, within a memory limit. Not thread-safe:
 * one per rank; it uses `threads` threads itself. */
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

/* Largest number of bytes held for replaced parameters so far. */
size_t les_evaluator_plan_peak(const les_evaluator *e);

/* Called once per cell, in no particular order, as soon as its record is complete; `index` is the cell's
 * place in the call. Returning a failure ends the evaluation with it. */
typedef les_status les_cell_fn(void *ctx, int index, const void *record);

/* Evaluates n cells (les_cell: lesion, -1 for the intact run, and prompt). Records have study->layout and are
 * the same bytes whatever the other cells of the call, the calls before, and the threads. `stop` (may be
 * NULL) is asked between forward passes; true ends with LES_STOPPED, and cells not yet reported are lost. */
les_status les_evaluate(les_evaluator *e, const les_cell *cells, int n, les_cell_fn *done, void *ctx,
                        bool (*stop)(void *ctx));

#endif
