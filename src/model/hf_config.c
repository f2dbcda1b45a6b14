#include "model/hf_config.h"

#include <stddef.h>
#include <string.h>

#define LLAMA_KEYS                                                                                           \
  .layers = "num_hidden_layers", .embd = "hidden_size", .ff = "intermediate_size",                           \
  .heads = "num_attention_heads", .ctx = "max_position_embeddings", .eps = "rms_norm_eps",                   \
  .act = "hidden_act", .window = "sliding_window", .norm_eps = 1e-6, .base = 10000
#define GEMMA_DEFAULTS                                                                                       \
  LLAMA_KEYS, .act = "hidden_activation", .n_layers = 26, .n_embd = 2304, .n_ff = 9216, .n_heads = 8,        \
              .n_kv_heads = 4, .head_dim = 256, .eos = 1, .tied = true, .windows = LES_WINDOWS_PERIOD,       \
              .n_window = 4096
#define GEMMA3_DEFAULTS .arch = "gemma3", GEMMA_DEFAULTS, .n_vocab = 262208, .n_ctx = 131072, .base = 1000000
#define QWEN_DEFAULTS                                                                                        \
  LLAMA_KEYS, .n_layers = 32, .n_embd = 4096, .n_ff = 22016, .n_heads = 32, .n_kv_heads = 32,                \
              .n_vocab = 151936, .n_ctx = 32768, .eos = -1, .windows = LES_WINDOWS_UPPER, .n_window = 4096

#pragma GCC diagnostic push /* a row overrides what its family says */
#pragma GCC diagnostic ignored "-Woverride-init"
static const les_hf_config configs[] = {
    {.model_type = "llama",
     .arch = "llama",
     LLAMA_KEYS,
     .n_layers = 32,
     .n_embd = 4096,
     .n_ff = 11008,
     .n_heads = 32,
     .n_vocab = 32000,
     .n_ctx = 2048,
     .eos = 2},
    {.model_type = "mistral",
     .arch = "llama",
     LLAMA_KEYS,
     .n_layers = 32,
     .n_embd = 4096,
     .n_ff = 14336,
     .n_heads = 32,
     .n_kv_heads = 8,
     .n_vocab = 32000,
     .n_ctx = 131072,
     .eos = 2,
     .windows = LES_WINDOWS_ALL,
     .n_window = 4096},
    {.model_type = "gemma3_text", GEMMA3_DEFAULTS},
    {.model_type = "gemma3", GEMMA3_DEFAULTS},
    {.model_type = "gemma2",
     .arch = "gemma2",
     GEMMA_DEFAULTS,
     .n_vocab = 256000,
     .n_ctx = 8192,
     .attn_softcap = 50,
     .logit_softcap = 30},
    {.model_type = "qwen2", .arch = "qwen2", QWEN_DEFAULTS},
    {.model_type = "qwen3", .arch = "qwen3", QWEN_DEFAULTS, .head_dim = 128},
    {.model_type = "phi3",
     .arch = "phi3",
     LLAMA_KEYS,
     .n_layers = 32,
     .n_embd = 3072,
     .n_ff = 8192,
     .n_heads = 32,
     .n_vocab = 32064,
     .n_ctx = 4096,
     .norm_eps = 1e-5,
     .eos = 32000,
     .windows = LES_WINDOWS_ALL},
    {.model_type = "gpt_neo",
     .arch = "gptneo",
     .layers = "num_layers",
     .embd = "hidden_size",
     .ff = "intermediate_size",
     .heads = "num_heads",
     .ctx = "max_position_embeddings",
     .eps = "layer_norm_epsilon",
     .act = "activation_function",
     .window = "window_size",
     .n_layers = 24,
     .n_embd = 2048,
     .n_heads = 16,
     .n_vocab = 50257,
     .n_ctx = 2048,
     .norm_eps = 1e-5,
     .eos = 50256,
     .tied = true,
     .windows = LES_WINDOWS_GPT_NEO,
     .n_window = 256},
    {.model_type = "gpt2",
     .arch = "gpt2",
     .layers = "n_layer",
     .embd = "n_embd",
     .ff = "n_inner",
     .heads = "n_head",
     .ctx = "n_positions",
     .eps = "layer_norm_epsilon",
     .act = "activation_function",
     .window = "sliding_window",
     .n_layers = 12,
     .n_embd = 768,
     .n_heads = 12,
     .n_vocab = 50257,
     .n_ctx = 1024,
     .norm_eps = 1e-5,
     .eos = 50256,
     .tied = true},
};
#pragma GCC diagnostic pop
enum { n_configs = sizeof configs / sizeof configs[0] };

const les_hf_config *les_hf_config_find(const char *model_type) {
  for (int i = 0; i < n_configs; i++)
    if (!strcmp(configs[i].model_type, model_type)) return &configs[i];
  return NULL;
}

const les_hf_config *les_hf_config_of(const char *arch) {
  for (int i = 0; i < n_configs; i++)
    if (!strcmp(configs[i].arch, arch)) return &configs[i];
  return NULL;
}
