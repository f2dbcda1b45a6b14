/* How config.json spells each model_type: the names of its settings, and what transformers takes for those
 * that are missing (configuration_*.py of transformers 4.57 and 5). */
#ifndef LES_MODEL_HF_CONFIG_H
#define LES_MODEL_HF_CONFIG_H

#include <stdbool.h>

/* Which layers see a window of positions only. */
typedef enum les_windows {
  LES_WINDOWS_NONE,
  LES_WINDOWS_ALL,     /* where sliding_window is set */
  LES_WINDOWS_PERIOD,  /* layer_types, else all but every sliding_window_pattern-th */
  LES_WINDOWS_UPPER,   /* if use_sliding_window: layer_types, else from max_window_layers on */
  LES_WINDOWS_GPT_NEO, /* attention_types */
} les_windows;

typedef struct les_hf_config {
  const char *model_type, *arch;
  const char *layers, *embd, *ff, *heads, *ctx, *eps, *act, *window;
  int n_layers, n_embd, n_ff, n_heads, n_kv_heads, head_dim, n_vocab, n_ctx; /* 0: follows from others */
  double norm_eps, base;
  int eos; /* -1: none */
  bool tied;
  les_windows windows;
  int n_window;
  float attn_softcap, logit_softcap;
} les_hf_config;

/* The row of that model_type; NULL if it is not known. */
const les_hf_config *les_hf_config_find(const char *model_type);

/* The first row of architecture `arch`: the one to write. */
const les_hf_config *les_hf_config_of(const char *arch);

#endif
