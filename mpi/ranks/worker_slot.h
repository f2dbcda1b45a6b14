/* A worker as rank 0 sees it: where it is, what it is doing, and whether it is well. A slot keeps its number
 * when another process takes the place of a dead one. */
#ifndef LES_RANKS_WORKER_SLOT_H
#define LES_RANKS_WORKER_SLOT_H

#include "ranks/message.h"
#include "watch/sweep_state.h"

#include <mpi.h>

typedef enum les_slot_state {
  LES_SLOT_STARTING, /* not heard of yet */
  LES_SLOT_LOADING,  /* the model */
  LES_SLOT_IDLE,
  LES_SLOT_BUSY, /* with a tile */
  LES_SLOT_GONE, /* dead or given up, not replaced (yet) */
} les_slot_state;

enum { LES_UNREACHABLE_BYTES = 160 };

typedef struct les_worker_slot {
  bool local;    /* in this process: no messages, no supervision */
  MPI_Comm comm; /* that reaches it; MPI_COMM_NULL: none does */
  int rank;      /* in comm's remote group, or comm */
  les_slot_state state;
  int pid; /* 0 until it has said hello */
  char host[LES_HOST_BYTES];
  bool here;                               /* on this node */
  char unreachable[LES_UNREACHABLE_BYTES]; /* MPI has failed to send to it or to receive from it: why; "": it
                                              has not */
  double heard;                            /* last message */
  double since;                            /* in this state, and with a tile: since its last cell */
  double stopped;                          /* seen stopped (SIGSTOP) since; 0: it runs */
  int failed_starts;                       /* in a row that did not come to LES_SLOT_IDLE */
  int64_t cells;
  les_tile *tile; /* in work, NULL if not LES_SLOT_BUSY */
} les_worker_slot;

/* How long a worker may take. */
typedef struct les_patience {
  double silence; /* seconds without a message */
  double work;    /* seconds without a cell while it has a tile */
} les_patience;

/* Local. From now on in that state. */
void les_worker_slot_enter(les_worker_slot *s, les_slot_state state);

/* Local. Takes the tile from it, NULL if it has none; it is idle then. */
les_tile *les_worker_slot_release(les_worker_slot *s);

/* Local. Why the worker has to be given up; NULL if it is well or gone already. May point into s. Notes when
 * it was first seen stopped. */
const char *les_worker_slot_diagnose(les_worker_slot *s, const les_patience *patience);

/* Local. Takes `seconds`, during which rank 0 did not run itself, out of what the worker is measured by. */
void les_worker_slot_excuse(les_worker_slot *s, double seconds);

/* Local. As `lesion status` shows it; points into s. */
les_worker_view les_worker_slot_view(const les_worker_slot *s);

#endif
