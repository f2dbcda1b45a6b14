/* The architectures: one row each, of what they have and how their tensors are called. Numbers that a model's
 * own configuration gives are in config.h; the forward pass sees neither, only the model. */
#ifndef LES_MODEL_ARCH_H
#define LES_MODEL_ARCH_H

#include "model/layer.h"

/* What tensors are called, without ".weight" and ".bias". Matrices and norms stand behind `layer`, which has
 * the layer's number in place of %d. NULL: there is no such tensor. */
typedef struct les_names {
  const char *const *prefixes; /* before every name but `output`: the one used is found by tok_embd; ends with
                                  NULL */
  const char *const *outputs;  /* the head, prefix included; ends with NULL */
  const char *tok_embd, *pos_embd, *output_norm;
  const char *layer;
  const char *linear[LES_N_LINEAR];
  const char *qkv;     /* q, k and v in one matrix, one below the other */
  const char *gate_up; /* gate and up in one matrix */
  const char *norm[LES_N_NORM];
} les_names;

typedef struct les_arch {
  const char *name;     /* in messages, results and `lesion synth` */
  const char *gguf;     /* general.architecture; NULL: GGUF has no such architecture */
  const les_names *hub; /* names in safetensors files */
  les_norm_kind norm;
  les_act act; /* where the configuration is silent */
  bool gated;
  bool learned_positions;  /* else rope */
  bool gguf_interleaved;   /* GGUF holds q and k permuted for interleaved rope */
  bool hub_norm_minus_one; /* safetensors hold norm scales less 1 */
  bool hub_transposed;     /* safetensors hold matrices as (inputs, outputs) */
  bool fused_qkv, fused_gate_up;
  bool scaled_embd;       /* embeddings times sqrt(n_embd) */
  bool init_scaled_out;   /* see les_hparams */
  int window_period;      /* every such layer sees all where others have a window; 0: all have it */
  bool window_first_full; /* the first of a period sees all, not the last */
  unsigned norms;         /* bit 1 << les_norm_id: has that norm */
  unsigned biases;        /* bit 1 << les_linear_id: must have a bias; others may */
} les_arch;

/* The architecture of that les_arch.name or, for GGUF, general.architecture; NULL if there is none. */
const les_arch *les_arch_find(const char *name);
const les_arch *les_arch_find_gguf(const char *name, size_t n);

/* The i-th architecture; NULL beyond the last. */
const les_arch *les_arch_at(int i);

/* Names in GGUF files: the same for every architecture. */
extern const les_names les_gguf_names;

/* True if a tensor that no role asks for is known to have no effect here: the vision part of a model, mask
 * buffers, rope tables that are computed anyway. */
bool les_arch_ignores(const char *tensor);

#endif
