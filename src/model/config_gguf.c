#include "model/config_gguf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "llama.block_count": the architecture's keys. */
typedef struct key {
  char text[128];
} key;

static key arch_key(const les_config *c, const char *name) {
  key k;
  snprintf(k.text, sizeof k.text, "%s.%s", c->arch->gguf, name);
  return k;
}

/* An integer, or an array of one integer per layer, all equal. `fallback`: where the key is missing;
 * negative: it must not be. */
static les_status read_int(const les_config *c, const les_gguf *g, const char *name, int64_t fallback,
                           int *out) {
  key k = arch_key(c, name);
  int64_t v = fallback, other, n = les_gguf_array_length(g, k.text);
  if (n > 0) {
    if (!les_gguf_array_int(g, k.text, 0, &v))
      return les_fail(LES_FAILED, "%s is no list of integers", k.text);
    for (int64_t i = 1; i < n; i++)
      if (!les_gguf_array_int(g, k.text, i, &other) || other != v)
        return les_fail(LES_FAILED, "%s differs between layers, which is not supported", k.text);
  } else if (!les_gguf_int(g, k.text, &v)) {
    if (les_gguf_has(g, k.text)) return les_fail(LES_FAILED, "%s is not an integer", k.text);
    if (fallback < 0) return les_fail(LES_FAILED, "%s is missing", k.text);
  }
  if (v < 0 || v > INT32_MAX) return les_fail(LES_FAILED, "%s is %" PRId64 ", out of range", k.text, v);
  *out = (int)v;
  return LES_OK;
}

static les_status read_number(const les_config *c, const les_gguf *g, const char *name, double *out) {
  key k = arch_key(c, name);
  if (!les_gguf_double(g, k.text, out) && les_gguf_has(g, k.text))
    return les_fail(LES_FAILED, "%s is not a number", k.text);
  return LES_OK;
}

static les_status read_float(const les_config *c, const les_gguf *g, const char *name, float *out) {
  double v = *out;
  LES_TRY(read_number(c, g, name, &v));
  *out = (float)v;
  return LES_OK;
}

static les_status read_shape(les_config *c, const les_gguf *g) {
  les_hparams *s = &c->hparams;
  int value_length;
  LES_TRY(read_int(c, g, "block_count", -1, &s->n_layers));
  LES_TRY(read_int(c, g, "embedding_length", -1, &s->n_embd));
  LES_TRY(read_int(c, g, "feed_forward_length", -1, &s->n_ff));
  LES_TRY(read_int(c, g, "attention.head_count", -1, &s->n_heads));
  LES_TRY(read_int(c, g, "attention.head_count_kv", s->n_heads, &s->n_kv_heads));
  LES_TRY(read_int(c, g, "attention.key_length", 0, &s->head_dim));
  LES_TRY(read_int(c, g, "attention.value_length", s->head_dim, &value_length));
  if (value_length != s->head_dim &&
      (s->head_dim || s->n_heads == 0 || value_length != s->n_embd / s->n_heads))
    return les_fail(LES_FAILED, "%s is %d, other than the keys' %d, which is not supported",
                    arch_key(c, "attention.value_length").text, value_length, s->head_dim);
  LES_TRY(read_int(c, g, "context_length", -1, &s->n_ctx));
  const char *eps =
      c->arch->norm == LES_RMS_NORM ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
  s->norm_eps = -1;
  LES_TRY(read_float(c, g, eps, &s->norm_eps));
  if (s->norm_eps < 0) return les_fail(LES_FAILED, "%s is missing or negative", arch_key(c, eps).text);
  LES_TRY(read_float(c, g, "attention.scale", &s->attn_scale));
  s->act = c->arch->act;
  s->init_range = 0.02f;
  s->rope_neox = !c->arch->gguf_interleaved;
  return LES_OK;
}

static les_status read_rope(les_config *c, const les_gguf *g) {
  les_rope_spec *r = &c->rope[0];
  int dims;
  LES_TRY(read_int(c, g, "rope.dimension_count", 0, &dims));
  if (dims % 2)
    return les_fail(LES_FAILED, "%s is %d, an odd number", arch_key(c, "rope.dimension_count").text, dims);
  c->hparams.n_rope_pairs = dims / 2;
  *r = (les_rope_spec){.base = 10000, .factor = 1, .beta_fast = 32, .beta_slow = 1, .whole_dims = true};
  LES_TRY(read_number(c, g, "rope.freq_base", &r->base));

  key type = arch_key(c, "rope.scaling.type"), old = arch_key(c, "rope.scale_linear");
  const char *text = "none";
  size_t n = 4;
  if (les_gguf_double(g, old.text, &r->factor)) text = "linear", n = 6;
  les_gguf_string(g, type.text, &text, &n);
  LES_TRY(read_number(c, g, "rope.scaling.factor", &r->factor));
  if (r->factor == 0) r->factor = 1; /* what converters write for "none" */
  if (n == 6 && !memcmp(text, "linear", 6))
    r->scaling = LES_ROPE_LINEAR;
  else if (n == 4 && !memcmp(text, "yarn", 4))
    r->scaling = LES_ROPE_YARN;
  else if (n != 4 || memcmp(text, "none", 4))
    return les_fail(LES_FAILED, "%s is '%.*s', which is not supported; none, linear and yarn are", type.text,
                    (int)n, text);
  if (r->scaling == LES_ROPE_YARN) {
    double attn_factor = 1;
    r->original_ctx = c->hparams.n_ctx;
    LES_TRY(read_number(c, g, "rope.scaling.original_context_length", &r->original_ctx));
    LES_TRY(read_number(c, g, "rope.scaling.attn_factor", &attn_factor));
    LES_TRY(read_number(c, g, "rope.scaling.yarn_beta_fast", &r->beta_fast));
    LES_TRY(read_number(c, g, "rope.scaling.yarn_beta_slow", &r->beta_slow));
    r->magnitude = attn_factor * (r->factor > 1 ? 0.1 * log(r->factor) + 1 : 1);
  }
  c->rope[1] = *r;
  return LES_OK;
}

