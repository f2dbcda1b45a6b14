#include "engine/forward.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* The state of one forward pass. */
typedef struct pass {
  const les_model *m;
  const les_hparams *s;
  les_workspace *ws;
  const les_row *rows;
  int n_rows;
  const les_forward_options *o;
  int layer;
  int n_order; /* rows in ws->order: at the current layer */
  int n_list;  /* rows in ws->list: of the current part */
} pass;

/* Threads for work on n rows: one where waking the others takes longer than the work. */
static int threads_for(const pass *p, int n) {
  enum { WORTH_WAKING = 1 << 15 }; /* values: about ten microseconds */
  return (int64_t)n * p->s->n_embd < WORTH_WAKING ? 1 : p->ws->threads;
}

/* A loop over rows, handed out one by one: a row is some microseconds of work. */
#define PRAGMA(text) _Pragma(#text)
#define FOR_ROWS(p, i, n)                                                                                    \
  PRAGMA(omp parallel for schedule(dynamic) num_threads(threads_for(p, n)))                                  \
  for (int i = 0; i < (n); i++)

static const les_layer_plan *plan_of(const pass *p, int row) {
  const les_kv_cache *cache = p->rows[row].kv_cache;
  return cache ? les_kv_cache_plan(cache, p->layer) : NULL;
}

static const les_layer *layer_of(const pass *p, int row) {
  const les_layer_plan *plan = plan_of(p, row);
  return plan ? &plan->layer : &p->m->layers[p->layer];
}

static bool untouched(const les_affine *t) {
  return t->a == 1 && t->b == 0;
}

static float *row_of(float *array, int i, int width) {
  return array + (size_t)i * (size_t)width;
}

static bool probed(const pass *p, les_site site) {
  return p->o->probe && (p->o->sites >> site & 1);
}

static void embed(const pass *p) {
  const les_hparams *s = p->s;
  const les_matrix *tok = &p->m->tok_embd, *pos = &p->m->pos_embd;
  FOR_ROWS(p, r, p->n_rows) {
    const les_row *row = &p->rows[r];
    float *x = row_of(p->ws->x, r, s->n_embd);
    if (row->first_layer > 0) {
      memcpy(x, row->hidden, (size_t)s->n_embd * sizeof *x);
      continue;
    }
    size_t bytes = les_dtype_bytes(tok->type, s->n_embd);
    les_dequantize(tok->type, (const char *)tok->data + (size_t)row->token * bytes, s->n_embd, x);
    if (s->embd_scale != 1)
      for (int i = 0; i < s->n_embd; i++) x[i] *= s->embd_scale;
    if (pos->data) {
      float *at = row_of(p->ws->x_in, r, s->n_embd);
      bytes = les_dtype_bytes(pos->type, s->n_embd);
      les_dequantize(pos->type, (const char *)pos->data + (size_t)row->pos * bytes, s->n_embd, at);
      les_add_scaled(x, at, 1, s->n_embd);
    }
  }
}

static void compute_rope_angles(const pass *p) {
  int n = p->s->n_rope_pairs;
  if (n == 0) return;
  FOR_ROWS(p, r, p->n_rows) {
    for (int t = 0; t < 2; t++) {
      const les_rope_table *rope = &p->m->rope[t];
      if (!rope->freq) continue;
      float *c = row_of(p->ws->cos[t], r, n), *s = row_of(p->ws->sin[t], r, n);
      for (int i = 0; i < n; i++) {
        double angle = p->rows[r].pos * rope->freq[i];
        c[i] = (float)(cos(angle) * rope->magnitude);
        s[i] = (float)(sin(angle) * rope->magnitude);
      }
    }
  }
}

static int by_plan(const void *a, const void *b, void *ctx) {
  int i = *(const int *)a, j = *(const int *)b;
  uintptr_t p = (uintptr_t)plan_of(ctx, i), q = (uintptr_t)plan_of(ctx, j);
  return p != q ? (p > q) - (p < q) : i - j;
}

/* ws->order: the rows that go through this layer, the intact ones first, then lesion by lesion. */
static void order_rows(pass *p) {
  p->n_order = 0;
  for (int r = 0; r < p->n_rows; r++)
    if (p->rows[r].first_layer <= p->layer) p->ws->order[p->n_order++] = r;
  qsort_r(p->ws->order, (size_t)p->n_order, sizeof *p->ws->order, by_plan, p);
}

/* y (n_list, w.rows) = x (n_list, w.cols) W^T + bias: one product for each group of rows with the same
 * matrix; select_rows has put them next to each other. */
