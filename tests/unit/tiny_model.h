/* A small random model in memory, for tests that need a forward pass but no file. */
#ifndef TINY_MODEL_H
#define TINY_MODEL_H

#include "base/rng.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

typedef struct tiny_model {
  les_model model;
  void *blocks[64];
  int n_blocks;
} tiny_model;

/* (n) values around `mean` with the given spread, keyed by the number of the array. */
static inline float *tiny_array(tiny_model *t, int64_t n, double mean, double spread) {
  float *a = malloc((size_t)n * sizeof *a);
  for (int64_t i = 0; i < n; i++) {
    double z[2];
    les_random_normal(7, LES_FOR_WEIGHTS, (uint32_t)t->n_blocks, (uint64_t)i, z);
    a[i] = (float)(mean + spread * z[0]);
  }
  t->blocks[t->n_blocks++] = a;
  return a;
}

static inline les_matrix tiny_matrix(tiny_model *t, int64_t rows, int64_t cols) {
  return (les_matrix){LES_F32, rows, cols, tiny_array(t, rows * cols, 0, 1.5 / sqrt((double)cols))};
}

typedef struct tiny_sizes {
  int embd, ff, head_dim;
} tiny_sizes;

/* Three gated layers, two query heads a key head, rope; the second layer sees a window of 5 positions. */
static inline void tiny_model_make_sized(tiny_model *t, tiny_sizes sizes) {
  enum { LAYERS = 3, HEADS = 4, KV = 2, VOCAB = 50 };
  const int embd = sizes.embd, ff = sizes.ff, dim = sizes.head_dim;
  *t = (tiny_model){.model = {.path = "tiny", .name = "tiny", .arch = "llama"}};
  les_model *m = &t->model;
  m->hparams = (les_hparams){.n_layers = LAYERS,
                             .n_embd = embd,
                             .n_ff = ff,
                             .n_heads = HEADS,
                             .n_kv_heads = KV,
                             .head_dim = dim,
                             .n_vocab = VOCAB,
                             .n_ctx = 64,
                             .norm = LES_RMS_NORM,
                             .norm_eps = 1e-5f,
                             .act = LES_ACT_SILU,
                             .gated = true,
                             .attn_scale = 0.35f,
                             .embd_scale = 1,
                             .n_rope_pairs = dim / 2,
                             .rope_neox = true,
                             .init_range = 0.02f};
  double *freq = malloc((size_t)dim / 2 * sizeof *freq);
  for (int i = 0; i < dim / 2; i++) freq[i] = pow(100, -2.0 * i / dim);
  t->blocks[t->n_blocks++] = freq;
  m->rope[0] = (les_rope_table){freq, 1};
  m->tok_embd = m->output = tiny_matrix(t, VOCAB, embd);
  m->output_norm.scale = tiny_array(t, embd, 1, 0.1);
  m->layers = calloc(LAYERS, sizeof *m->layers);
  t->blocks[t->n_blocks++] = m->layers;
  const int64_t rows[] = {HEADS * dim, KV * dim, KV * dim, embd, ff, ff, embd};
  const int64_t cols[] = {embd, embd, embd, HEADS * dim, embd, embd, ff};
  for (int l = 0; l < LAYERS; l++) {
    les_layer *layer = &m->layers[l];
    for (int i = 0; i < LES_N_LINEAR; i++) layer->linear[i].w = tiny_matrix(t, rows[i], cols[i]);
    layer->linear[LES_Q].bias = tiny_array(t, HEADS * dim, 0, 0.1);
    layer->norm[LES_NORM_ATTN].scale = tiny_array(t, embd, 1, 0.1);
    layer->norm[LES_NORM_MLP].scale = tiny_array(t, embd, 1, 0.1);
    layer->window = l == 1 ? 5 : 0;
  }
}

static inline void tiny_model_make(tiny_model *t) {
  tiny_model_make_sized(t, (tiny_sizes){.embd = 24, .ff = 40, .head_dim = 8});
}

static inline void tiny_model_free(tiny_model *t) {
  for (int i = 0; i < t->n_blocks; i++) free(t->blocks[i]);
}

#endif
