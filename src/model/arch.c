#include "model/arch.h"

#include <stdio.h>
#include <string.h>

#define BIT(x) (1u << (x))

/* The usual prefix first. Multimodal models nest the language model; a base model without a head has none. */
static const char *const llama_prefixes[] = {
    "model.", "language_model.model.", "model.language_model.", "language_model.", "", NULL};
static const char *const gpt_prefixes[] = {"transformer.", "", NULL};
static const char *const hub_outputs[] = {"lm_head", "language_model.lm_head", NULL};
static const char *const gguf_prefixes[] = {"", NULL};
static const char *const gguf_outputs[] = {"output", NULL};

const les_names les_gguf_names = {
    .prefixes = gguf_prefixes,
    .outputs = gguf_outputs,
    .tok_embd = "token_embd",
    .pos_embd = "position_embd",
    .output_norm = "output_norm",
    .layer = "blk.%d.",
    .linear = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"},
    .qkv = "attn_qkv",
    .gate_up = "ffn_up", /* Phi-3: twice as many rows */
    .norm = {"attn_norm", "attn_q_norm", "attn_k_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"},
};

#define LLAMA_NAMES                                                                                          \
  .prefixes = llama_prefixes, .outputs = hub_outputs, .tok_embd = "embed_tokens", .output_norm = "norm",     \
  .layer = "layers.%d.",                                                                                     \
  .linear = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",                 \
             "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"},                                       \
  .qkv = "self_attn.qkv_proj", .gate_up = "mlp.gate_up_proj"

static const les_names llama_names = {
    LLAMA_NAMES,
    .norm = {[LES_NORM_ATTN] = "input_layernorm",
             [LES_NORM_Q] = "self_attn.q_norm",
             [LES_NORM_K] = "self_attn.k_norm",
             [LES_NORM_MLP] = "post_attention_layernorm"},
};

static const les_names gemma_names = {
    LLAMA_NAMES,
    .norm = {[LES_NORM_ATTN] = "input_layernorm",
             [LES_NORM_Q] = "self_attn.q_norm",
             [LES_NORM_K] = "self_attn.k_norm",
             [LES_NORM_ATTN_POST] = "post_attention_layernorm",
             [LES_NORM_MLP] = "pre_feedforward_layernorm",
             [LES_NORM_MLP_POST] = "post_feedforward_layernorm"},
};

static const les_names gpt2_names = {
    .prefixes = gpt_prefixes,
    .outputs = hub_outputs,
    .tok_embd = "wte",
    .pos_embd = "wpe",
    .output_norm = "ln_f",
    .layer = "h.%d.",
    .linear = {[LES_O] = "attn.c_proj", [LES_UP] = "mlp.c_fc", [LES_DOWN] = "mlp.c_proj"},
    .qkv = "attn.c_attn",
    .norm = {[LES_NORM_ATTN] = "ln_1", [LES_NORM_MLP] = "ln_2"},
};

static const les_names gptneo_names = {
    .prefixes = gpt_prefixes,
    .outputs = hub_outputs,
    .tok_embd = "wte",
    .pos_embd = "wpe",
    .output_norm = "ln_f",
    .layer = "h.%d.",
    .linear = {"attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj",
               "attn.attention.out_proj", NULL, "mlp.c_fc", "mlp.c_proj"},
    .norm = {[LES_NORM_ATTN] = "ln_1", [LES_NORM_MLP] = "ln_2"},
};

enum {
  PRE_NORMS = BIT(LES_NORM_ATTN) | BIT(LES_NORM_MLP),
  POST_NORMS = BIT(LES_NORM_ATTN_POST) | BIT(LES_NORM_MLP_POST),
  QK_NORMS = BIT(LES_NORM_Q) | BIT(LES_NORM_K),
  QKV_BIAS = BIT(LES_Q) | BIT(LES_K) | BIT(LES_V),
  OUT_BIAS = BIT(LES_O) | BIT(LES_UP) | BIT(LES_DOWN),
};

