#include "model/config_json.h"

#include "base/json.h"
#include "base/path.h"
#include "model/config_rope.h"
#include "model/hf_config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A config.json being read. */
typedef struct reader {
  les_config *config;
  const les_hf_config *hf; /* how this model_type spells its settings */
  const char *path;
  const cJSON *top;  /* the document */
  const cJSON *text; /* its text_config where there is one, else the document */
} reader;

/* Replaces null by what it means: for some keys "none" (0, or an empty list), which is not their default; for
 * the others the same as leaving the key out. */
static void resolve_nulls(cJSON *item) {
  static const char *const none[] = {
      "sliding_window",         "num_key_value_heads",     "head_dim",
      "attn_logit_softcapping", "final_logit_softcapping", "intermediate_size"};
  for (cJSON *child = item->child, *next; child; child = next) {
    next = child->next;
    resolve_nulls(child);
    if (!cJSON_IsNull(child) || !cJSON_IsObject(item)) continue;
    bool zero = false;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) zero |= !strcmp(child->string, none[i]);
    if (zero)
      child->type = cJSON_Number; /* 0 */
    else if (!strcmp(child->string, "eos_token_id"))
      child->type = cJSON_Array; /* empty */
    else
      cJSON_Delete(cJSON_DetachItemViaPointer(item, child));
  }
}

static les_status read_int(const reader *r, const char *key, int fallback, int *out) {
  *out = fallback;
  return les_json_get_int(r->text, key, r->path, 0, INT32_MAX, out);
}

static les_status read_float(const reader *r, const char *key, double fallback, float *out) {
  double v = fallback;
  LES_TRY(les_json_get_number(r->text, key, r->path, -1e30, 1e30, &v));
  *out = (float)v;
  return LES_OK;
}

static les_status read_activation(const reader *r) {
  static const struct {
    const char *name;
    les_act act;
  } acts[] = {{"silu", LES_ACT_SILU},
              {"swish", LES_ACT_SILU},
              {"gelu", LES_ACT_GELU_ERF},
              {"gelu_python", LES_ACT_GELU_ERF},
              {"gelu_new", LES_ACT_GELU_TANH},
              {"gelu_fast", LES_ACT_GELU_TANH},
              {"gelu_accurate", LES_ACT_GELU_TANH},
              {"gelu_pytorch_tanh", LES_ACT_GELU_TANH},
              {"gelu_python_tanh", LES_ACT_GELU_TANH},
              {"relu", LES_ACT_RELU}};
  const char *name = NULL;
  r->config->hparams.act = r->config->arch->act;
  LES_TRY(les_json_get_string(r->text, r->hf->act, r->path, &name));
  if (!name) return LES_OK;
  for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
    if (!strcmp(acts[i].name, name)) return r->config->hparams.act = acts[i].act, LES_OK;
  return les_fail(LES_FAILED, "%s: '%s' is '%s', which is not supported", r->path, r->hf->act, name);
}

static les_status read_shape(const reader *r) {
  const les_hf_config *d = r->hf;
  les_hparams *s = &r->config->hparams;
  LES_TRY(read_int(r, d->layers, d->n_layers, &s->n_layers));
  LES_TRY(read_int(r, d->embd, d->n_embd, &s->n_embd));
  LES_TRY(read_int(r, d->ff, d->n_ff, &s->n_ff));
  if (s->n_ff == 0 && s->n_embd <= INT32_MAX / 4) s->n_ff = 4 * s->n_embd;
  LES_TRY(read_int(r, d->heads, d->n_heads, &s->n_heads));
  LES_TRY(read_int(r, "num_key_value_heads", d->n_kv_heads, &s->n_kv_heads));
  LES_TRY(read_int(r, "head_dim", d->head_dim, &s->head_dim));
  LES_TRY(read_int(r, "vocab_size", d->n_vocab, &s->n_vocab));
  LES_TRY(read_int(r, d->ctx, d->n_ctx, &s->n_ctx));
  LES_TRY(read_float(r, d->eps, d->norm_eps, &s->norm_eps));
  LES_TRY(read_float(r, "initializer_range", 0.02, &s->init_range));
  s->rope_neox = true;
  return read_activation(r);
}

/* Scales and soft caps of attention scores and logits. */
static les_status read_scales(const reader *r) {
  les_hparams *s = &r->config->hparams;
  const char *arch = r->config->arch->name;
  bool scaled = true;
  float scalar;
  LES_TRY(les_json_get_bool(r->text, "scale_attn_weights", r->path, &scaled));
  if (!scaled || !strcmp(arch, "gptneo")) s->attn_scale = 1;
  if (r->hf->windows != LES_WINDOWS_PERIOD) return LES_OK;
  LES_TRY(read_float(r, "query_pre_attn_scalar", 256, &scalar));
  if (!(scalar > 0))
    return les_fail(LES_FAILED, "%s: 'query_pre_attn_scalar' is %g; it must be above 0", r->path,
                    (double)scalar);
  s->attn_scale = (float)(1 / sqrt((double)scalar));
  if (strcmp(arch, "gemma3")) /* transformers reads the key for Gemma 3, but does not apply it */
    LES_TRY(read_float(r, "attn_logit_softcapping", r->hf->attn_softcap, &s->attn_softcap));
  return read_float(r, "final_logit_softcapping", r->hf->logit_softcap, &s->logit_softcap);
}

