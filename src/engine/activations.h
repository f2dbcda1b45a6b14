/* Forward passes of the intact model over texts, with a probe on its activations: what importance and
 * calibration have in common. */
#ifndef LES_ENGINE_ACTIVATIONS_H
#define LES_ENGINE_ACTIVATIONS_H

#include "base/progress.h"
#include "data/passage.h"
#include "engine/forward.h"

/* The token that a row of the batch holds. */
typedef struct les_position {
  int passage, pos;
} les_position;

typedef struct les_activations_options {
  les_compute compute;
  int threads;
  int max_rows;        /* of a batch */
  unsigned sites;      /* bit 1 << les_site each */
  les_probe_fn *probe; /* as in les_forward: on any thread; keeps what it sees for its row */
  /* Called between batches with the rows that the probe has seen. Over all calls they come in the order of
   * passages and positions, whatever max_rows and threads, so that sums made here have one order. */
  void (*collect)(void *ctx, const les_position *rows, int n);
  void *ctx;
  const les_progress *progress; /* counts tokens; NULL: nobody is told */
} les_activations_options;

/* Reads n passages, each cut into windows of the model's context length. */
les_status les_activations_read(const les_activations_options *options, const les_model *model,
                                const les_passage *passages, int n);

#endif
