/* Who computes what: hands out the cells of a grid in tiles. Local; no MPI, no clock, so that the same code
 * runs a sweep and a simulation of one.
 *
 * The columns are cut into blocks, small enough that a worker can keep the intact runs of one. A block is
 * gone through in the order of the lesions, its intact runs first, and belongs to the worker that took its
 * first tile, so that an intact run is computed by one worker only. All workers advance through the lesions
 * at about the same pace: lesions complete one after another. A worker whose blocks are finished joins the
 * block with the most work left per worker.
 *
 * Tiles are large at first and smaller at the end: each takes a fixed share of the work that is left (guided
 * self-scheduling, Polychronopoulos and Kuck 1987). */
#ifndef LES_GRID_SCHEDULER_H
#define LES_GRID_SCHEDULER_H

#include "grid/grid.h"

enum { LES_TILE_CELLS = 512 }; /* a tile's most cells: its message stays below any MPI's eager limit */

typedef struct les_tile {
  int id;                          /* 1, 2, ... in the order of handing out */
  int worker;                      /* who has it */
  int deaths;                      /* workers that it took with it */
  double cost;                     /* of its cells when it was first handed out */
  struct les_tile *before, *after; /* the scheduler's */
  int n;
  les_cell cells[]; /* (n) */
} les_tile;

typedef struct les_sched les_sched;

/* A scheduler of the cells of `grid` that are to do, for workers 0..n_workers-1. The grid outlives it; its
 * costs are read here, its states all along. */
les_status les_sched_open(les_sched **out, const les_grid *grid, int n_workers);
void les_sched_close(les_sched **s);

/* The next tile for `worker`; NULL if all cells are handed out (a lost tile may still bring some back). The
 * tile is the scheduler's until les_sched_end or les_sched_lost. */
les_status les_sched_next(les_sched *s, int worker, les_tile **tile);

/* From now on tiles cost at most this much (at first: as little as makes a good batch), so that a worker's
 * death or an early end loses no more than that; tiles of less than a good batch are not made for its sake.
 */
void les_sched_limit(les_sched *s, double cost);

/* The worker has finished its tile. Cells of it that are still to do (it was stopped) are handed out again.
 */
les_status les_sched_end(les_sched *s, les_tile *tile);

/* The worker died on its tile, or the tile failed. Cells to do go back: as one tile the first time, later in
 * halves. A tile of one cell that took two workers is given up: *failed is that cell, and true returned in
 * *give_up. */
les_status les_sched_lost(les_sched *s, les_tile *tile, les_cell *failed, bool *give_up);

#endif