static void apply_linear(const pass *p, les_linear_id id, const float *x, float *y) {
  const int *list = p->ws->list;
  const les_matrix *own = &p->m->layers[p->layer].linear[id].w;
  for (int i = 0, end; i < p->n_list; i = end) {
    const les_linear *linear = &layer_of(p, list[i])->linear[id];
    for (end = i + 1; end < p->n_list && layer_of(p, list[end])->linear[id].w.data == linear->w.data;) end++;
    les_gemm(&linear->w, x + (size_t)i * (size_t)own->cols, end - i, y + (size_t)i * (size_t)own->rows,
             p->o->compute, p->ws->threads, p->ws->scratch);
  }
  FOR_ROWS(p, i, p->n_list) {
    const float *bias = layer_of(p, list[i])->linear[id].bias;
    if (bias) les_add_scaled(row_of(y, i, (int)own->rows), bias, 1, own->rows);
  }
}

static void apply_norm(const pass *p, const les_norm *norm, const float *x, float *y) {
  if (p->s->norm == LES_RMS_NORM)
    les_rms_norm(x, norm->scale, p->s->norm_eps, p->s->n_embd, y);
  else
    les_layer_norm(x, norm->scale, norm->bias, p->s->norm_eps, p->s->n_embd, y);
}

/* h (n_list, n_embd) = norm of the residual stream of the listed rows. */
static void norm_inputs(const pass *p, les_norm_id id) {
  FOR_ROWS(p, i, p->n_list) {
    int r = p->ws->list[i], n = p->s->n_embd;
    apply_norm(p, &layer_of(p, r)->norm[id], row_of(p->ws->x, r, n), row_of(p->ws->h, i, n));
  }
}

/* Adds what the lesion makes of a part's contribution c to the residual stream. c NULL: not computed. */
static void add_contribution(const pass *p, int row, const les_affine *t, const float *c) {
  float *x = row_of(p->ws->x, row, p->s->n_embd);
  if (c) les_add_scaled(x, c, t ? t->a : 1, p->s->n_embd);
  if (t && t->b != 0) les_add_scaled(x, t->mean, t->b, p->s->n_embd);
}

/* QK norm, where the architecture has it, and rope, in place. */
static void norm_and_rope_heads(const pass *p, int row, float *heads, int n_heads, les_norm_id id) {
  const les_hparams *s = p->s;
  const les_layer *layer = layer_of(p, row);
  const les_norm *norm = &layer->norm[id];
  for (int h = 0; norm->scale && h < n_heads; h++)
    les_rms_norm(heads + h * s->head_dim, norm->scale, s->norm_eps, s->head_dim, heads + h * s->head_dim);
  if (s->n_rope_pairs > 0)
    les_rope(heads, n_heads, s->head_dim, s->n_rope_pairs,
             row_of(p->ws->cos[layer->rope], row, s->n_rope_pairs),
             row_of(p->ws->sin[layer->rope], row, s->n_rope_pairs), s->rope_neox);
}

/* Writes the keys and values of the selected rows to their KV caches. */
static void cache_keys_and_values(const pass *p) {
  const les_workspace *ws = p->ws;
  int kv_dim = les_kv_dim(p->s);
  size_t bytes = (size_t)kv_dim * sizeof *ws->k;
  FOR_ROWS(p, i, p->n_list) {
    const les_row *row = &p->rows[ws->list[i]];
    float *k = row_of(ws->k, i, kv_dim);
    norm_and_rope_heads(p, ws->list[i], k, p->s->n_kv_heads, LES_NORM_K);
    memcpy(les_kv_cache_key(row->kv_cache, p->layer, row->pos), k, bytes);
    memcpy(les_kv_cache_value(row->kv_cache, p->layer, row->pos), row_of(ws->v, i, kv_dim), bytes);
  }
}

static void norm_and_rope_queries(const pass *p) {
  FOR_ROWS(p, i, p->n_list)
  norm_and_rope_heads(p, p->ws->list[i], row_of(p->ws->q, i, les_q_dim(p->s)), p->s->n_heads, LES_NORM_Q);
}

static bool ends_at_cache(const pass *p, int row) {
  return p->rows[row].cache_only && p->layer == p->s->n_layers - 1;
}

/* Drops rows that are done once their last keys and values are cached, and closes the gaps in h. */
static void drop_cache_only_rows(pass *p) {
  int n = 0;
  for (int i = 0; i < p->n_list; i++) {
    if (ends_at_cache(p, p->ws->list[i])) continue;
    p->ws->list[n] = p->ws->list[i];
    if (n < i)
      memcpy(row_of(p->ws->h, n, p->s->n_embd), row_of(p->ws->h, i, p->s->n_embd),
             (size_t)p->s->n_embd * sizeof *p->ws->h);
    n++;
  }
  p->n_list = n;
}

