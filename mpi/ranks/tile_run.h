/* What a worker does with a tile, whether it is a rank of its own or lives in rank 0's process: computes the
 * cells and writes each into the result file as soon as it is done. */
#ifndef LES_RANKS_TILE_RUN_H
#define LES_RANKS_TILE_RUN_H

#include "job/evaluate.h"
#include "store/store.h"

/* What computes and what is written to; both borrowed. */
typedef struct les_tile_runner {
  les_evaluator *evaluator;
  les_store *store;
} les_tile_runner;

/* Who is informed of the progress of a tile. */
typedef struct les_tile_listener {
  void *ctx;
  /* The cell's record and flag are in the file. A failure ends the tile with it. */
  les_status (*cell)(void *ctx, les_cell cell);
  /* Asked between forward passes; true ends the tile early. */
  bool (*stop)(void *ctx);
} les_tile_listener;

/* Local. LES_STOPPED: ended early, cells that were not reported are to do again. LES_FAILED: *fatal says that
 * it was not the computing that failed but the writing or the listener, so that no other worker would fare
 * better. */
les_status les_tile_run(const les_tile_runner *runner, const les_cell *cells, int n,
                        const les_tile_listener *listener, bool *fatal);

#endif
