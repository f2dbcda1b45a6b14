#include "mode_divergence.h"

#include "engine/forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 128, THREADS = 2 };

typedef struct comparison {
  const les_model *model;
  les_workspace *ws;
  float *f32, *other; /* (CONTEXT, n_vocab): logits of the context under way */
  mode_divergence sum;
} comparison;

/* Where the logits of a forward pass go. */
typedef struct logits_sink {
  float *rows;
  size_t n_vocab;
} logits_sink;

static void keep(void *ctx, int row, const float *logits) {
  const logits_sink *sink = ctx;
  memcpy(sink->rows + (size_t)row * sink->n_vocab, logits, sink->n_vocab * sizeof *logits);
}

static les_status run(const comparison *c, const int32_t *tokens, les_compute compute, float *logits) {
  les_kv_cache *cache;
  les_row rows[CONTEXT];
  logits_sink sink = {logits, (size_t)c->model->hparams.n_vocab};
  LES_TRY(les_kv_cache_open(&cache, c->model, NULL, NULL, CONTEXT));
  for (int i = 0; i < CONTEXT; i++)
    rows[i] = (les_row){.kv_cache = cache, .token = tokens[i], .pos = i, .logits = true};
  les_forward_options o = {.compute = compute, .threads = THREADS, .on_logits = keep, .ctx = &sink};
  les_status status = les_forward(c->model, c->ws, rows, CONTEXT, &o);
  les_kv_cache_close(&cache);
  return status;
}

static void compare(comparison *c) {
  int n_vocab = c->model->hparams.n_vocab;
  for (int i = CONTEXT / 2; i < CONTEXT - 1; i++) {
    const float *p = c->f32 + (size_t)i * (size_t)n_vocab, *q = c->other + (size_t)i * (size_t)n_vocab;
    double kl = les_kl(p, les_log_sum_exp(p, n_vocab), q, les_log_sum_exp(q, n_vocab), n_vocab);
    c->sum.kl_mean += kl;
    if (!(kl <= c->sum.kl_max)) c->sum.kl_max = kl;
    c->sum.same_top += les_argmax(p, n_vocab) == les_argmax(q, n_vocab);
    c->sum.positions++;
  }
}

static les_status compare_contexts(comparison *c, const les_tokens *tokens, int contexts, les_compute mode) {
  for (int i = 0; i < contexts && (i + 1) * CONTEXT <= tokens->n; i++) {
    LES_TRY(run(c, tokens->ids + i * CONTEXT, LES_COMPUTE_F32, c->f32));
    LES_TRY(run(c, tokens->ids + i * CONTEXT, mode, c->other));
    compare(c);
  }
  if (c->sum.positions == 0) return les_fail(LES_FAILED, "the text has less than %d tokens", CONTEXT);
  c->sum.kl_mean /= (double)c->sum.positions;
  c->sum.same_top /= (double)c->sum.positions;
  return LES_OK;
}

les_status mode_divergence_compute(mode_divergence *out, const les_model *model, const char *text, size_t n,
                                   int contexts, les_compute mode) {
  comparison c = {.model = model};
  les_tokens tokens = {0};
  size_t bytes = CONTEXT * (size_t)model->hparams.n_vocab * sizeof *c.f32;
  les_status status = les_encode(model->tokenizer, text, n, &(les_encode_options){0}, &tokens);
  if (status == LES_OK) status = les_workspace_open(&c.ws, model, CONTEXT, THREADS);
  if (status == LES_OK) {
    c.f32 = malloc(bytes);
    c.other = malloc(bytes);
    if (!c.f32 || !c.other) status = les_fail(LES_FAILED, "out of memory");
  }
  if (status == LES_OK) status = compare_contexts(&c, &tokens, contexts, mode);
  *out = c.sum;
  free(c.f32);
  free(c.other);
  les_tokens_free(&tokens);
  les_workspace_close(&c.ws);
  return status;
}
