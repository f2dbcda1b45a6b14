/* Reading texts through the intact model while somebody watches its states: what importance and calibration
 * have in common. */
#ifndef LES_ENGINE_ACTIVATIONS_H
#define LES_ENGINE_ACTIVATIONS_H

#include "data/passage.h"
#include "engine/forward.h"

/* A row of a batch: a token of a text. */
typedef struct les_place {
  int passage, pos;
} les_place;

typedef struct les_activations {
  les_compute compute;
  int threads;
  int max_rows;        /* of a batch */
  unsigned sites;      /* bit 1 << les_site each */
  les_probe_fn *probe; /* as in les_forward: on any thread; keeps what it sees for its row */
  /* Called between batches: the rows whose states the probe has seen. Rows come in the order of passages and
   * positions over all calls, whatever max_rows and threads, so that sums made here are too. */
  void (*collect)(void *ctx, const les_place *rows, int n);
  void *ctx;
} les_activations;

les_status les_activations_read(const les_activations *survey, const les_model *model,
                                const les_passage *passages, int n);

#endif
