/* A transformer as the forward pass sees it: shape, weights by role, rope tables. Filled from a GGUF file or
 * a safetensors directory by les_model_open; afterwards the format does not matter. */
#ifndef LES_MODEL_H
#define LES_MODEL_H

#include "kernels.h"
#include "status.h"
#include "tokenizer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The seven weight matrices of a layer. Fused ones (GPT-2's c_attn, Phi-3's gate_up) are seen as their
 * slices. */
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

/* Scale NULL: the architecture has no such norm. A scale is what the normalised value is multiplied by: the +
 * 1 of Gemma's norms is already added. */
typedef struct les_norm {
  const float *scale;
  const float *bias; /* layer norm only; may be NULL */
} les_norm;

typedef struct les_layer {
  les_linear linear[LES_N_LINEAR];
  les_norm norm[LES_N_NORM];
  int window; /* position i sees j > i - window; 0: all */
  int rope;   /* index of the layer's table in les_model.rope */
} les_layer;

typedef enum les_norm_kind { LES_RMS_NORM, LES_LAYER_NORM } les_norm_kind;

/* Everything about a model that is a number or a choice. */
typedef struct les_shape {
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
  bool rope_neox;       /* pairs are (i, i + n_rope_pairs), else neighbours */
  float init_range;     /* standard deviation of fresh matrices; 0.02 where the config is silent */
  bool init_scaled_out; /* GPT-2: fresh output projections (o, down) have init_range / sqrt(2 n_layers) */
} les_shape;

typedef struct les_rope_table {
  const double *freq; /* (n_rope_pairs) angle per position, scaling included */
  float magnitude;    /* cos and sin are multiplied by this; 1 mostly */
} les_rope_table;

typedef struct les_model {
  const char *path, *name, *arch; /* arch: the row of the table in arch.c, e.g. "llama" */
  char sha256[65]; /* of the weights file; of the shards' digests in order if there are several */
  les_shape shape;
  les_matrix tok_embd;  /* (n_vocab, n_embd): a row a token */
  les_matrix pos_embd;  /* (n_ctx, n_embd); data NULL: none */
  les_norm output_norm; /* (n_embd) */
  les_matrix output;    /* (n_vocab, n_embd); tok_embd where tied */
  les_layer *layers;    /* (n_layers) */
  les_rope_table rope[2];
  const les_tokenizer *tokenizer; /* NULL: the model brings none, tokens have to be given */
  const char *tokenizer_missing;  /* why tokenizer is NULL, and what to do about it */
  const int32_t *eos;             /* (n_eos) tokens that end a text */
  int n_eos;
  struct les_model_store *store; /* mappings and converted arrays behind the pointers above */
} les_model;

typedef struct les_model_options {
  bool no_tokenizer;     /* do not load the tokenizer */
  bool no_sha256;        /* leave sha256 empty: commands that neither print nor store it */
  const char *cache_dir; /* folder where digests are kept; NULL: they are computed anew */
} les_model_options;

/* Opens a .gguf file (the first part of a split one), a safetensors directory or a .safetensors file beside
 * its config.json. The files are mapped read-only: matrices stay as they lie in the file, norms and biases
 * are converted to f32. Every length in the file is checked. The digest is computed once per file and kept in
 * options->cache_dir by path, size and time. Errors name the file, what is wrong and what to do. *out is NULL
 * on failure. */
les_status les_model_open(les_model **out, const char *path, const les_model_options *options);

/* Frees the model and unmaps its files; *m becomes NULL. Accepts NULL. */
void les_model_close(les_model **m);

/* Name of a matrix as lesions and inspect write it: "attn.q" ... "mlp.down". */
const char *les_linear_name(les_linear_id id);

#endif
