/* Reading texts through the intact model while somebody watches its states: what importance and calibration
 * have in common. */
#ifndef LES_SURVEY_H
#define LES_SURVEY_H

#include "forward.h"

/* A text that is read. Where it is longer than the model's context it is read in pieces of that length, each
 * from a fresh start. */
typedef struct les_passage {
  les_tokens tokens;
  double weight; /* of each of its tokens in a mean */
} les_passage;

/* A row of a batch: a token of a text. */
typedef struct les_place {
  int passage, pos;
} les_place;

typedef struct les_survey {
  les_compute compute;
  int threads;
  int max_rows;        /* of a batch */
  unsigned sites;      /* bit 1 << les_site each */
  les_probe_fn *probe; /* as in les_forward: on any thread; keeps what it sees for its row */
  /* Called between batches: the rows whose states the probe has seen. Rows come in the order of passages and
   * positions over all calls, whatever max_rows and threads, so that sums made here are too. */
  void (*collect)(void *ctx, const les_place *rows, int n);
  void *ctx;
} les_survey;

les_status les_survey_run(const les_survey *survey, const les_model *model, const les_passage *passages,
                          int n);

#endif