static les_status read_biases(const reader *r) {
  bool attention = false, mlp = false;
  LES_TRY(les_json_get_bool(r->text, "attention_bias", r->path, &attention));
  LES_TRY(les_json_get_bool(r->text, "mlp_bias", r->path, &mlp));
  if (attention) r->config->biases |= 1u << LES_Q | 1u << LES_K | 1u << LES_V | 1u << LES_O;
  if (mlp) r->config->biases |= 1u << LES_GATE | 1u << LES_UP | 1u << LES_DOWN;
  return LES_OK;
}

/* Windows from a list of names, one a layer. */
static les_status read_layer_types(const reader *r, const cJSON *types) {
  les_config *c = r->config;
  if (cJSON_GetArraySize(types) != c->hparams.n_layers)
    return les_fail(LES_FAILED, "%s: 'layer_types' has %d entries for %d layers", r->path,
                    cJSON_GetArraySize(types), c->hparams.n_layers);
  const cJSON *type;
  int i = 0;
  cJSON_ArrayForEach(type, types) {
    const char *name = cJSON_IsString(type) ? type->valuestring : "";
    bool sliding = !strcmp(name, "sliding_attention");
    if (!sliding && strcmp(name, "full_attention"))
      return les_fail(LES_FAILED, "%s: 'layer_types' holds '%s', which is not supported", r->path, name);
    c->sliding[i++] = c->window > 0 && sliding;
  }
  return LES_OK;
}

/* GPT-Neo: [[["global", "local"], 12]] is this list of names, 12 times over. */
static les_status read_attention_types(const reader *r) {
  const cJSON *types = cJSON_GetObjectItemCaseSensitive(r->text, "attention_types"), *group;
  les_config *c = r->config;
  int layer = 0;
  if (!types) return LES_OK;
  cJSON_ArrayForEach(group, types) {
    const cJSON *names = cJSON_GetArrayItem(group, 0), *times = cJSON_GetArrayItem(group, 1), *name;
    if (!cJSON_IsArray(names) || !names->child || !cJSON_IsNumber(times))
      return les_fail(LES_FAILED, "%s: 'attention_types' is no list of [names, times]", r->path);
    for (int k = 0; k < times->valueint && layer <= c->hparams.n_layers; k++)
      cJSON_ArrayForEach(name, names) {
        bool local = cJSON_IsString(name) && !strcmp(name->valuestring, "local");
        if (!local && !(cJSON_IsString(name) && !strcmp(name->valuestring, "global")))
          return les_fail(LES_FAILED, "%s: 'attention_types' holds a name other than global and local",
                          r->path);
        if (layer < c->hparams.n_layers) c->sliding[layer] = local;
        layer++;
      }
  }
  if (layer == c->hparams.n_layers) return LES_OK;
  return les_fail(LES_FAILED, "%s: 'attention_types' does not speak of %d layers", r->path,
                  c->hparams.n_layers);
}

static les_status read_windows(const reader *r) {
  les_config *c = r->config;
  const cJSON *types = cJSON_GetObjectItemCaseSensitive(r->text, "layer_types");
  les_windows kind = r->hf->windows;
  int period = 0, first = 0;
  if (types && (kind == LES_WINDOWS_PERIOD || kind == LES_WINDOWS_UPPER)) return read_layer_types(r, types);
  if (kind == LES_WINDOWS_PERIOD)
    LES_TRY(les_json_get_int(r->text, "sliding_window_pattern", r->path, 1, INT32_MAX, &period));
  les_config_set_windows(c, period);
  if (kind == LES_WINDOWS_UPPER) {
    LES_TRY(read_int(r, "max_window_layers", 28, &first));
    for (int i = 0; i < first && i < c->hparams.n_layers; i++) c->sliding[i] = false;
  }
  return kind == LES_WINDOWS_GPT_NEO ? read_attention_types(r) : LES_OK;
}

static les_status read_window(const reader *r) {
  bool used = r->hf->windows != LES_WINDOWS_UPPER;
  LES_TRY(les_json_get_bool(r->text, "use_sliding_window", r->path, &used));
  if (r->hf->windows == LES_WINDOWS_NONE || !used) return LES_OK;
  return read_int(r, r->hf->window, r->hf->n_window, &r->config->window);
}

