#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "model/hf_config.h"
#include "synth/synth_file.h"
#include "synth/synth_vocab.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(les_buffer *b, const char *text) {
  les_buffer_append(b, text, strlen(text));
}

les_status les_synth_hub_header(const les_synth_tensors *t, les_buffer *out) {
  uint64_t n = 0;
  char line[512];
  les_buffer_append(out, (const char *)&n, sizeof n);
  append(out, "{\"__metadata__\":{\"format\":\"pt\"}");
  for (int i = 0; i < t->n; i++) {
    const les_synth_tensor *x = &t->items[i];
    char shape[48];
    if (x->n_dims == 2)
      snprintf(shape, sizeof shape, "%" PRId64 ",%" PRId64, x->dims[1], x->dims[0]);
    else
      snprintf(shape, sizeof shape, "%" PRId64, x->dims[0]);
    snprintf(line, sizeof line,
             ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}",
             x->name.text, les_dtype_find(x->type)->name, shape, x->offset, x->offset + x->bytes);
    append(out, line);
  }
  append(out, "}");
  while (out->n % sizeof n && !out->failed) append(out, " ");
  LES_TRY(les_buffer_status(out));
  n = out->n - sizeof n;
  memcpy(out->data, &n, sizeof n);
  return LES_OK;
}

/* ---- config.json ---- */

/* Adds [["local"], 1] or [["global"], 1]. */
static void add_attention_type(cJSON *list, bool local) {
  cJSON *group = les_json_add_array(list, NULL);
  les_json_add_string(les_json_add_array(group, NULL), NULL, local ? "local" : "global");
  les_json_add_number(group, NULL, 1);
}

static void add_windows(cJSON *o, const les_config *c, const les_hf_config *hf) {
  if (hf->windows == LES_WINDOWS_NONE) return;
  les_json_add_number(o, hf->window, c->window);
  if (hf->windows != LES_WINDOWS_PERIOD && hf->windows != LES_WINDOWS_GPT_NEO) return;
  bool neo = hf->windows == LES_WINDOWS_GPT_NEO;
  cJSON *list = les_json_add_array(o, neo ? "attention_types" : "layer_types");
  for (int i = 0; i < c->hparams.n_layers; i++) {
    if (neo)
      add_attention_type(list, c->sliding[i]);
    else
      les_json_add_string(list, NULL, c->sliding[i] ? "sliding_attention" : "full_attention");
  }
}

static void add_rope(cJSON *o, const les_config *c) {
  const les_rope_spec *r = &c->rope[0];
  if (c->hparams.n_rope_pairs == 0) return;
  les_json_add_number(o, "rope_theta", r->base);
  if (r->scaling == LES_ROPE_PLAIN) return;
  cJSON *scaling = les_json_add_object(o, "rope_scaling");
  les_json_add_string(scaling, "rope_type", r->scaling == LES_ROPE_LLAMA3 ? "llama3" : "linear");
  les_json_add_number(scaling, "factor", r->factor);
  if (r->scaling == LES_ROPE_LLAMA3) {
    les_json_add_number(scaling, "low_freq_factor", r->low_freq_factor);
    les_json_add_number(scaling, "high_freq_factor", r->high_freq_factor);
    les_json_add_number(scaling, "original_max_position_embeddings", r->original_ctx);
  }
}

static void add_shape(cJSON *o, const les_config *c, const les_hf_config *hf) {
  const les_hparams *p = &c->hparams;
  les_json_add_string(o, "model_type", hf->model_type);
  les_json_add_number(o, "vocab_size", p->n_vocab);
  les_json_add_number(o, hf->layers, p->n_layers);
  les_json_add_number(o, hf->embd, p->n_embd);
  les_json_add_number(o, hf->ff, p->n_ff);
  les_json_add_number(o, hf->heads, p->n_heads);
  les_json_add_number(o, hf->ctx, p->n_ctx);
  les_json_add_number(o, hf->eps, (double)p->norm_eps);
  if (p->n_rope_pairs) {
    les_json_add_number(o, "num_key_value_heads", p->n_kv_heads);
    les_json_add_number(o, "head_dim", p->head_dim);
  }
  if (c->arch->scaled_embd)
    les_json_add_number(o, "query_pre_attn_scalar",
                        round(1 / ((double)p->attn_scale * (double)p->attn_scale)));
  les_json_add_bool(o, "tie_word_embeddings", c->tied);
}

