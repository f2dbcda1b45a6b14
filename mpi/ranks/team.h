/* The processes of a sweep: MPI's start and end, agreement on failures, and the cores that a rank may use. */
#ifndef LES_RANKS_TEAM_H
#define LES_RANKS_TEAM_H

#include "base/status.h"

#include <mpi.h>
#include <stdbool.h>

typedef struct les_team {
  int rank, size; /* of the ranks that were started together */
  bool spawned;   /* a replacement: started later, alone, by rank 0 */
  MPI_Comm root;  /* reaches rank 0 as its rank 0 */
  int sharers;    /* ranks that share this node's cores and memory: those that compute */
  bool bound;     /* the launcher has given the ranks of this node different cores */
  bool rank_died; /* MPI cannot be finalized any more */
} les_team;

/* Collective. Starts MPI. Failures of MPI calls are returned from now on, not fatal. */
les_status les_team_init(les_team *team);

/* Collective unless a rank has died. Ends MPI; after a death it ends the process instead, here and now, with
 * `code`, since MPI_Finalize would wait for the dead. */
void les_team_free(les_team *team, int code);

/* Local. True on the one rank that speaks to the user. */
static inline bool les_team_is_root(const les_team *team) {
  return team->rank == 0 && !team->spawned;
}

/* Local. Workers of the ranks started together: all but rank 0, which is its own worker if it is alone. */
static inline int les_team_workers(const les_team *team) {
  return team->size > 1 ? team->size - 1 : 1;
}

/* Local. True on ranks that compute cells: rank 0 of several only coordinates. */
static inline bool les_team_computes(const les_team *team) {
  return team->size == 1 || !les_team_is_root(team);
}

/* Collective over the ranks started together. If a rank has failed, all return the status of the lowest such
 * rank, with its message. A replacement has nobody to ask: its own status. */
les_status les_team_agree(const les_team *team, les_status status);

#endif