static const les_arch archs[] = {
    {.name = "llama",
     .gguf = "llama",
     .hub = &llama_names,
     .norm = LES_RMS_NORM,
     .act = LES_ACT_SILU,
     .gated = true,
     .gguf_interleaved = true,
     .norms = PRE_NORMS},
    {.name = "gemma3",
     .gguf = "gemma3",
     .hub = &gemma_names,
     .norm = LES_RMS_NORM,
     .act = LES_ACT_GELU_TANH,
     .gated = true,
     .hub_norm_minus_one = true,
     .scaled_embd = true,
     .window_period = 6,
     .norms = PRE_NORMS | POST_NORMS | QK_NORMS},
    {.name = "gptneo",
     .hub = &gptneo_names,
     .norm = LES_LAYER_NORM,
     .act = LES_ACT_GELU_TANH,
     .learned_positions = true,
     .window_period = 2,
     .window_first_full = true,
     .norms = PRE_NORMS,
     .biases = OUT_BIAS},
    {.name = "gpt2",
     .gguf = "gpt2",
     .hub = &gpt2_names,
     .norm = LES_LAYER_NORM,
     .act = LES_ACT_GELU_TANH,
     .learned_positions = true,
     .hub_transposed = true,
     .fused_qkv = true,
     .init_scaled_out = true,
     .norms = PRE_NORMS,
     .biases = QKV_BIAS | OUT_BIAS},
    {.name = "qwen2",
     .gguf = "qwen2",
     .hub = &llama_names,
     .norm = LES_RMS_NORM,
     .act = LES_ACT_SILU,
     .gated = true,
     .norms = PRE_NORMS,
     .biases = QKV_BIAS},
    {.name = "qwen3",
     .gguf = "qwen3",
     .hub = &llama_names,
     .norm = LES_RMS_NORM,
     .act = LES_ACT_SILU,
     .gated = true,
     .norms = PRE_NORMS | QK_NORMS},
    {.name = "gemma2",
     .gguf = "gemma2",
     .hub = &gemma_names,
     .norm = LES_RMS_NORM,
     .act = LES_ACT_GELU_TANH,
     .gated = true,
     .hub_norm_minus_one = true,
     .scaled_embd = true,
     .window_period = 2,
     .norms = PRE_NORMS | POST_NORMS},
    {.name = "phi3",
     .gguf = "phi3",
     .hub = &llama_names,
     .norm = LES_RMS_NORM,
     .act = LES_ACT_SILU,
     .gated = true,
     .fused_qkv = true,
     .fused_gate_up = true,
     .norms = PRE_NORMS},
};
enum { n_archs = sizeof archs / sizeof archs[0] };

les_tensor_name les_tensor_name_make(const les_names *names, const char *prefix, int layer, const char *role,
                                     const char *suffix) {
  les_tensor_name name;
  char place[32] = "";
  if (layer != LES_NO_LAYER) {
    const char *number = strstr(names->layer, "%d");
    snprintf(place, sizeof place, "%.*s%d%s", (int)(number - names->layer), names->layer, layer, number + 2);
  }
  snprintf(name.text, sizeof name.text, "%s%s%s%s", prefix, place, role, suffix);
  return name;
}

const les_arch *les_arch_at(int i) {
  return i >= 0 && i < n_archs ? &archs[i] : NULL;
}

const les_arch *les_arch_find(const char *name) {
  for (int i = 0; i < n_archs; i++)
    if (!strcmp(archs[i].name, name)) return &archs[i];
  return NULL;
}

const les_arch *les_arch_find_gguf(const char *name, size_t n) {
  for (int i = 0; i < n_archs; i++)
    if (archs[i].gguf && strlen(archs[i].gguf) == n && !memcmp(archs[i].gguf, name, n)) return &archs[i];
  return NULL;
}

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && !strcmp(text + n - m, end);
}

bool les_arch_ignores(const char *tensor) {
  static const char *const parts[] = {"vision_tower.", "multi_modal_projector.", "vision_model."};
  static const char *const ends[] = {".attn.bias",           ".attn.masked_bias",
                                     ".attn.attention.bias", ".attn.attention.masked_bias",
                                     ".rotary_emb.inv_freq", ".attn_rot_embd.weight"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const char *at = strstr(tensor, parts[i]);
    if (at && (at == tensor || !strncmp(tensor, "model.", 6))) return true;
  }
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (ends_with(tensor, ends[i])) return true;
  return false;
}
