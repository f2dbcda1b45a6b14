/* A transformer as the forward pass sees it: hyperparameters, weights by role, rope tables. les_model_open
 * (load.h) makes one from a GGUF file or a safetensors directory; from there on the format does not matter.
 */
#ifndef LES_MODEL_MODEL_H
#define LES_MODEL_MODEL_H

#include "model/layer.h"
#include "token/tokenizer.h"

typedef struct les_rope_table {
  const double *freq; /* (n_rope_pairs) angle per position, scaling included */
  float magnitude;    /* cos and sin are multiplied by this; 1 mostly */
} les_rope_table;

typedef struct les_model {
  const char *path, *name, *arch; /* arch: the row of the table in arch.c, e.g. "llama" */
  char sha256[65]; /* of the file with the weights; of several, the digest of their digests in order */
  les_hparams hparams;
  les_matrix tok_embd;  /* (n_vocab, n_embd) */
  les_matrix pos_embd;  /* (n_ctx, n_embd); data NULL: none */
  les_norm output_norm; /* (n_embd) */
  les_matrix output;    /* (n_vocab, n_embd); tok_embd where tied */
  les_layer *layers;    /* (n_layers) */
  les_rope_table rope[2];
  const les_tokenizer *tokenizer; /* NULL: the model has none, texts must be given as tokens */
  const char *tokenizer_missing;  /* why tokenizer is NULL, and what to do about it */
  const int32_t *eos;             /* (n_eos) tokens that end a text */
  int n_eos;
  struct les_model_store *store; /* owns the mappings and converted arrays behind the pointers above */
} les_model;

/* LES_OK if the model has a tokenizer, else a failure that says why not and what to do. */
les_status les_model_need_tokenizer(const les_model *m);

#endif
