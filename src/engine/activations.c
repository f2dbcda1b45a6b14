#include "engine/activations.h"

#include <stdlib.h>

typedef struct reader {
  const les_activations *survey;
  const les_model *model;
  les_workspace *workspace;
  les_row *rows;     /* (max_rows) */
  les_place *places; /* (max_rows) */
  int n_rows;
  les_kv_cache **seqs; /* (max_rows) of the rows, the last one perhaps with more to come */
  int n_seqs;
} reader;

static les_status flush(reader *r) {
  if (r->n_rows == 0) return LES_OK;
  const les_activations *s = r->survey;
  les_forward_options o = {
      .compute = s->compute, .threads = s->threads, .probe = s->probe, .sites = s->sites, .ctx = s->ctx};
  LES_TRY(les_forward(r->model, r->workspace, r->rows, r->n_rows, &o));
  s->collect(s->ctx, r->places, r->n_rows);
  r->n_rows = 0;
  for (int i = 0; i + 1 < r->n_seqs; i++) les_kv_cache_close(&r->seqs[i]);
  r->seqs[0] = r->seqs[r->n_seqs - 1];
  r->n_seqs = 1;
  return LES_OK;
}

/* Tokens from .. from + n - 1 of a passage, from a fresh start. */
static les_status read_piece(reader *r, const les_passage *passages, int passage, int from, int n) {
  if (r->n_rows == r->survey->max_rows) LES_TRY(flush(r));
  LES_TRY(les_kv_cache_open(&r->seqs[r->n_seqs], r->model, NULL, NULL, n));
  r->n_seqs++;
  for (int pos = 0; pos < n; pos++) {
    if (r->n_rows == r->survey->max_rows) LES_TRY(flush(r));
    r->places[r->n_rows] = (les_place){passage, from + pos};
    r->rows[r->n_rows++] = (les_row){
        .seq = r->seqs[r->n_seqs - 1], .token = passages[passage].tokens.ids[from + pos], .pos = pos};
  }
  return LES_OK;
}

les_status les_activations_read(const les_activations *survey, const les_model *model,
                                const les_passage *passages, int n) {
  les_status status = LES_OK;
  size_t rows = (size_t)survey->max_rows;
  reader r = {.survey = survey,
              .model = model,
              .rows = calloc(rows, sizeof *r.rows),
              .places = calloc(rows, sizeof *r.places),
              .seqs = calloc(rows + 1, sizeof(les_kv_cache *))}; /* one left from the batch before */
  if (!r.rows || !r.places || !r.seqs) LES_GOTO(status, les_fail(LES_FAILED, "out of memory"), done);
  LES_GOTO(status, les_workspace_open(&r.workspace, model, survey->max_rows, survey->threads), done);
  for (int i = 0; i < n; i++)
    for (int from = 0, left; (left = passages[i].tokens.n - from) > 0; from += model->hparams.n_ctx)
      LES_GOTO(status,
               read_piece(&r, passages, i, from, left < model->hparams.n_ctx ? left : model->hparams.n_ctx),
               done);
  status = flush(&r);
done:
  for (int i = 0; i < r.n_seqs; i++) les_kv_cache_close(&r.seqs[i]);
  les_workspace_close(&r.workspace);
  free(r.rows);
  free(r.places);
  free(r.seqs);
  return status;
}
