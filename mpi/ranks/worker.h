/* A worker rank: asks rank 0 for tiles, computes their cells, writes each into the result file, reports. Ends
 * by itself when rank 0 or its launcher is gone. */
#ifndef LES_RANKS_WORKER_H
#define LES_RANKS_WORKER_H

#include "job/evaluate.h"
#include "ranks/message.h"
#include "ranks/team.h"
#include "store/store.h"

/* Tells rank 0 which process this is, before it loads anything, so that its death is seen. */
void les_worker_announce(const les_team *team);

/* Tells rank 0 that this worker cannot begin, with the last message. */
void les_worker_decline(const les_team *team);

/* Works until rank 0 ends the sweep; *code is its exit code. Sets team->torn if rank 0 says so. Does not
 * return if rank 0 is gone. */
les_status les_worker_run(les_team *team, les_evaluator *evaluator, les_store *store, const les_grid *grid,
                          int *code);

#endif
