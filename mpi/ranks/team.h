/* The processes of a sweep: MPI's start and end, agreement on failures, and the cores that a rank may use. */
#ifndef LES_RANKS_TEAM_H
#define LES_RANKS_TEAM_H

#include "base/status.h"

#include <mpi.h>
#include <stdbool.h>

typedef struct les_team {
  int rank, size; /* of the ranks that were started together */
  bool spawned;   /* a replacement: started later, alone, by rank 0 */
  MPI_Comm boss;  /* reaches rank 0 as its rank 0 */
  int sharers;    /* ranks that share this node's cores and memory: those that compute */
  bool bound;     /* the launcher has given the ranks of this node different cores */
  bool torn;      /* a rank has died: MPI cannot be finalized any more */
} les_team;

/* Starts MPI. Failures of MPI calls are returned from now on, not fatal. */
les_status les_team_open(les_team *team);

/* Ends MPI; a torn team's process ends here and now with `code`. */
void les_team_close(les_team *team, int code);

/* True on the one rank that speaks to the user. */
static inline bool les_team_is_root(const les_team *team) {
  return team->rank == 0 && !team->spawned;
}

/* Collective over the ranks started together. If a rank has failed, all return the status of the lowest such
 * rank, with its message. A replacement has nobody to ask: its own status. */
les_status les_team_agree(const les_team *team, les_status status);

#endif
