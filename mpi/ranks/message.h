/* What rank 0 and a worker say to each other: one struct a message, sent as its bytes (all ranks run the same
 * program on the same kind of machine). All are small enough to be sent without waiting for the receiver. */
#ifndef LES_RANKS_MESSAGE_H
#define LES_RANKS_MESSAGE_H

#include "base/host.h"
#include "base/status.h"
#include "grid/scheduler.h"

typedef enum les_tag {
  /* rank 0 to worker */
  LES_TAG_WELCOME = 1, /* les_welcome, first of all */
  LES_TAG_TILE,        /* les_tile_message */
  LES_TAG_STOP,        /* no body: report what is done of the tile, then wait for the end */
  LES_TAG_END,         /* les_end: leave */
  /* worker to rank 0 */
  LES_TAG_HELLO,  /* les_hello: who it is, at once */
  LES_TAG_READY,  /* no body: it has loaded what it needs */
  LES_TAG_REPORT, /* les_report: cells done, or a heartbeat */
  LES_TAG_ERROR,  /* les_error */
} les_tag;

typedef struct les_welcome {
  int32_t pid; /* of rank 0 */
  char host[LES_HOST_BYTES];
  double heartbeat; /* seconds between heartbeats of a worker */
} les_welcome;

typedef struct les_tile_message {
  int32_t tile, n;
  les_cell cells[LES_TILE_CELLS]; /* (n) only the n that count are sent */
} les_tile_message;

typedef struct les_end {
  int32_t code;      /* exit code of the sweep */
  int32_t rank_died; /* 1: leave without MPI_Finalize, which would wait for the dead */
} les_end;

typedef struct les_hello {
  int32_t pid;
  char host[LES_HOST_BYTES];
} les_hello;

typedef struct les_report {
  int32_t tile; /* 0: none in work */
  int32_t last; /* 1: the tile is finished, or ended early */
  int32_t n;
  les_cell cells[LES_TILE_CELLS]; /* (n) written since the last report */
} les_report;

typedef struct les_error {
  int32_t tile;  /* the tile that failed; 0: none */
  int32_t fatal; /* 1: no other worker would fare better: the result file cannot be written */
  char text[LES_MESSAGE_BYTES];
} les_error;

/* Open MPI's eager limit between processes of a node, the least there is; 64 bytes of it for its header. */
_Static_assert(sizeof(les_report) <= 4096 - 64 && sizeof(les_tile_message) <= 4096 - 64,
               "a message has to be sent without waiting for the receiver");

#endif