/* Gemma: constants that its GGUF files leave out, and keys of its own. */
static les_status read_gemma(les_config *c, const les_gguf *g) {
  les_hparams *s = &c->hparams;
  bool gemma3 = !strcmp(c->arch->name, "gemma3");
  int biggest = gemma3 ? 62 : 46; /* layers of the 27B models, which alone scale by n_embd / n_heads */
  if (s->attn_scale == 0 && s->n_layers == biggest)
    s->attn_scale = (float)(1 / sqrt((double)s->n_embd / s->n_heads));
  s->attn_softcap = gemma3 ? 0 : 50;
  s->logit_softcap = gemma3 ? 0 : 30;
  if (gemma3) {
    c->rope[1].base = 10000;
    c->rope[1].scaling = LES_ROPE_PLAIN;
    c->rope[1].magnitude = 0;
  }
  return read_number(c, g, "rope.freq_base_swa", &c->rope[1].base);
}

/* Which layers use a sliding window: by the file's period or its list of layers, else by the architecture. */
static les_status read_windows(les_config *c, const les_gguf *g) {
  key k = arch_key(c, "attention.sliding_window_pattern");
  int64_t n = les_gguf_array_length(g, k.text), period = 0, on;
  if (n < 0) {
    les_gguf_int(g, k.text, &period);
    if (period < 0 || period > INT32_MAX) return les_fail(LES_FAILED, "%s is %" PRId64, k.text, period);
    les_config_set_windows(c, (int)period);
    return LES_OK;
  }
  if (n != c->hparams.n_layers)
    return les_fail(LES_FAILED, "%s has %" PRId64 " elements for %d layers", k.text, n, c->hparams.n_layers);
  for (int i = 0; i < c->hparams.n_layers; i++) {
    if (!les_gguf_array_int(g, k.text, i, &on)) return les_fail(LES_FAILED, "%s is no list of flags", k.text);
    c->sliding[i] = c->window > 0 && on != 0;
  }
  return LES_OK;
}

/* Settings that would have the model compute what the forward pass does not know. */
static les_status refuse_unsupported(const les_config *c, const les_gguf *g) {
  static const struct {
    const char *name;
    double neutral;
  } keys[] = {{"expert_count", 0},
              {"expert_used_count", 0},
              {"logit_scale", 1},
              {"residual_scale", 1},
              {"embedding_scale", 1},
              {"attention.max_alibi_bias", 0},
              {"attention.clamp_kqv", 0},
              {"attention.shared_kv_layers", 0},
              {"attention.temperature_length", 0},
              {"rope.scaling.yarn_log_multiplier", 0},
              {"rope.scaling.yarn_ext_factor", 1},
              {"nextn_predict_layers", 0}};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    key k = arch_key(c, keys[i].name);
    double v = keys[i].neutral;
    LES_TRY(read_number(c, g, keys[i].name, &v));
    if (v != keys[i].neutral) return les_fail(LES_FAILED, "%s is %g, which is not supported", k.text, v);
  }
  bool parallel = false, causal = true;
  les_gguf_bool(g, arch_key(c, "use_parallel_residual").text, &parallel);
  if (parallel)
    return les_fail(LES_FAILED, "%s is true, which is not supported",
                    arch_key(c, "use_parallel_residual").text);
  les_gguf_bool(g, arch_key(c, "attention.causal").text, &causal);
  if (!causal)
    return les_fail(LES_FAILED, "%s is false, which is not supported", arch_key(c, "attention.causal").text);
  return LES_OK;
}

static les_status read_eos(les_config *c, const les_gguf *g) {
  static const char *const keys[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                     "tokenizer.ggml.eom_token_id"};
  int64_t token;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (les_gguf_int(g, keys[i], &token) && token >= 0 && token < UINT32_MAX)
      LES_TRY(les_config_add_eos(c, token));
  return LES_OK;
}

static les_status find_arch(les_config *c, const les_gguf *g) {
  const char *text;
  size_t n;
  if (!les_gguf_string(g, "general.architecture", &text, &n))
    return les_fail(LES_FAILED, "general.architecture is missing; the file is no language model");
  c->arch = les_arch_find_gguf(text, n);
  if (!c->arch)
    return les_fail(LES_FAILED,
                    "architecture '%.*s' is not supported; `lesion inspect --help` lists those that are",
                    (int)(n < 64 ? n : 64), text);
  if (les_gguf_string(g, "general.name", &text, &n) && n > 0) {
    c->name = strndup(text, n);
    if (!c->name) return les_no_memory("the model's name");
  }
  return LES_OK;
}

les_status les_config_read_gguf(les_config *out, const les_gguf *g) {
  *out = (les_config){0};
  LES_TRY(find_arch(out, g));
  LES_TRY(refuse_unsupported(out, g));
  LES_TRY(read_shape(out, g));
  LES_TRY(read_rope(out, g));
  LES_TRY(read_int(out, g, "attention.sliding_window", 0, &out->window));
  if (out->arch->scaled_embd) LES_TRY(read_gemma(out, g));
  LES_TRY(read_float(out, g, "attn_logit_softcapping", &out->hparams.attn_softcap));
  LES_TRY(read_float(out, g, "final_logit_softcapping", &out->hparams.logit_softcap));
  LES_TRY(read_eos(out, g));
  LES_TRY(les_config_finish(out, les_gguf_tensors(g)->n));
  out->tied = true;
  return read_windows(out, g);
}
