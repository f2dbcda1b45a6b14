#include "seq.h"

#include <stdlib.h>

typedef struct seq_layer {
  int shared;    /* positions below are the parent's */
  float *keys;   /* (capacity - shared, kv_dim); NULL until reserved */
  float *values; /* the same */
} seq_layer;

struct les_seq {
  const les_model *model;
  const les_plan *plan;
  const les_seq *parent;
  int capacity, kv_dim;
  seq_layer layers[]; /* (n_layers) */
};

static int kv_dim(const les_shape *s) {
  return s->n_kv_heads * s->head_dim;
}

les_status les_seq_open(les_seq **out, const les_model *model, const les_plan *plan, const les_seq *parent,
                        int capacity) {
  les_seq *s = calloc(1, sizeof *s + (size_t)model->shape.n_layers * sizeof s->layers[0]);
  *out = s;
  if (!s) return les_fail(LES_FAILED, "out of memory for a sequence");
  s->model = model;
  s->plan = plan;
  s->parent = parent;
  s->capacity = capacity;
  s->kv_dim = kv_dim(&model->shape);
  return LES_OK;
}

void les_seq_close(les_seq **seq) {
  les_seq *s = *seq;
  if (!s) return;
  for (int l = 0; l < s->model->shape.n_layers; l++) free(s->layers[l].keys);
  free(s);
  *seq = NULL;
}

void les_seq_share(les_seq *seq, int layer, int n) {
  for (int l = 0; l < layer; l++) seq->layers[l].shared = n;
}

size_t les_seq_bytes(const les_model *model, int capacity, int first_layer) {
  const les_shape *s = &model->shape;
  return 2 * sizeof(float) * (size_t)capacity * (size_t)kv_dim(s) * (size_t)(s->n_layers - first_layer);
}

const les_layer_plan *les_seq_plan(const les_seq *seq, int layer) {
  return seq->plan ? seq->plan->layers[layer] : NULL;
}

les_status les_seq_reserve(les_seq *seq, int layer) {
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

float *les_seq_key(const les_seq *seq, int layer, int pos) {
  const seq_layer *l = &seq->layers[layer];
  return l->keys + (size_t)(pos - l->shared) * (size_t)seq->kv_dim;
}

float *les_seq_value(const les_seq *seq, int layer, int pos) {
  const seq_layer *l = &seq->layers[layer];
  return l->values + (size_t)(pos - l->shared) * (size_t)seq->kv_dim;
}

int les_seq_runs(const les_seq *seq, int layer, int head, int from, int to, les_kv_run runs[2]) {
  int shared = seq->layers[layer].shared, n = 0;
  size_t slice = (size_t)head * (size_t)seq->model->shape.head_dim;
  if (from < shared) {
    int end = to < shared ? to : shared;
    runs[n++] = (les_kv_run){les_seq_key(seq->parent, layer, from) + slice,
                             les_seq_value(seq->parent, layer, from) + slice, end - from, seq->kv_dim};
    from = end;
  }
  if (from < to)
    runs[n++] = (les_kv_run){les_seq_key(seq, layer, from) + slice, les_seq_value(seq, layer, from) + slice,
                             to - from, seq->kv_dim};
  return n;
}
