/* Sends that are not waited for: a send to a process that has just died may never end, if it is the first
 * between the two. Each message is copied, and freed once MPI has completed it; one to a dead process stays.
 */
#ifndef LES_RANKS_PENDING_SEND_H
#define LES_RANKS_PENDING_SEND_H

#include "base/status.h"

#include <mpi.h>
#include <stddef.h>

/* A list of them begins as NULL. */
typedef struct les_pending_send les_pending_send;

/* Local. Starts to send a copy of `bytes` bytes to `rank` of comm, or of its remote group. LES_FAILED:
 * nothing is on its way. */
les_status les_pending_send_start(les_pending_send **list, const void *body, size_t bytes, int rank, int tag,
                                  MPI_Comm comm);

/* Local. Frees those that MPI has completed. */
void les_pending_send_collect(les_pending_send **list);

#endif
