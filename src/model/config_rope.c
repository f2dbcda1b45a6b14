#include "model/config_rope.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

/* A number of `object`, or `fallback`. */
static les_status number(const cJSON *object, const char *key, const char *path, double fallback,
                         double *out) {
  *out = fallback;
  return les_json_get_number(object, key, path, 0, 1e30, out);
}

static double mscale(double factor, double m) {
  return factor <= 1 ? 1 : 0.1 * m * log(factor) + 1;
}

/* YaRN: every setting but the factor has a default. */
static les_status read_yarn(les_rope_spec *r, const cJSON *o, const char *path, int n_ctx) {
  double all, m;
  r->whole_dims = true;
  LES_TRY(number(o, "original_max_position_embeddings", path, n_ctx, &r->original_ctx));
  LES_TRY(number(o, "factor", path, r->original_ctx > 0 ? n_ctx / r->original_ctx : 0, &r->factor));
  LES_TRY(number(o, "beta_fast", path, 32, &r->beta_fast));
  LES_TRY(number(o, "beta_slow", path, 1, &r->beta_slow));
  LES_TRY(les_json_get_bool(o, "truncate", path, &r->whole_dims));
  LES_TRY(number(o, "mscale", path, 0, &m));
  LES_TRY(number(o, "mscale_all_dim", path, 0, &all));
  double magnitude = m > 0 && all > 0 ? mscale(r->factor, m) / mscale(r->factor, all) : mscale(r->factor, 1);
  return number(o, "attention_factor", path, magnitude, &r->magnitude);
}

/* One set of settings; `o` may be NULL. */
static les_status read_spec(les_rope_spec *r, const cJSON *o, const char *path, double base, int n_ctx) {
  const char *type = "default";
  *r = (les_rope_spec){.scaling = LES_ROPE_PLAIN, .base = base};
  if (!o) return LES_OK;
  LES_TRY(number(o, "rope_theta", path, base, &r->base));
  LES_TRY(les_json_get_string(o, "type", path, &type));
  LES_TRY(les_json_get_string(o, "rope_type", path, &type));
  if (cJSON_HasObjectItem(o, "short_factor")) type = "longrope"; /* Phi-3 has called it su and yarn too */
  /* dynamic scaling starts beyond the configured context length, which is our limit */
  if (!strcmp(type, "default") || !strcmp(type, "dynamic")) return LES_OK;
  LES_TRY(number(o, "factor", path, 0, &r->factor));
  if (!strcmp(type, "linear")) {
    r->scaling = LES_ROPE_LINEAR;
    return LES_OK;
  }
  if (!strcmp(type, "llama3")) {
    r->scaling = LES_ROPE_LLAMA3;
    LES_TRY(number(o, "low_freq_factor", path, 0, &r->low_freq_factor));
    LES_TRY(number(o, "high_freq_factor", path, 0, &r->high_freq_factor));
    return number(o, "original_max_position_embeddings", path, n_ctx, &r->original_ctx);
  }
  if (!strcmp(type, "yarn")) {
    r->scaling = LES_ROPE_YARN;
    return read_yarn(r, o, path, n_ctx);
  }
  return les_fail(LES_FAILED,
                  "%s: rope_type '%s' is not supported; default, linear, dynamic, llama3 and yarn are", path,
                  type);
}

/* Partial rotary embedding: only the first part of a head is rotated. */
static les_status read_pairs(les_config *c, const cJSON *text, const cJSON *o, const char *path) {
  double share;
  les_hparams *s = &c->hparams;
  LES_TRY(number(text, "partial_rotary_factor", path, 1, &share));
  if (o) LES_TRY(number(o, "partial_rotary_factor", path, share, &share));
  if (share == 1) return LES_OK;
  int head_dim = s->head_dim || !s->n_heads ? s->head_dim : s->n_embd / s->n_heads,
      dims = (int)(head_dim * share);
  if (share > 1 || dims < 2 || dims % 2)
    return les_fail(LES_FAILED,
                    "%s: 'partial_rotary_factor' is %g, which rotates %d of %d elements of a head", path,
                    share, dims, head_dim);
  s->n_rope_pairs = dims / 2;
  return LES_OK;
}

les_status les_config_read_rope(les_config *c, const cJSON *text, const char *path, double base) {
  const cJSON *o = cJSON_GetObjectItemCaseSensitive(text, "rope_scaling");
  if (!o || !o->child) o = cJSON_GetObjectItemCaseSensitive(text, "rope_parameters");
  if (o && !cJSON_IsObject(o)) return les_fail(LES_FAILED, "%s: the rope settings are no JSON object", path);
  const cJSON *full = cJSON_GetObjectItemCaseSensitive(o, "full_attention");
  const cJSON *sliding = cJSON_GetObjectItemCaseSensitive(o, "sliding_attention");
  bool by_layer = full || sliding;
  double local;
  LES_TRY(number(text, "rope_theta", path, base, &base));
  LES_TRY(read_spec(&c->rope[0], by_layer ? full : o, path, base, c->hparams.n_ctx));
  LES_TRY(read_pairs(c, text, by_layer ? full : o, path));
  if (strcmp(c->arch->name, "gemma3")) {
    if (by_layer)
      return les_fail(LES_FAILED, "%s: rope settings by layer type are not supported for %s", path,
                      c->arch->name);
    c->rope[1] = c->rope[0];
    return LES_OK;
  }
  LES_TRY(number(text, "rope_local_base_freq", path, 10000, &local)); /* sliding layers are never scaled */
  return read_spec(&c->rope[1], sliding, path, local, c->hparams.n_ctx);
}
