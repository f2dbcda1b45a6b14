#include "engine/importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 64, N_PARTS = 3 };

typedef struct observation {
  const les_passage *passages;
  int n_layers, n_embd;
  les_importance *sums;
  double weight, last_weight; /* of all tokens; of the last tokens */
  int n_passages;
  double *passage_sums;    /* (n_passages, N_PARTS, n_layers) */
  double *passage_weights; /* (n_passages) of the tokens that were seen */
  double *parts;           /* (MAX_ROWS, N_PARTS, n_layers) 1 - cos, by les_site */
  float *states;           /* (MAX_ROWS, n_layers + 1, n_embd) inputs of the layers, and the last output */
} observation;

static double cosine(const float *x, const float *y, int n) {
  return les_dot(x, y, n) / sqrt(les_dot(x, x, n) * les_dot(y, y, n));
}

static float *state_of(const observation *o, int row, int layer) {
  return o->states + ((size_t)row * (size_t)(o->n_layers + 1) + (size_t)layer) * (size_t)o->n_embd;
}

static void probe(void *ctx, int row, int layer, les_site site, const float *before, const float *after,
                  float attn_entropy) {
  (void)attn_entropy;
  const observation *o = ctx;
  o->parts[((size_t)row * N_PARTS + site) * (size_t)o->n_layers + (size_t)layer] =
      1 - cosine(before, after, o->n_embd);
  if (site != LES_SITE_BLOCK) return;
  size_t bytes = (size_t)o->n_embd * sizeof *before;
  memcpy(state_of(o, row, layer), before, bytes);
  if (layer == o->n_layers - 1) memcpy(state_of(o, row, layer + 1), after, bytes);
}

static void add_angles(observation *o, int row, double weight) {
  for (int l = 0; l < o->n_layers; l++)
    for (int n = 1; l + n <= o->n_layers; n++) {
      double c = cosine(state_of(o, row, l), state_of(o, row, l + n), o->n_embd);
      double angle = acos(c > 1 ? 1 : c < -1 ? -1 : c); /* rounding may exceed the range */
      o->sums->angular[(n - 1) * o->n_layers + l] += weight * angle / 3.141592653589793;
    }
  o->last_weight += weight;
}

static double *passage_sums_of(const observation *o, int passage) {
  return o->passage_sums + (size_t)passage * N_PARTS * (size_t)o->n_layers;
}

static void collect(void *ctx, const les_position *rows, int n) {
  observation *o = ctx;
  double *sums[N_PARTS] = {
      [LES_SITE_ATTN] = o->sums->attn, [LES_SITE_MLP] = o->sums->mlp, [LES_SITE_BLOCK] = o->sums->block};
  for (int r = 0; r < n; r++) {
    const les_passage *passage = &o->passages[rows[r].passage];
    double *own = passage_sums_of(o, rows[r].passage);
    for (int site = 0; site < N_PARTS; site++)
      for (int l = 0; l < o->n_layers; l++) {
        double value = passage->weight *
                       o->parts[((size_t)r * N_PARTS + (size_t)site) * (size_t)o->n_layers + (size_t)l];
        sums[site][l] += value;
        own[site * o->n_layers + l] += value;
      }
    o->weight += passage->weight;
    o->passage_weights[rows[r].passage] += passage->weight;
    if (rows[r].pos == passage->tokens.n - 1) add_angles(o, r, passage->weight);
  }
}

/* From sums over all tokens, before they are divided. */
static void find_errors(const observation *o, int part, const double *sums, double *errors) {
  int n = o->n_passages;
  for (int l = 0; l < o->n_layers; l++) {
    double squares = 0;
    for (int p = 0; p < n; p++) {
      double moved =
          (passage_sums_of(o, p)[part * o->n_layers + l] - sums[l] / o->weight * o->passage_weights[p]) /
          o->weight;
      squares += moved * moved;
    }
    errors[l] = n < 2 ? NAN : sqrt(squares * n / (n - 1));
  }
}

static void divide(observation *o) {
  les_importance *i = o->sums;
  int n = o->n_layers;
  find_errors(o, LES_SITE_ATTN, i->attn, i->attn_stderr);
  find_errors(o, LES_SITE_MLP, i->mlp, i->mlp_stderr);
  find_errors(o, LES_SITE_BLOCK, i->block, i->block_stderr);
  for (int l = 0; l < n; l++) {
    i->attn[l] /= o->weight;
    i->mlp[l] /= o->weight;
    i->block[l] /= o->weight;
    for (int k = 0; k < n; k++)
      i->angular[k * n + l] = l + k < n ? i->angular[k * n + l] / o->last_weight : NAN;
  }
}

static les_status allocate_sums(les_importance **out, int n_layers) {
  size_t n = (size_t)n_layers;
  les_importance *i = *out = calloc(1, sizeof *i);
  if (i) i->attn = calloc(n * (2 * N_PARTS + n), sizeof *i->attn);
  if (!i || !i->attn) return les_no_memory("the importance of %d layers", n_layers);
  i->n_layers = n_layers;
  i->mlp = i->attn + n;
  i->block = i->mlp + n;
  i->attn_stderr = i->block + n;
  i->mlp_stderr = i->attn_stderr + n;
  i->block_stderr = i->mlp_stderr + n;
  i->angular = i->block_stderr + n;
  return LES_OK;
}

les_status les_importance_compute(les_importance **out, const les_model *model, const les_passage *passages,
                                  int n, les_compute compute, int threads, const les_progress *progress) {
  observation o = {.passages = passages,
                   .n_passages = n,
                   .n_layers = model->hparams.n_layers,
                   .n_embd = model->hparams.n_embd};
  size_t layers = (size_t)o.n_layers;
  les_activations_options options = {.compute = compute,
                                     .threads = threads,
                                     .max_rows = MAX_ROWS,
                                     .sites = 1u << LES_SITE_ATTN | 1u << LES_SITE_MLP | 1u << LES_SITE_BLOCK,
                                     .probe = probe,
                                     .collect = collect,
                                     .ctx = &o,
                                     .progress = progress};
  les_status status = allocate_sums(out, o.n_layers);
  o.sums = *out;
  o.parts = calloc(MAX_ROWS * N_PARTS * layers, sizeof *o.parts);
  o.states = calloc(MAX_ROWS * (layers + 1) * (size_t)o.n_embd, sizeof *o.states);
  if (status == LES_OK && (!o.parts || !o.states)) status = les_no_memory("the states of %d rows", MAX_ROWS);
  o.passage_sums = calloc(((size_t)n + 1) * N_PARTS * layers, sizeof *o.passage_sums);
  o.passage_weights = calloc((size_t)n + 1, sizeof *o.passage_weights);
  if (status == LES_OK && (!o.passage_sums || !o.passage_weights))
    status = les_no_memory("the sums of %d texts", n);
  if (status == LES_OK) status = les_activations_read(&options, model, passages, n);
  if (status == LES_OK && !(o.weight > 0))
    status = les_fail(LES_FAILED, "no tokens to measure importance on");
  if (status == LES_OK) divide(&o);
  if (status != LES_OK) les_importance_free(out);
  free(o.passage_sums);
  free(o.passage_weights);
  free(o.parts);
  free(o.states);
  return status;
}

void les_importance_free(les_importance **importance) {
  if (!*importance) return;
  free((*importance)->attn);
  free(*importance);
  *importance = NULL;
}
