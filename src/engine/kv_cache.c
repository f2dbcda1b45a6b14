#include "engine/kv_cache.h"

#include <stdlib.h>

typedef struct seq_layer {
  int shared;    /* positions below are the parent's */
  float *keys;   /* (capacity - shared, kv_dim); NULL until reserved */
  float *values; /* the same */
} seq_layer;

struct les_kv_cache {
  const les_model *model;
  const les_lesion_plan *plan;
  const les_kv_cache *parent;
  int capacity, kv_dim;
  seq_layer layers[]; /* (n_layers) */
};

static int kv_dim(const les_hparams *s) {
  return s->n_kv_heads * s->head_dim;
}

les_status les_kv_cache_open(les_kv_cache **out, const les_model *model, const les_lesion_plan *plan,
                             const les_kv_cache *parent, int capacity) {
  les_kv_cache *s = calloc(1, sizeof *s + (size_t)model->hparams.n_layers * sizeof s->layers[0]);
  *out = s;
  if (!s) return les_fail(LES_FAILED, "out of memory for a sequence");
  s->model = model;
  s->plan = plan;
  s->parent = parent;
  s->capacity = capacity;
  s->kv_dim = kv_dim(&model->hparams);
  return LES_OK;
}

void les_kv_cache_close(les_kv_cache **seq) {
  les_kv_cache *s = *seq;
  if (!s) return;
  for (int l = 0; l < s->model->hparams.n_layers; l++) free(s->layers[l].keys);
  free(s);
  *seq = NULL;
}

void les_kv_cache_share(les_kv_cache *seq, int layer, int n) {
  for (int l = 0; l < layer; l++) seq->layers[l].shared = n;
}

size_t les_kv_cache_bytes(const les_model *model, int capacity, int first_layer) {
  const les_hparams *s = &model->hparams;
  return 2 * sizeof(float) * (size_t)capacity * (size_t)kv_dim(s) * (size_t)(s->n_layers - first_layer);
}

const les_layer_plan *les_kv_cache_plan(const les_kv_cache *seq, int layer) {
  return seq->plan ? seq->plan->layers[layer] : NULL;
}

les_status les_kv_cache_reserve(les_kv_cache *seq, int layer) {
  seq_layer *l = &seq->layers[layer];
  if (l->keys) return LES_OK;
  size_t half = (size_t)(seq->capacity - l->shared) * (size_t)seq->kv_dim;
  l->keys = malloc(2 * half * sizeof(float));
  if (!l->keys)
    return les_fail(LES_FAILED,
                    "out of memory for the keys and values of %d positions; use fewer ranks on this node",
                    seq->capacity);
  l->values = l->keys + half;
  return LES_OK;
}

float *les_kv_cache_key(const les_kv_cache *seq, int layer, int pos) {
  const seq_layer *l = &seq->layers[layer];
  return l->keys + (size_t)(pos - l->shared) * (size_t)seq->kv_dim;
}

float *les_kv_cache_value(const les_kv_cache *seq, int layer, int pos) {
  const seq_layer *l = &seq->layers[layer];
  return l->values + (size_t)(pos - l->shared) * (size_t)seq->kv_dim;
}

int les_kv_cache_spans(const les_kv_cache *seq, int layer, int head, int from, int to, les_kv_span runs[2]) {
  int shared = seq->layers[layer].shared, n = 0;
  size_t slice = (size_t)head * (size_t)seq->model->hparams.head_dim;
  if (from < shared) {
    int end = to < shared ? to : shared;
    runs[n++] = (les_kv_span){les_kv_cache_key(seq->parent, layer, from) + slice,
                              les_kv_cache_value(seq->parent, layer, from) + slice, end - from, seq->kv_dim};
    from = end;
  }
  if (from < to)
    runs[n++] = (les_kv_span){les_kv_cache_key(seq, layer, from) + slice,
                              les_kv_cache_value(seq, layer, from) + slice, to - from, seq->kv_dim};
  return n;
}
