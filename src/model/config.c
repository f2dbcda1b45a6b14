#include "model/config.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static les_status check_range(const char *what, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return LES_OK;
  return les_fail(LES_FAILED, "%s is %" PRId64 "; it must be from %" PRId64 " to %" PRId64, what, value, low,
                  high);
}

static les_status check_rope(const les_rope_spec *r) {
  if (!(r->base > 1) || !isfinite(r->base))
    return les_fail(LES_FAILED, "the rope base is %g; it must be above 1", r->base);
  if (r->scaling == LES_ROPE_PLAIN) return LES_OK;
  if (!(r->factor > 0) || !isfinite(r->factor))
    return les_fail(LES_FAILED, "the rope scaling factor is %g; it must be above 0", r->factor);
  if (r->scaling == LES_ROPE_LINEAR) return LES_OK;
  if (!(r->original_ctx > 0)) return les_fail(LES_FAILED, "rope scaling lacks the original context length");
  if (r->scaling == LES_ROPE_LLAMA3 && !(r->high_freq_factor > r->low_freq_factor))
    return les_fail(LES_FAILED, "rope scaling has high_freq_factor %g, not above low_freq_factor %g",
                    r->high_freq_factor, r->low_freq_factor);
  if (r->scaling == LES_ROPE_YARN && !(r->beta_fast > 0 && r->beta_slow > 0))
    return les_fail(LES_FAILED, "rope scaling has beta_fast %g and beta_slow %g; both must be above 0",
                    r->beta_fast, r->beta_slow);
  return LES_OK;
}

les_status les_config_finish(les_config *c, int max_layers) {
  les_hparams *s = &c->hparams;
  LES_TRY(check_range("the number of layers", s->n_layers, 1, max_layers));
  LES_TRY(check_range("the embedding length", s->n_embd, 1, INT32_MAX));
  LES_TRY(check_range("the number of heads", s->n_heads, 1, s->n_embd));
  if (s->n_kv_heads == 0) s->n_kv_heads = s->n_heads;
  LES_TRY(check_range("the number of key and value heads", s->n_kv_heads, 1, s->n_heads));
  if (s->n_heads % s->n_kv_heads)
    return les_fail(LES_FAILED, "%d heads cannot share %d key and value heads evenly", s->n_heads,
                    s->n_kv_heads);
  if (s->head_dim == 0 && s->n_embd % s->n_heads)
    return les_fail(LES_FAILED, "an embedding length of %d does not divide into %d heads", s->n_embd,
                    s->n_heads);
  if (s->head_dim == 0) s->head_dim = s->n_embd / s->n_heads;
  LES_TRY(check_range("the head length", s->head_dim, 1, INT32_MAX / s->n_heads));
  LES_TRY(check_range("the MLP length", s->n_ff, 1, INT32_MAX / 2));
  LES_TRY(check_range("the context length", s->n_ctx, 1, INT32_MAX));
  LES_TRY(check_range("the vocabulary size", s->n_vocab, 0, INT32_MAX));
  LES_TRY(check_range("the sliding window", c->window, 0, INT32_MAX));
  if (!(s->norm_eps >= 0) || !isfinite(s->norm_eps))
    return les_fail(LES_FAILED, "the norm epsilon is %g", (double)s->norm_eps);
  if (!isfinite(s->attn_scale) || !isfinite(s->attn_softcap) || !isfinite(s->logit_softcap))
    return les_fail(LES_FAILED, "the attention scale or a soft cap is not a finite number");
  if (s->attn_scale == 0) s->attn_scale = (float)(1 / sqrt(s->head_dim));

  s->norm = c->arch->norm;
  s->gated = c->arch->gated;
  s->init_scaled_out = c->arch->init_scaled_out;
  s->embd_scale = c->arch->scaled_embd ? (float)sqrt(s->n_embd) : 1;
  c->biases |= c->arch->biases;
  if (c->arch->learned_positions) {
    s->n_rope_pairs = 0;
  } else {
    if (s->n_rope_pairs == 0) s->n_rope_pairs = s->head_dim / 2;
    LES_TRY(check_range("the number of rotated pairs of a head", s->n_rope_pairs, 1, s->head_dim / 2));
    for (int i = 0; i < 2; i++) LES_TRY(check_rope(&c->rope[i]));
  }
  c->sliding = calloc((size_t)s->n_layers, sizeof *c->sliding);
  return c->sliding ? LES_OK : les_no_memory("the settings of %d layers", s->n_layers);
}

void les_config_set_windows(les_config *c, int period) {
  if (period == 0) period = c->arch->window_period;
  int full = c->arch->window_first_full ? 0 : period - 1;
  for (int i = 0; i < c->hparams.n_layers; i++)
    c->sliding[i] = c->window > 0 && (period == 0 || i % period != full);
}

les_status les_config_add_eos(les_config *c, int64_t token) {
  if (token < 0 || token > INT32_MAX)
    return les_fail(LES_FAILED, "the end token %" PRId64 " is not a token", token);
  for (int i = 0; i < c->n_eos; i++)
    if (c->eos[i] == token) return LES_OK;
  int32_t *eos = realloc(c->eos, (size_t)(c->n_eos + 1) * sizeof *eos);
  if (!eos) return les_no_memory("end tokens");
  c->eos = eos;
  c->eos[c->n_eos++] = (int32_t)token;
  return LES_OK;
}

void les_config_free(les_config *c) {
  free(c->name);
  free(c->sliding);
  free(c->eos);
  *c = (les_config){0};
}
