/* The messages between rank 0 and its workers in other processes. A worker that MPI cannot reach is marked so
 * in its slot, as good as dead; no call here waits. */
#ifndef LES_RANKS_WORKER_LINK_H
#define LES_RANKS_WORKER_LINK_H

#include "ranks/pending_send.h"
#include "ranks/worker_slot.h"

/* What a worker sends, by its tag; text in it ends with a null byte. */
typedef union les_worker_message {
  les_hello hello;
  les_report report;
  les_error error;
} les_worker_message;

/* Begins with no pending sends. */
typedef struct les_worker_link {
  les_worker_slot *slots; /* (n) in the order of the ranks from 1 on; borrowed */
  int n;
  les_pending_send *pending;
  bool deaf; /* the last look for messages of the ranks started together failed */
} les_worker_link;

/* Whom messages are handed to. */
typedef struct les_link_listener {
  void *ctx;
  /* s NULL: from a worker that was given up before. A failure ends the receiving with it. */
  les_status (*message)(void *ctx, les_worker_slot *s, int tag, const les_worker_message *m);
  /* What the user should know, one line. */
  void (*note)(void *ctx, const char *text);
} les_link_listener;

/* Rank 0. Sends a copy of body to the slot's process. LES_FAILED: rank 0 has no memory for it, which says
 * nothing about the worker. */
les_status les_worker_link_send(les_worker_link *l, les_worker_slot *s, int tag, const void *body,
                                size_t bytes);

/* Rank 0. Takes the messages that are there; *some: there were any. */
les_status les_worker_link_receive(les_worker_link *l, const les_link_listener *to, bool *some);

#endif