static void change_head(const les_affine *t, float *z, int n) {
  if (untouched(t)) return;
  for (int d = 0; d < n; d++) z[d] = t->a == 0 ? 0 : z[d] * t->a;
  if (t->b != 0) les_add_scaled(z, t->mean, t->b, n);
}

static void attend(const pass *p) {
  const les_hparams *s = p->s;
  const les_workspace *ws = p->ws;
  int group = s->n_heads / s->n_kv_heads;
#pragma omp parallel for collapse(2) schedule(dynamic) num_threads(threads_for(p, p->n_list))
  for (int i = 0; i < p->n_list; i++)
    for (int h = 0; h < s->n_heads; h++) {
      int r = ws->list[i], window = p->m->layers[p->layer].window, to = p->rows[r].pos + 1;
      size_t at = ((size_t)i * (size_t)s->n_heads + (size_t)h) * (size_t)s->head_dim;
      les_kv_span spans[2];
      int from = window > 0 && to > window ? to - window : 0;
      int n = les_kv_cache_spans(p->rows[r].kv_cache, p->layer, h / group, from, to, spans);
      ws->z_ent[i * s->n_heads + h] =
          les_attention(ws->q + at, s->head_dim, spans, n, s->attn_scale, s->attn_softcap, p->o->attn_entropy,
                        ws->scores + (size_t)omp_get_thread_num() * (size_t)s->n_ctx, ws->z + at);
      const les_layer_plan *plan = plan_of(p, r);
      if (plan && plan->heads) change_head(&plan->heads[h], ws->z + at, s->head_dim);
    }
}

static float mean_entropy(const pass *p, int i) {
  double sum = 0;
  for (int h = 0; h < p->s->n_heads; h++) sum += p->ws->z_ent[i * p->s->n_heads + h];
  return (float)(sum / p->s->n_heads);
}

/* ws->list: the rows of ws->order for which `part` has to be computed. Those whose lesion skips it get the
 * mean that replaces it, if any. */
static void select_rows(pass *p, const les_affine *(*part)(const les_layer_plan *)) {
  p->n_list = 0;
  for (int i = 0; i < p->n_order; i++) {
    int r = p->ws->order[i];
    const les_layer_plan *plan = plan_of(p, r);
    if (plan && plan->block.a == 0) continue;
    if (plan && part(plan)->a == 0)
      add_contribution(p, r, part(plan), NULL);
    else
      p->ws->list[p->n_list++] = r;
  }
}

static const les_affine *attn_part(const les_layer_plan *plan) {
  return &plan->attn;
}
static const les_affine *mlp_part(const les_layer_plan *plan) {
  return &plan->mlp;
}

/* Adds the part's output, ws->c of the selected rows, to the residual stream. */
static void add_part(const pass *p, les_norm_id post, const les_affine *(*part)(const les_layer_plan *)) {
  FOR_ROWS(p, i, p->n_list) {
    int r = p->ws->list[i];
    float *c = row_of(p->ws->c, i, p->s->n_embd);
    const les_norm *norm = &layer_of(p, r)->norm[post];
    if (norm->scale) apply_norm(p, norm, c, c);
    const les_layer_plan *plan = plan_of(p, r);
    add_contribution(p, r, plan ? part(plan) : NULL, c);
  }
}

static les_status run_attention(pass *p) {
  les_workspace *ws = p->ws;
  select_rows(p, attn_part);
  for (int i = 0; i < p->n_list; i++) LES_TRY(les_kv_cache_reserve(p->rows[ws->list[i]].kv_cache, p->layer));
  norm_inputs(p, LES_NORM_ATTN);
  apply_linear(p, LES_K, ws->h, ws->k);
  apply_linear(p, LES_V, ws->h, ws->v);
  cache_keys_and_values(p);
  drop_cache_only_rows(p);
  apply_linear(p, LES_Q, ws->h, ws->q);
  norm_and_rope_queries(p);
  attend(p);
  for (int i = 0; p->o->attn_entropy && i < p->n_list; i++) ws->entropy[ws->list[i]] = mean_entropy(p, i);
  if (probed(p, LES_SITE_HEADS)) FOR_ROWS(p, i, p->n_list)
  p->o->probe(p->o->ctx, ws->list[i], p->layer, LES_SITE_HEADS, NULL, row_of(ws->z, i, les_q_dim(p->s)),
              ws->entropy[ws->list[i]]);
  apply_linear(p, LES_O, ws->z, ws->c);
  add_part(p, LES_NORM_ATTN_POST, attn_part);
  return LES_OK;
}

