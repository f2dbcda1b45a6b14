#include "engine/kv_cache.h"

#include <stdlib.h>

typedef struct layer_cache {
  int shared;    /* positions below are the parent's */
  float *keys;   /* (capacity - shared, kv_dim), NULL until reserved; both in one allocation */
  float *values; /* the same */
} layer_cache;

struct les_kv_cache {
  const les_model *model;
  const les_lesion_plan *lesion_plan;
  const les_kv_cache *parent;
  int capacity, kv_dim;
  layer_cache layers[]; /* (n_layers) */
};

les_status les_kv_cache_open(les_kv_cache **out, const les_model *model, const les_lesion_plan *lesion_plan,
                             const les_kv_cache *parent, int capacity) {
  les_kv_cache *c = calloc(1, sizeof *c + (size_t)model->hparams.n_layers * sizeof c->layers[0]);
  *out = c;
  if (!c) return les_no_memory("a KV cache");
  c->model = model;
  c->lesion_plan = lesion_plan;
  c->parent = parent;
  c->capacity = capacity;
  c->kv_dim = les_kv_dim(&model->hparams);
  return LES_OK;
}

void les_kv_cache_close(les_kv_cache **cache) {
  les_kv_cache *c = *cache;
  if (!c) return;
  for (int l = 0; l < c->model->hparams.n_layers; l++) free(c->layers[l].keys);
  free(c);
  *cache = NULL;
}

void les_kv_cache_share(les_kv_cache *cache, int layer, int n) {
  for (int l = 0; l < layer; l++) cache->layers[l].shared = n;
}

size_t les_kv_cache_bytes(const les_model *model, int capacity, int first_layer) {
  const les_hparams *s = &model->hparams;
  return 2 * sizeof(float) * (size_t)capacity * (size_t)les_kv_dim(s) * (size_t)(s->n_layers - first_layer);
}

const les_layer_plan *les_kv_cache_plan(const les_kv_cache *cache, int layer) {
  return cache->lesion_plan ? cache->lesion_plan->layers[layer] : NULL;
}

les_status les_kv_cache_reserve(les_kv_cache *cache, int layer) {
  layer_cache *l = &cache->layers[layer];
  if (l->keys) return LES_OK;
  size_t half = (size_t)(cache->capacity - l->shared) * (size_t)cache->kv_dim;
  l->keys = malloc(2 * half * sizeof(float));
  if (!l->keys)
    return les_no_memory("the keys and values of %d positions; use fewer ranks on this node",
                         cache->capacity);
  l->values = l->keys + half;
  return LES_OK;
}

float *les_kv_cache_key(const les_kv_cache *cache, int layer, int pos) {
  const layer_cache *l = &cache->layers[layer];
  return l->keys + (size_t)(pos - l->shared) * (size_t)cache->kv_dim;
}

float *les_kv_cache_value(const les_kv_cache *cache, int layer, int pos) {
  const layer_cache *l = &cache->layers[layer];
  return l->values + (size_t)(pos - l->shared) * (size_t)cache->kv_dim;
}

int les_kv_cache_spans(const les_kv_cache *cache, int layer, int head, int from, int to,
                       les_kv_span spans[2]) {
  int shared = cache->layers[layer].shared, n = 0;
  size_t slice = (size_t)head * (size_t)cache->model->hparams.head_dim;
  if (from < shared) {
    int end = to < shared ? to : shared;
    spans[n++] =
        (les_kv_span){les_kv_cache_key(cache->parent, layer, from) + slice,
                      les_kv_cache_value(cache->parent, layer, from) + slice, end - from, cache->kv_dim};
    from = end;
  }
  if (from < to)
    spans[n++] = (les_kv_span){les_kv_cache_key(cache, layer, from) + slice,
                               les_kv_cache_value(cache, layer, from) + slice, to - from, cache->kv_dim};
  return n;
}
