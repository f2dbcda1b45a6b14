/* Rank 0 of a sweep with workers: hands out tiles, notices dead and stuck workers and replaces them, ends the
 * sweep. It computes nothing itself. */
#ifndef LES_RANKS_COORDINATOR_H
#define LES_RANKS_COORDINATOR_H

#include "ranks/recovery.h"
#include "ranks/team.h"
#include "watch/sweep_state.h"

typedef struct les_limits {
  double deadline;       /* les_now() at which to stop; 0: none */
  const char *stop_file; /* stop when it is there; it is taken away then */
} les_limits;

/* Why to stop early; NULL while there is no reason to. */
const char *les_limits_reached(const les_limits *limits);

/* LES_STOPPED with the message for that reason. */
les_status les_limits_stopped(const char *why);

/* Runs the workers until all cells are final (LES_OK), the limits are reached (LES_STOPPED), or nothing more
 * can be done (LES_FAILED). The workers still wait for les_coordinator_end. */
typedef struct les_coordinator les_coordinator;
les_status les_coordinator_open(les_coordinator **out, les_team *team, les_sweep_state *ledger,
                                const les_respawn *respawn);
les_status les_coordinator_run(les_coordinator *c, const les_limits *limits);

/* Sends the workers home with the exit code of the sweep, and frees. */
void les_coordinator_close(les_coordinator **c, int code);

#endif
