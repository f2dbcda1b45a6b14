/* What is done about a dead worker: how its death is seen and how another process takes its place. This is
 * the one place that knows what the MPI at hand can do; here: MPI_Comm_spawn, under a launcher that lets the
 * others live (mpirun --enable-recovery). An MPI with ULFM could shrink the communicator instead. */
#ifndef LES_RANKS_RECOVERY_H
#define LES_RANKS_RECOVERY_H

#include "base/status.h"

#include <mpi.h>
#include <stdbool.h>

/* How to start another worker: program and null-terminated arguments (argv[0] not among them). */
typedef struct les_respawn {
  const char *program;
  char *const *argv;
} les_respawn;

typedef enum les_health { LES_HEALTH_GOOD, LES_HEALTH_STOPPED, LES_HEALTH_DEAD } les_health;

/* Local. Health of a process as far as this node can see: one on another node is assumed to be well, and
 * only its silence shows otherwise. */
les_health les_recovery_health(int pid, bool here);

/* Local. Ends a worker that does not answer; nothing happens to one on another node, whose writes do no harm:
 * the bytes of a cell are the same whoever computes it. */
void les_recovery_kill(int pid, bool here);

/* Rank 0. Starts a worker on `host` (NULL: on the launcher's own node); it is rank 0 of the remote group of
 * *worker. LES_FAILED: none was started. */
les_status les_recovery_spawn(const les_respawn *how, const char *host, MPI_Comm *worker);

#endif
