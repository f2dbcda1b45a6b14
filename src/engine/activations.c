#include "engine/activations.h"

#include <stdlib.h>

typedef struct reader {
  const les_activations_options *options;
  const les_model *model;
  les_workspace *workspace;
  les_row *rows;           /* (max_rows) */
  les_position *positions; /* (max_rows) */
  int n_rows;
  les_kv_cache **caches; /* (max_rows + 1) of the rows; the last one may go on in the next batch */
  int n_caches;
  int64_t n_read, n_tokens; /* of all passages */
} reader;

static les_status flush(reader *r) {
  if (r->n_rows == 0) return LES_OK;
  const les_activations_options *o = r->options;
  les_forward_options forward = {
      .compute = o->compute, .threads = o->threads, .probe = o->probe, .sites = o->sites, .ctx = o->ctx};
  LES_TRY(les_forward(r->model, r->workspace, r->rows, r->n_rows, &forward));
  o->collect(o->ctx, r->positions, r->n_rows);
  les_progress_tell(o->progress, r->n_read += r->n_rows, r->n_tokens);
  r->n_rows = 0;
  for (int i = 0; i + 1 < r->n_caches; i++) les_kv_cache_close(&r->caches[i]);
  r->caches[0] = r->caches[r->n_caches - 1];
  r->n_caches = 1;
  return LES_OK;
}

/* Tokens from .. from + n - 1 of a passage, with an empty context. */
static les_status read_window(reader *r, const les_passage *passages, int passage, int from, int n) {
  if (r->n_rows == r->options->max_rows) LES_TRY(flush(r));
  LES_TRY(les_kv_cache_open(&r->caches[r->n_caches], r->model, NULL, NULL, n));
  r->n_caches++;
  for (int pos = 0; pos < n; pos++) {
    if (r->n_rows == r->options->max_rows) LES_TRY(flush(r));
    r->positions[r->n_rows] = (les_position){passage, from + pos};
    r->rows[r->n_rows++] = (les_row){.kv_cache = r->caches[r->n_caches - 1],
                                     .token = passages[passage].tokens.ids[from + pos],
                                     .pos = pos};
  }
  return LES_OK;
}

les_status les_activations_read(const les_activations_options *options, const les_model *model,
                                const les_passage *passages, int n) {
  les_status status = LES_OK;
  size_t rows = (size_t)options->max_rows;
  reader r = {.options = options,
              .model = model,
              .rows = calloc(rows, sizeof *r.rows),
              .positions = calloc(rows, sizeof *r.positions),
              .caches = calloc(rows + 1, sizeof(les_kv_cache *))};
  if (!r.rows || !r.positions || !r.caches)
    LES_GOTO(status, les_no_memory("a batch of %d rows", options->max_rows), done);
  LES_GOTO(status, les_workspace_open(&r.workspace, model, options->max_rows, options->threads), done);
  int n_ctx = model->hparams.n_ctx;
  for (int i = 0; i < n; i++) r.n_tokens += passages[i].tokens.n;
  for (int i = 0; i < n; i++)
    for (int from = 0, left; (left = passages[i].tokens.n - from) > 0; from += n_ctx)
      LES_GOTO(status, read_window(&r, passages, i, from, left < n_ctx ? left : n_ctx), done);
  status = flush(&r);
done:
  for (int i = 0; i < r.n_caches; i++) les_kv_cache_close(&r.caches[i]);
  les_workspace_close(&r.workspace);
  free(r.rows);
  free(r.positions);
  free(r.caches);
  return status;
}
