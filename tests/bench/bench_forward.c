/* Tokens per second of the forward pass by the number of sequences in a batch, each giving one token a pass
 * with its logits read: what generation in a sweep does.
 *
 *   bench_forward MODEL [THREADS [COMPUTE]] */
#include "engine/forward.h"
#include "job/job.h"
#include "model/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_BATCH = 256, WARM = 1, PASSES = 4 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void ignore_logits(void *ctx, int row, const float *logits) {
  (void)ctx, (void)row, (void)logits;
}

/* Best tokens per second of a batch; 0 on failure. */
static double measure(const les_model *model, int batch, int threads, les_compute compute) {
  les_workspace *ws = NULL;
  les_kv_cache *caches[MAX_BATCH] = {NULL};
  les_row rows[MAX_BATCH];
  double best = 0;
  les_status status = les_workspace_open(&ws, model, batch, threads);
  for (int i = 0; i < batch && status == LES_OK; i++)
    status = les_kv_cache_open(&caches[i], model, NULL, NULL, WARM + PASSES);
  les_forward_options o = {.compute = compute, .threads = threads, .on_logits = ignore_logits};
  for (int pass = 0; pass < WARM + PASSES && status == LES_OK; pass++) {
    for (int i = 0; i < batch; i++)
      rows[i] = (les_row){.kv_cache = caches[i],
                          .token = (i * 31 + pass) % model->hparams.n_vocab,
                          .pos = pass,
                          .logits = true};
    double start = now();
    status = les_forward(model, ws, rows, batch, &o);
    double rate = batch / (now() - start);
    if (pass >= WARM && rate > best) best = rate;
  }
  for (int i = 0; i < batch; i++) les_kv_cache_close(&caches[i]);
  les_workspace_close(&ws);
  return status == LES_OK ? best : 0;
}

int main(int argc, char **argv) {
  static const int batches[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
  les_model *model;
  int threads = argc > 2 ? atoi(argv[2]) : 2,
      compute = argc > 3 ? les_compute_find(argv[3]) : LES_COMPUTE_AUTO;
  if (argc < 2 || compute < 0 || threads < 1)
    return fprintf(stderr, "bench_forward MODEL [THREADS [COMPUTE]]\n"), 2;
  if (les_model_open(&model, argv[1], &(les_model_options){.no_tokenizer = true, .no_sha256 = true}) !=
      LES_OK)
    return fprintf(stderr, "%s\n", les_message()), 1;
  printf("%s, %d threads, compute %s, kernels %s\n%8s %10s\n", model->name, threads,
         les_compute_name((les_compute)compute), les_kernels_name(), "batch", "tokens/s");
  for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
    printf("%8d %10.1f\n", batches[i], measure(model, batches[i], threads, (les_compute)compute));
  les_model_close(&model);
  return 0;
}
