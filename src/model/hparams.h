/* The numbers and choices that make a transformer: its hyperparameters, as llama.cpp calls them. */
#ifndef LES_MODEL_HPARAMS_H
#define LES_MODEL_HPARAMS_H

#include "kernels/kernels.h"

typedef enum les_norm_kind { LES_RMS_NORM, LES_LAYER_NORM } les_norm_kind;

typedef struct les_hparams {
  int n_layers, n_embd, n_ff, n_heads, n_kv_heads, head_dim, n_vocab;
  int n_ctx;          /* longest sequence, in tokens */
  les_norm_kind norm; /* of all norms but the q and k norms, which are RMS */
  float norm_eps;
  les_act act;
  bool gated;           /* MLP: down(act(gate x) * up x), else down(act(up x)) */
  float attn_scale;     /* 1/sqrt(head_dim) mostly; 1 for GPT-Neo */
  float attn_softcap;   /* 0: none */
  float logit_softcap;  /* 0: none */
  float embd_scale;     /* token embeddings times this; 1 mostly, sqrt(n_embd) for Gemma */
  int n_rope_pairs;     /* rotated pairs of a head; 0: no rope (learned positions) */
  bool rope_neox;       /* split-half pairs (i, i + n_rope_pairs), else interleaved (2i, 2i + 1) */
  float init_range;     /* standard deviation of matrices at initialisation; 0.02 by default */
  bool init_scaled_out; /* GPT-2: output projections (o, down) start with init_range / sqrt(2 n_layers) */
} les_hparams;

/* Elements of all query heads of a row. */
static inline int les_q_dim(const les_hparams *h) {
  return h->n_heads * h->head_dim;
}

/* Elements of all key heads of a row; values have as many. */
static inline int les_kv_dim(const les_hparams *h) {
  return h->n_kv_heads * h->head_dim;
}

#endif
