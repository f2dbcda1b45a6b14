/* A layer's matrices and norms by role. */
#ifndef LES_MODEL_LAYER_H
#define LES_MODEL_LAYER_H

#include "model/hparams.h"

/* The seven weight matrices of a layer. Fused ones (GPT-2's c_attn, Phi-3's gate_up) are split. */
typedef enum les_linear_id {
  LES_Q,    /* (n_heads * head_dim, n_embd) */
  LES_K,    /* (n_kv_heads * head_dim, n_embd) */
  LES_V,    /* (n_kv_heads * head_dim, n_embd) */
  LES_O,    /* (n_embd, n_heads * head_dim) */
  LES_GATE, /* (n_ff, n_embd); data NULL where the architecture has no gate */
  LES_UP,   /* (n_ff, n_embd) */
  LES_DOWN, /* (n_embd, n_ff) */
  LES_N_LINEAR
} les_linear_id;

typedef struct les_linear {
  les_matrix w;
  const float *bias; /* (w.rows), NULL: none */
} les_linear;

/* The norms of a layer, in the order of use. */
typedef enum les_norm_id {
  LES_NORM_ATTN,      /* before attention (n_embd) */
  LES_NORM_Q,         /* on each query head (head_dim) */
  LES_NORM_K,         /* on each key head (head_dim) */
  LES_NORM_ATTN_POST, /* on attention's output, before the residual add (n_embd) */
  LES_NORM_MLP,       /* before the MLP (n_embd) */
  LES_NORM_MLP_POST,  /* on the MLP's output, before the residual add (n_embd) */
  LES_N_NORM
} les_norm_id;

/* scale NULL: the architecture has no such norm. Gemma's + 1 is already added to its scales. */
typedef struct les_norm {
  const float *scale;
  const float *bias; /* layer norm only; may be NULL */
} les_norm;

typedef struct les_layer {
  les_linear linear[LES_N_LINEAR];
  les_norm norm[LES_N_NORM];
  int window; /* position i attends to j > i - window; 0: to all */
  int rope;   /* index of the layer's table in les_model.rope */
} les_layer;

/* Name of a matrix as lesions and inspect write it: "attn.q" ... "mlp.down". */
const char *les_linear_name(les_linear_id id);

/* Outputs (rows) and inputs (cols) of a matrix in a model of these hyperparameters. */
void les_linear_size(const les_hparams *h, les_linear_id id, int64_t *rows, int64_t *cols);

/* Elements of a norm's scale. */
int les_norm_size(const les_hparams *h, les_norm_id id);

#endif