static void run_mlp(pass *p) {
  les_workspace *ws = p->ws;
  const les_hparams *s = p->s;
  select_rows(p, mlp_part);
  norm_inputs(p, LES_NORM_MLP);
  drop_cache_only_rows(p);
  apply_linear(p, LES_UP, ws->h, ws->up);
  if (s->gated) apply_linear(p, LES_GATE, ws->h, ws->gate);
  FOR_ROWS(p, i, p->n_list) {
    float *up = row_of(ws->up, i, s->n_ff), *gate = row_of(ws->gate, i, s->n_ff);
    les_activate(s->act, s->gated ? gate : up, s->gated ? up : NULL, s->n_ff, gate);
  }
  apply_linear(p, LES_DOWN, ws->gate, ws->c);
  add_part(p, LES_NORM_MLP_POST, mlp_part);
}

static void probe_rows(const pass *p, les_site site, float *before, float *after) {
  if (!probed(p, site)) return;
  FOR_ROWS(p, i, p->n_order) {
    int r = p->ws->order[i], n = p->s->n_embd;
    p->o->probe(p->o->ctx, r, p->layer, site, row_of(before, r, n), row_of(after, r, n), p->ws->entropy[r]);
  }
}

static void keep_state(const pass *p, float *to) {
  FOR_ROWS(p, i, p->n_order) {
    int r = p->ws->order[i], n = p->s->n_embd;
    memcpy(row_of(to, r, n), row_of(p->ws->x, r, n), (size_t)n * sizeof *to);
  }
}

/* Lesions of the block as a whole: out = in + a (out - in) + b mean. */
static void change_blocks(const pass *p) {
  FOR_ROWS(p, i, p->n_order) {
    int r = p->ws->order[i], n = p->s->n_embd;
    const les_layer_plan *plan = plan_of(p, r);
    if (!plan || untouched(&plan->block)) continue;
    float *x = row_of(p->ws->x, r, n);
    const float *in = row_of(p->ws->x_in, r, n);
    for (int d = 0; plan->block.a != 0 && plan->block.a != 1 && d < n; d++)
      x[d] = in[d] + plan->block.a * (x[d] - in[d]);
    if (plan->block.b != 0) les_add_scaled(x, plan->block.mean, plan->block.b, n);
  }
}

static les_status run_layer(pass *p, int layer) {
  les_workspace *ws = p->ws;
  p->layer = layer;
  order_rows(p);
  if (p->n_order == 0) return LES_OK;
  for (int i = 0; i < p->n_order; i++) ws->entropy[ws->order[i]] = p->o->attn_entropy ? NAN : 0;
  keep_state(p, ws->x_in);
  LES_TRY(run_attention(p));
  probe_rows(p, LES_SITE_ATTN, ws->x_in, ws->x);
  if (probed(p, LES_SITE_MLP)) keep_state(p, ws->x_mid);
  run_mlp(p);
  probe_rows(p, LES_SITE_MLP, ws->x_mid, ws->x);
  change_blocks(p);
  probe_rows(p, LES_SITE_BLOCK, ws->x_in, ws->x);
  return LES_OK;
}

/* Logits of the rows that want them, a workspace's worth at a time. */
static void run_logits(const pass *p) {
  const les_hparams *s = p->s;
  les_workspace *ws = p->ws;
  for (int r = 0; r < p->n_rows;) {
    int n = 0;
    for (; r < p->n_rows && n < ws->logits_rows; r++)
      if (p->rows[r].logits) ws->list[n++] = r;
    if (n == 0) break;
    FOR_ROWS(p, i, n)
    apply_norm(p, &p->m->output_norm, row_of(ws->x, ws->list[i], s->n_embd), row_of(ws->h, i, s->n_embd));
    les_gemm(&p->m->output, ws->h, n, ws->logits, p->o->compute, ws->threads, ws->scratch);
    FOR_ROWS(p, i, n) {
      float *logits = row_of(ws->logits, i, s->n_vocab);
      for (int t = 0; s->logit_softcap > 0 && t < s->n_vocab; t++)
        logits[t] = s->logit_softcap * tanhf(logits[t] / s->logit_softcap);
      p->o->on_logits(p->o->ctx, ws->list[i], logits);
    }
  }
}

les_status les_forward(const les_model *model, les_workspace *ws, const les_row *rows, int n_rows,
                       const les_forward_options *options) {
  pass p = {.m = model, .s = &model->hparams, .ws = ws, .rows = rows, .n_rows = n_rows, .o = options};
  int first = model->hparams.n_layers;
  for (int r = 0; r < n_rows; r++) first = rows[r].first_layer < first ? rows[r].first_layer : first;
  embed(&p);
  compute_rope_angles(&p);
  for (int layer = first; layer < model->hparams.n_layers; layer++) LES_TRY(run_layer(&p, layer));
  run_logits(&p);
  return LES_OK;
}
