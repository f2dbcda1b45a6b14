#include "ranks/worker_link.h"

#include "base/clock.h"
#include "comm/mpi_check.h"

#include <stdio.h>

enum { PROBE_BATCH = 256 };

/* With the last message, which says what MPI failed at. */
static void lose(les_worker_slot *s) {
  if (!*s->unreachable) snprintf(s->unreachable, sizeof s->unreachable, "%s", les_message());
}

les_status les_worker_link_send(les_worker_link *l, les_worker_slot *s, int tag, const void *body,
                                size_t bytes) {
  bool reached;
  LES_TRY(les_pending_send_start(&l->pending, body, bytes, s->rank, tag, s->comm, &reached));
  if (!reached) lose(s);
  return LES_OK;
}

/* Takes the message that was probed. s NULL: its sender was given up. */
static les_status receive(const les_link_listener *to, les_worker_slot *s, MPI_Comm comm,
                          const MPI_Status *probed) {
  les_worker_message m;
  int result = MPI_Recv(&m, sizeof m, MPI_BYTE, probed->MPI_SOURCE, probed->MPI_TAG, comm, MPI_STATUS_IGNORE);
  if (les_mpi_check(result, "receiving from a worker") != LES_OK) { /* it died while it sent */
    if (s) lose(s);
    return LES_OK;
  }
  if (probed->MPI_TAG == LES_TAG_HELLO) m.hello.host[sizeof m.hello.host - 1] = 0;
  if (probed->MPI_TAG == LES_TAG_ERROR) m.error.text[sizeof m.error.text - 1] = 0;
  if (s) s->heard = les_now();
  return to->message(to->ctx, s, probed->MPI_TAG, &m);
}

/* The ranks started together. A look at all of them that fails does not say whose fault it is: it is told
 * once, and those who are not heard any more will be given up for their silence. */
static les_status receive_from_world(les_worker_link *l, const les_link_listener *to, bool *some) {
  int there = 0;
  MPI_Status m;
  for (int i = 0; i < PROBE_BATCH; i++) {
    int result = MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &m);
    bool deaf = les_mpi_check(result, "looking for messages of workers") != LES_OK;
    if (deaf && !l->deaf) to->note(to->ctx, les_message());
    l->deaf = deaf;
    if (deaf || !there) break;
    *some = true;
    les_worker_slot *s = &l->slots[m.MPI_SOURCE - 1];
    bool given_up = s->comm != MPI_COMM_WORLD || s->state == LES_SLOT_GONE;
    LES_TRY(receive(to, given_up ? NULL : s, MPI_COMM_WORLD, &m));
  }
  return LES_OK;
}

static bool spawned(const les_worker_slot *s) {
  return s->comm != MPI_COMM_WORLD && s->comm != MPI_COMM_NULL;
}

/* A replacement, which is reached by a communicator of its own. */
static les_status receive_from_spawned(const les_link_listener *to, les_worker_slot *s, bool *some) {
  int there = 0;
  MPI_Status m;
  while (spawned(s) && s->state != LES_SLOT_GONE && !*s->unreachable) {
    int result = MPI_Iprobe(0, MPI_ANY_TAG, s->comm, &there, &m);
    if (les_mpi_check(result, "looking for messages of a worker") != LES_OK) lose(s);
    if (*s->unreachable || !there) break;
    *some = true;
    LES_TRY(receive(to, s, s->comm, &m));
  }
  return LES_OK;
}

les_status les_worker_link_receive(les_worker_link *l, const les_link_listener *to, bool *some) {
  les_pending_send_collect(&l->pending);
  LES_TRY(receive_from_world(l, to, some));
  for (int i = 0; i < l->n; i++) LES_TRY(receive_from_spawned(to, &l->slots[i], some));
  return LES_OK;
}
