/* Cells: runs prompts under lesions and fills their records. This is where the forward pass, the measures and
 * the sharing of intact work meet; sweeps call it tile by tile. */
#ifndef LES_EVALUATE_H
#define LES_EVALUATE_H

#include "study.h"

/* Evaluates cells of one study; keeps intact runs of prompts and plans of lesions between calls, within a
 * memory limit. Not thread-safe: one per rank; it uses `threads` threads itself. */
typedef struct les_evaluator les_evaluator;

typedef struct les_evaluator_options {
  int threads;
  size_t memory_limit; /* bytes for kept intact runs, plans and caches; 0: a share of the machine's memory */
} les_evaluator_options;

les_status les_evaluator_open(les_evaluator **out, const les_study *study,
                              const les_evaluator_options *options);
void les_evaluator_close(les_evaluator **e);

/* One cell. lesion -1: the intact run itself. */
typedef struct les_cell {
  int lesion; /* index in study->lesions */
  int prompt; /* index in study->prompts */
} les_cell;

/* Called once per cell, in no particular order, as soon as its record is complete; `index` is the cell's
 * place in the call. Returning a failure ends the evaluation with it. */
typedef les_status les_cell_fn(void *ctx, int index, const void *record);

/* Evaluates n cells. Records have study->layout and are the same bytes whatever the other cells of the call,
 * the calls before, and the threads. `stop` (may be NULL) is asked between forward passes; true ends with
 * LES_STOPPED, cells not yet reported are lost. */
les_status les_evaluate(les_evaluator *e, const les_cell *cells, int n, les_cell_fn *done, void *ctx,
                        bool (*stop)(void *ctx));

#endif