/* Settings that would have the model compute what the forward pass does not know. */
static les_status refuse_unsupported(const reader *r) {
  static const char *const flags[] = {"use_bidirectional_attention", "add_cross_attention",
                                      "scale_attn_by_inverse_layer_idx", "is_encoder_decoder"};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    bool on = false;
    LES_TRY(les_json_get_bool(r->text, flags[i], r->path, &on));
    if (on) return les_fail(LES_FAILED, "%s: '%s' is true, which is not supported", r->path, flags[i]);
  }
  const cJSON *quantized = cJSON_GetObjectItemCaseSensitive(r->top, "quantization_config");
  if (quantized) {
    const cJSON *method = cJSON_GetObjectItemCaseSensitive(quantized, "quant_method");
    return les_fail(
        LES_FAILED,
        "%s: 'quantization_config' (%s) is not supported; take the model's unquantized files or a GGUF file",
        r->path, cJSON_IsString(method) ? method->valuestring : "no method named");
  }
  return LES_OK;
}

static les_status add_eos(les_config *c, const cJSON *item, const char *path) {
  const cJSON *first = cJSON_IsArray(item) ? item->child : item;
  for (const cJSON *token = first; token; token = item == first ? NULL : token->next) {
    if (!cJSON_IsNumber(token) || token->valuedouble != floor(token->valuedouble))
      return les_fail(LES_FAILED, "%s: 'eos_token_id' is no token id or list of them", path);
    LES_TRY(les_config_add_eos(c, (int64_t)fmin(fmax(token->valuedouble, -1), 0x1p40)));
  }
  return LES_OK;
}

/* End tokens: those of config.json, else transformers' default, and those of generation_config.json, if there
 * is one. */
static les_status read_eos(const reader *r, const char *dir) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->top, "eos_token_id");
  if (!item) item = cJSON_GetObjectItemCaseSensitive(r->text, "eos_token_id");
  if (item)
    LES_TRY(add_eos(r->config, item, r->path));
  else if (r->hf->eos >= 0)
    LES_TRY(les_config_add_eos(r->config, r->hf->eos));

  char *path = les_path_join(dir, "generation_config.json");
  cJSON *doc = NULL;
  if (!path) return les_no_memory("the name of a file in %s", dir);
  les_status status = access(path, F_OK) == 0 ? les_json_read(&doc, path) : LES_OK;
  if (status == LES_OK && doc) {
    resolve_nulls(doc);
    item = cJSON_GetObjectItemCaseSensitive(doc, "eos_token_id");
    if (item) status = add_eos(r->config, item, path);
  }
  cJSON_Delete(doc);
  free(path);
  return status;
}

static les_status find_model_type(reader *r) {
  const char *type = NULL;
  LES_TRY(les_json_get_string(r->top, "model_type", r->path, &type));
  if (!type) return les_fail(LES_FAILED, "%s: has no 'model_type'", r->path);
  r->hf = les_hf_config_find(type);
  if (!r->hf)
    return les_fail(
        LES_FAILED,
        "%s: model_type '%s' is not supported; `lesion inspect --help` lists the architectures that are",
        r->path, type);
  r->config->arch = les_arch_find(r->hf->arch);
  const cJSON *text = cJSON_GetObjectItemCaseSensitive(r->top, "text_config");
  r->text = cJSON_IsObject(text) ? text : r->top;
  return LES_OK;
}

static les_status read_all(reader *r, const char *dir, int max_layers) {
  LES_TRY(find_model_type(r));
  LES_TRY(refuse_unsupported(r));
  LES_TRY(read_shape(r));
  LES_TRY(read_scales(r));
  LES_TRY(read_biases(r));
  LES_TRY(read_window(r));
  r->config->tied = r->hf->tied;
  LES_TRY(les_json_get_bool(r->text, "tie_word_embeddings", r->path, &r->config->tied));
  LES_TRY(les_json_get_bool(r->top, "tie_word_embeddings", r->path, &r->config->tied));
  if (!r->config->arch->learned_positions)
    LES_TRY(les_config_read_rope(r->config, r->text, r->path, r->hf->base));
  LES_TRY(read_eos(r, dir));
  les_status status = les_config_finish(r->config, max_layers);
  return status == LES_OK ? read_windows(r) : les_fail_in(status, "%s", r->path);
}

les_status les_config_read_json(les_config *out, const char *dir, int max_layers) {
  *out = (les_config){0};
  char *path = les_path_join(dir, "config.json");
  cJSON *doc = NULL;
  if (!path) return les_no_memory("the name of a file in %s", dir);
  les_status status = les_json_read(&doc, path);
  if (status == LES_OK && !cJSON_IsObject(doc)) status = les_fail(LES_FAILED, "%s: is no JSON object", path);
  if (status == LES_OK) {
    resolve_nulls(doc);
    reader r = {.config = out, .path = path, .top = doc};
    status = read_all(&r, dir, max_layers);
    if (status == LES_USAGE) status = LES_FAILED; /* whoever runs a model has not written its config */
  }
  cJSON_Delete(doc);
  free(path);
  return status;
}