static cJSON *make_config(const les_synth *s) {
  const les_config *c = s->config;
  const les_hf_config *hf = les_hf_config_of(c->arch->name);
  if (!strcmp(hf->model_type, "llama") && c->window) hf = les_hf_config_find("mistral");
  cJSON *o = cJSON_CreateObject();
  add_shape(o, c, hf);
  add_rope(o, c);
  add_windows(o, c, hf);
  if (c->hparams.n_vocab > LES_SYNTH_VOCAB_END) {
    les_json_add_number(o, "bos_token_id", LES_SYNTH_VOCAB_END);
    les_json_add_number(o, "eos_token_id", LES_SYNTH_VOCAB_END);
    les_json_add_number(o, "pad_token_id", LES_SYNTH_VOCAB_END);
  }
  les_json_add_string(o, "torch_dtype",
                      s->type == LES_F32   ? "float32"
                      : s->type == LES_F16 ? "float16"
                                           : "bfloat16");
  return o;
}

/* ---- tokenizer.json ---- */

/* The quote and the backslash are the only characters of a token that JSON escapes. */
static void append_token(les_buffer *b, les_synth_vocab_token t) {
  append(b, "\"");
  for (const char *c = t.text; *c; c++) {
    if (*c == '"' || *c == '\\') append(b, "\\");
    les_buffer_append(b, c, 1);
  }
  append(b, "\"");
}

static les_status make_tokenizer(int n, les_buffer *b) {
  char number[32];
  append(
      b,
      "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":256,\"content\":\"<|end|>\",\"single_word\":false,"
      "\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}],\"normalizer\":null,"
      "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,"
      "\"use_regex\":true},\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":"
      "{\"id\":\"<|end|>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],"
      "\"special_tokens\":{\"<|end|>\":{\"id\":\"<|end|>\",\"ids\":[256],\"tokens\":[\"<|end|>\"]}}},"
      "\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":"
      "true},"
      "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"byte_fallback\":false,\"vocab\":{");
  for (int i = 0; i < n; i++) {
    append_token(b, les_synth_vocab_at(i));
    snprintf(number, sizeof number, ":%d%s", i, i + 1 < n ? "," : "");
    append(b, number);
  }
  append(b, "},\"merges\":[");
  for (int i = LES_SYNTH_VOCAB_MIN; i < n; i++) {
    append_token(b, les_synth_vocab_merge(i));
    append(b, i + 1 < n ? "," : "");
  }
  append(b, "]}}\n");
  return les_buffer_status(b);
}

static les_status write_beside(const char *folder, const char *name, const void *data, size_t n) {
  char *path = les_path_join(folder, name);
  if (!path) return les_no_memory("the name of a file in %s", folder);
  les_status status = les_file_write(path, data, n);
  free(path);
  return status;
}

static les_status write_tokenizer(const les_synth *s, const char *folder) {
  int n = s->config->hparams.n_vocab;
  les_buffer b = {0};
  char *copy = NULL;
  size_t bytes;
  les_status status = LES_OK;
  if (s->vocab) {
    LES_GOTO(status, les_file_read(s->vocab, &copy, &bytes), done);
    if (bytes < 4 || !memcmp(copy, "GGUF", 4))
      status = les_fail(LES_USAGE, "%s: a folder takes its vocabulary from a tokenizer.json", s->vocab);
    else
      status = write_beside(folder, "tokenizer.json", copy, bytes);
  } else if (n >= LES_SYNTH_VOCAB_MIN && n <= LES_SYNTH_VOCAB_MAX) {
    LES_GOTO(status, make_tokenizer(n, &b), done);
    LES_GOTO(status, write_beside(folder, "tokenizer.json", b.data, b.n), done);
    static const char config[] = "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}\n";
    status = write_beside(folder, "tokenizer_config.json", config, sizeof config - 1);
  }
done:
  free(copy);
  les_buffer_free(&b);
  return status;
}

les_status les_synth_hub_settings(const les_synth *s, const char *folder) {
  cJSON *config = make_config(s);
  char *text = cJSON_Print(config);
  les_status status = text ? write_beside(folder, "config.json", text, strlen(text))
                           : les_no_memory("config.json of %s", folder);
  free(text);
  cJSON_Delete(config);
  return status == LES_OK ? write_tokenizer(s, folder) : status;
}
