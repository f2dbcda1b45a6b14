/* How far the integer modes are from f32: KL(f32 || mode) of the next token's distribution, in nats, over a
 * text in contexts of 128 tokens, at the positions that llama-perplexity compares: those of their second
 * half.
 *
 *   bench_modes MODEL TEXT [CONTEXTS] */
#include "base/file.h"
#include "engine/forward.h"
#include "job/job.h"
#include "model/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 128, THREADS = 2 };

typedef struct sums {
  double kl, largest;
  int64_t positions, agree;
} sums;

static int n_vocab;
static float *f32, *other; /* (CONTEXT, n_vocab): logits of the context under way in f32 and another mode */

static void keep(void *ctx, int row, const float *logits) {
  float *all = ctx;
  memcpy(all + (size_t)row * (size_t)n_vocab, logits, (size_t)n_vocab * sizeof *logits);
}

static les_status run(const les_model *model, les_workspace *ws, const int32_t *tokens, les_compute compute,
                      float *logits) {
  les_kv_cache *cache;
  les_row rows[CONTEXT];
  LES_TRY(les_kv_cache_open(&cache, model, NULL, NULL, CONTEXT));
  for (int i = 0; i < CONTEXT; i++)
    rows[i] = (les_row){.kv_cache = cache, .token = tokens[i], .pos = i, .logits = true};
  les_forward_options o = {.compute = compute, .threads = THREADS, .on_logits = keep, .ctx = logits};
  les_status status = les_forward(model, ws, rows, CONTEXT, &o);
  les_kv_cache_close(&cache);
  return status;
}

static void compare(sums *s) {
  for (int i = CONTEXT / 2; i < CONTEXT - 1; i++) {
    const float *p = f32 + (size_t)i * (size_t)n_vocab, *q = other + (size_t)i * (size_t)n_vocab;
    double kl = les_kl(p, les_log_sum_exp(p, n_vocab), q, les_log_sum_exp(q, n_vocab), n_vocab);
    s->kl += kl;
    if (!(kl <= s->largest)) s->largest = kl;
    s->agree += les_argmax(p, n_vocab) == les_argmax(q, n_vocab);
    s->positions++;
  }
}

static les_status measure(const les_model *model, les_workspace *ws, const les_tokens *tokens, int contexts) {
  static const les_compute MODES[] = {LES_COMPUTE_INT16, LES_COMPUTE_INT8};
  sums total[2] = {{0}};
  for (int c = 0; c < contexts && (c + 1) * CONTEXT <= tokens->n; c++) {
    LES_TRY(run(model, ws, tokens->ids + c * CONTEXT, LES_COMPUTE_F32, f32));
    for (int m = 0; m < 2; m++) {
      LES_TRY(run(model, ws, tokens->ids + c * CONTEXT, MODES[m], other));
      compare(&total[m]);
    }
  }
  if (total[0].positions == 0) return les_fail(LES_FAILED, "the text has less than %d tokens", CONTEXT);
  printf("mode   positions   mean KL    max KL  same top token\n");
  for (int m = 0; m < 2; m++) {
    double n = (double)total[m].positions;
    printf("%-6s %9.0f %9.2e %9.2e %15.4f\n", les_compute_name(MODES[m]), n, total[m].kl / n,
           total[m].largest, (double)total[m].agree / n);
  }
  return LES_OK;
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: bench_modes MODEL TEXT [CONTEXTS]\n"), 2;
  les_model *model = NULL;
  les_workspace *ws = NULL;
  les_tokens tokens = {0};
  char *text = NULL;
  size_t n;
  les_status status = les_model_open(&model, argv[1], &(les_model_options){.no_sha256 = true});
  if (status == LES_OK) status = les_file_read(argv[2], &text, &n);
  if (status == LES_OK) status = les_encode(model->tokenizer, text, n, &(les_encode_options){0}, &tokens);
  if (status == LES_OK) status = les_workspace_open(&ws, model, CONTEXT, THREADS);
  if (status == LES_OK) {
    n_vocab = model->hparams.n_vocab;
    size_t bytes = CONTEXT * (size_t)n_vocab * sizeof *f32;
    f32 = malloc(bytes);
    other = malloc(bytes);
    if (!f32 || !other) status = les_fail(LES_FAILED, "out of memory");
  }
  if (status == LES_OK) status = measure(model, ws, &tokens, argc > 3 ? atoi(argv[3]) : 1 << 20);
  if (status != LES_OK) fprintf(stderr, "%s\n", les_message());
  free(f32);
  free(other);
  free(text);
  les_tokens_free(&tokens);
  les_workspace_close(&ws);
  les_model_close(&model);
  return status == LES_OK ? 0 : 1;
}
