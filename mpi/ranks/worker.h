/* A worker rank: asks rank 0 for tiles, computes their cells, writes each into the result file, reports. Ends
 * by itself when rank 0 or its launcher is gone. */
#ifndef LES_RANKS_WORKER_H
#define LES_RANKS_WORKER_H

#include "ranks/message.h"
#include "ranks/team.h"
#include "ranks/tile_run.h"

/* Local. Tells rank 0 which process this is, before it loads anything, so that its death is seen. */
les_status les_worker_announce(const les_team *team);

/* Local. Tells rank 0 that this worker cannot begin or go on, with the last message. */
void les_worker_decline(const les_team *team);

/* Local. Works until rank 0 ends the sweep; *code is its exit code. Sets team->rank_died if rank 0 says so.
 * Does not return if rank 0 cannot be reached any more: the process ends. LES_FAILED: it cannot work, rank 0
 * is to be told. */
les_status les_worker_run(les_team *team, const les_tile_runner *runner, const les_grid *grid, int *code);

#endif
