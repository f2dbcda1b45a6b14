/* Rank 0 of a sweep: hands out tiles, counts what is reported, notices dead and stuck workers and replaces
 * them, stops at a limit. The workers are the other ranks; a rank alone has one worker, in its own process,
 * which computes a tile where it is handed out and lets the coordinator do its checks between forward passes.
 */
#ifndef LES_RANKS_COORDINATOR_H
#define LES_RANKS_COORDINATOR_H

#include "ranks/recovery.h"
#include "ranks/team.h"
#include "ranks/tile_run.h"
#include "watch/sweep_state.h"

typedef struct les_limits {
  double deadline;       /* les_now() at which to stop; 0: none */
  const char *stop_file; /* stop when it exists; it is then deleted */
} les_limits;

typedef struct les_coordinator les_coordinator;

/* Rank 0. A coordinator of the team's other ranks; if there are none, of `local`, which is not read
 * otherwise. Everything is borrowed. */
les_status les_coordinator_open(les_coordinator **out, les_team *team, les_sweep_state *state,
                                const les_respawn *respawn, const les_tile_runner *local);

/* Rank 0. Runs the workers until all cells are final (LES_OK), a signal came or a limit is reached
 * (LES_STOPPED), or nothing more can be done (LES_FAILED). The workers wait for les_coordinator_close. */
les_status les_coordinator_run(les_coordinator *c, const les_limits *limits);

/* Rank 0. Sends the workers home with the exit code of the sweep, and frees. */
void les_coordinator_close(les_coordinator **c, int code);

#endif
