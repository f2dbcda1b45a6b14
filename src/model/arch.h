/* The architectures, a row each: what they consist of, and how their tensors are called. What a model's own
 * configuration gives is in config.h; the forward pass sees neither, only the model. */
#ifndef LES_MODEL_ARCH_H
#define LES_MODEL_ARCH_H

#include "model/layer.h"

/* Names of tensors, without ".weight" and ".bias". Those of matrices and norms follow `layer`, in which %d is
 * the layer's number. NULL: the architecture has no such tensor. */
typedef struct les_names {
  const char *const *prefixes; /* of every name but `outputs`: the one with which tok_embd is found; ends with
                                  NULL */
  const char *const *outputs;  /* of the output matrix, prefix included; ends with NULL */
  const char *tok_embd, *pos_embd, *output_norm;
  const char *layer;
  const char *linear[LES_N_LINEAR];
  const char *qkv;     /* q, k and v in one matrix, stacked by rows */
  const char *gate_up; /* gate and up in one matrix, stacked by rows */
  const char *norm[LES_N_NORM];
} les_names;

typedef struct les_arch {
  const char *name;     /* in messages, results and `lesion synth` */
  const char *gguf;     /* general.architecture; NULL: GGUF has no such architecture */
  const les_names *hub; /* names in safetensors files */
  les_norm_kind norm;
  les_act act; /* default, where the configuration names none */
  bool gated;
  bool learned_positions;  /* else rope */
  bool gguf_interleaved;   /* GGUF holds q and k permuted for interleaved rope */
  bool hub_norm_minus_one; /* safetensors hold norm scales minus 1 */
  bool hub_transposed;     /* safetensors hold matrices as (inputs, outputs) */
  bool fused_qkv, fused_gate_up;
  bool scaled_embd;     /* embeddings times sqrt(n_embd) */
  bool init_scaled_out; /* see les_hparams */
  int window_period; /* one layer of each such group attends to everything, the others to a window; 0: all to
                        a window */
  bool window_first_full; /* that is the first of its group, else the last */
  unsigned norms;         /* bit 1 << les_norm_id: has that norm */
  unsigned biases;        /* bit 1 << les_linear_id: must have a bias; others may */
} les_arch;

/* The architecture by les_arch.name, or by GGUF's general.architecture; NULL if it is not known. */
const les_arch *les_arch_find(const char *name);
const les_arch *les_arch_find_gguf(const char *name, size_t n);

/* The i-th architecture; NULL beyond the last. */
const les_arch *les_arch_at(int i);

enum { LES_NO_LAYER = -1 };

typedef struct les_tensor_name {
  char text[256];
} les_tensor_name;

/* The full name of a tensor: prefix, the layer's number in its place (none with LES_NO_LAYER), role, and
 * suffix
 * (".weight"). */
les_tensor_name les_tensor_name_make(const les_names *names, const char *prefix, int layer, const char *role,
                                     const char *suffix);

/* Names in GGUF files: the same for every architecture. */
extern const les_names les_gguf_names;

/* True if a tensor without a role may be ignored: the vision part of a model, mask buffers, rope tables that
 * are computed anyway. */
bool les_arch_ignores(const char *tensor);

#endif
