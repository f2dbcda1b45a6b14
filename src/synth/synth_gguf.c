#include "format/gguf.h"
#include "synth/synth_file.h"
#include "synth/synth_vocab.h"

#include <stdlib.h>
#include <string.h>

/* A header being written. */
typedef struct writer {
  les_buffer *out;
  const les_config *config;
  uint64_t n_keys;
} writer;

static void put(les_buffer *b, const void *data, size_t n) {
  les_buffer_append(b, data, n);
}

static void put_u32(les_buffer *b, uint32_t v) {
  put(b, &v, sizeof v);
}

static void put_u64(les_buffer *b, uint64_t v) {
  put(b, &v, sizeof v);
}

static void put_text(les_buffer *b, const char *text) {
  put_u64(b, strlen(text));
  put(b, text, strlen(text));
}

static void put_key(writer *w, const char *key, les_gguf_type type) {
  put_text(w->out, key);
  put_u32(w->out, type);
  w->n_keys++;
}

static void key_text(writer *w, const char *key, const char *text) {
  put_key(w, key, LES_GGUF_STRING);
  put_text(w->out, text);
}

static void key_u32(writer *w, const char *key, uint32_t v) {
  put_key(w, key, LES_GGUF_U32);
  put_u32(w->out, v);
}

/* Keys below the architecture's name. */
static void put_arch_key(writer *w, const char *name, les_gguf_type type) {
  put_u64(w->out, strlen(w->config->arch->gguf) + 1 + strlen(name));
  put(w->out, w->config->arch->gguf, strlen(w->config->arch->gguf));
  put(w->out, ".", 1);
  put(w->out, name, strlen(name));
  put_u32(w->out, type);
  w->n_keys++;
}

static void arch_u32(writer *w, const char *name, int v) {
  put_arch_key(w, name, LES_GGUF_U32);
  put_u32(w->out, (uint32_t)v);
}

static void arch_f32(writer *w, const char *name, double v) {
  float f = (float)v;
  put_arch_key(w, name, LES_GGUF_F32);
  put(w->out, &f, sizeof f);
}

static void put_shape(writer *w) {
  const les_config *c = w->config;
  const les_hparams *s = &c->hparams;
  key_text(w, "general.architecture", c->arch->gguf);
  key_text(w, "general.name", c->name);
  arch_u32(w, "block_count", s->n_layers);
  arch_u32(w, "context_length", s->n_ctx);
  arch_u32(w, "embedding_length", s->n_embd);
  arch_u32(w, "feed_forward_length", s->n_ff);
  arch_u32(w, "attention.head_count", s->n_heads);
  arch_u32(w, "attention.head_count_kv", s->n_kv_heads);
  arch_u32(w, "attention.key_length", s->head_dim);
  arch_u32(w, "attention.value_length", s->head_dim);
  arch_u32(w, "vocab_size", s->n_vocab);
  arch_f32(w, s->norm == LES_RMS_NORM ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
           (double)s->norm_eps);
  if (c->window) arch_u32(w, "attention.sliding_window", c->window);
  if (s->n_rope_pairs == 0) return;
  arch_u32(w, "rope.dimension_count", 2 * s->n_rope_pairs);
  arch_f32(w, "rope.freq_base", c->rope[0].base);
  if (c->rope[0].scaling == LES_ROPE_LINEAR) {
    put_arch_key(w, "rope.scaling.type", LES_GGUF_STRING);
    put_text(w->out, "linear");
    arch_f32(w, "rope.scaling.factor", c->rope[0].factor);
  }
}

static void put_array(writer *w, const char *key, les_gguf_type type, uint64_t n) {
  put_key(w, key, LES_GGUF_ARRAY);
  put_u32(w->out, type);
  put_u64(w->out, n);
}

/* A vocabulary too small for every byte has no tokenizer: texts must be given as tokens. */
static void make_vocabulary(writer *w) {
  int n = w->config->hparams.n_vocab;
  if (n < LES_SYNTH_VOCAB_MIN || n > LES_SYNTH_VOCAB_MAX) {
    key_text(w, "tokenizer.ggml.model", "none");
    return;
  }
  key_text(w, "tokenizer.ggml.model", "gpt2");
  key_text(w, "tokenizer.ggml.pre", "gpt-2");
  put_array(w, "tokenizer.ggml.tokens", LES_GGUF_STRING, (uint64_t)n);
  for (int i = 0; i < n; i++) put_text(w->out, les_synth_vocab_at(i).text);
  put_array(w, "tokenizer.ggml.token_type", LES_GGUF_I32, (uint64_t)n);
  for (int i = 0; i < n; i++) put_u32(w->out, i == LES_SYNTH_VOCAB_END ? 3 : 1); /* control, normal */
  put_array(w, "tokenizer.ggml.merges", LES_GGUF_STRING, (uint64_t)(n - LES_SYNTH_VOCAB_MIN));
  for (int i = LES_SYNTH_VOCAB_MIN; i < n; i++) put_text(w->out, les_synth_vocab_merge(i).text);
  key_u32(w, "tokenizer.ggml.bos_token_id", LES_SYNTH_VOCAB_END);
  key_u32(w, "tokenizer.ggml.eos_token_id", LES_SYNTH_VOCAB_END);
  put_key(w, "tokenizer.ggml.add_bos_token", LES_GGUF_BOOL);
  put(w->out, "\1", 1);
}

/* Copies every tokenizer.* key of another file, whose vocabulary must fit the model's. */
static les_status copy_vocabulary(writer *w, const char *path) {
  les_gguf *g;
  LES_TRY(les_gguf_open(&g, path));
  les_status status = LES_OK;
  int64_t n = les_gguf_array_length(g, "tokenizer.ggml.tokens");
  if (n > w->config->hparams.n_vocab || n < 0)
    status = les_fail(LES_USAGE, "%s: has %lld tokens, the model %d; give --vocab-size", path, (long long)n,
                      w->config->hparams.n_vocab);
  for (int i = 0; i < les_gguf_n_keys(g) && status == LES_OK; i++) {
    size_t bytes;
    if (strncmp(les_gguf_key_at(g, i), "tokenizer.", 10)) continue;
    put_text(w->out, les_gguf_key_at(g, i));
    const void *raw = les_gguf_raw_at(g, i, &bytes);
    put(w->out, raw, bytes);
    w->n_keys++;
  }
  les_gguf_close(&g);
  return status;
}

les_status les_synth_gguf_header(const les_synth *s, const les_synth_tensors *t, les_buffer *out) {
  enum { VERSION = 3 };
  writer w = {out, s->config, 0};
  put(out, "GGUF", 4);
  put_u32(out, VERSION);
  put_u64(out, (uint64_t)t->n);
  size_t n_keys_at = out->n;
  put_u64(out, 0);
  put_shape(&w);
  key_u32(&w, "general.quantization_version", 2);
  if (s->vocab)
    LES_TRY(copy_vocabulary(&w, s->vocab));
  else
    make_vocabulary(&w);
  for (int i = 0; i < t->n; i++) {
    const les_synth_tensor *x = &t->items[i];
    put_text(out, x->name.text);
    put_u32(out, (uint32_t)x->n_dims);
    for (int d = 0; d < x->n_dims; d++) put_u64(out, (uint64_t)x->dims[d]);
    put_u32(out, x->type);
    put_u64(out, x->offset);
  }
  while (out->n % LES_GGUF_ALIGNMENT && !out->failed) les_buffer_append_byte(out, 0);
  LES_TRY(les_buffer_status(out));
  memcpy(out->data + n_keys_at, &w.n_keys, sizeof w.n_keys);
  return LES_OK;
}
