#include "engine/calibrate.h"

#include <stdlib.h>

/* A small batch: every row keeps all of its contributions until the batch is summed. */
enum { MAX_ROWS = 32, N_SITES = 4 };

typedef struct calibration {
  const les_model *model;
  const les_passage *passages;
  int threads;
  size_t widths[N_SITES];      /* channels of a site in one layer */
  size_t offsets[N_SITES + 1]; /* of the sites in a row of all layers; the last one is the row's length */
  float *rows;                 /* (MAX_ROWS, row) contributions of the current batch */
  double *sums;                /* (row) */
  double weight;
} calibration;

static void probe(void *ctx, int row, int layer, les_site site, const float *before, const float *after,
                  float attn_entropy) {
  (void)attn_entropy;
  const calibration *c = ctx;
  size_t n = c->widths[site];
  float *to = c->rows + (size_t)row * c->offsets[N_SITES] + c->offsets[site] + (size_t)layer * n;
  for (size_t i = 0; i < n; i++) to[i] = before ? after[i] - before[i] : after[i];
}

static void collect(void *ctx, const les_position *rows, int n) {
  calibration *c = ctx;
  size_t width = c->offsets[N_SITES];
#pragma omp parallel for num_threads(c->threads)
  for (size_t i = 0; i < width; i++)
    for (int r = 0; r < n; r++)
      c->sums[i] += c->passages[rows[r].passage].weight * (double)c->rows[(size_t)r * width + i];
  for (int r = 0; r < n; r++) c->weight += c->passages[rows[r].passage].weight;
}

static les_status allocate(calibration *c) {
  const les_hparams *s = &c->model->hparams;
  for (int site = 0; site < N_SITES; site++) {
    c->widths[site] = (size_t)(site == LES_SITE_HEADS ? les_q_dim(s) : s->n_embd);
    c->offsets[site + 1] = c->offsets[site] + c->widths[site] * (size_t)s->n_layers;
  }
  c->rows = calloc(MAX_ROWS * c->offsets[N_SITES], sizeof *c->rows);
  c->sums = calloc(c->offsets[N_SITES], sizeof *c->sums);
  return c->rows && c->sums ? LES_OK : les_no_memory("the calibration");
}

static les_status make_means(les_means **out, const calibration *c) {
  const les_hparams *s = &c->model->hparams;
  les_means *m = *out = calloc(1, sizeof *m);
  float *all = malloc(c->offsets[N_SITES] * sizeof *all);
  if (!m || !all) {
    free(all);
    return les_no_memory("the calibration");
  }
  for (size_t i = 0; i < c->offsets[N_SITES]; i++) all[i] = (float)(c->sums[i] / c->weight);
  *m = (les_means){.n_layers = s->n_layers,
                   .n_embd = s->n_embd,
                   .n_heads = s->n_heads,
                   .head_dim = s->head_dim,
                   .attn = all + c->offsets[LES_SITE_ATTN],
                   .mlp = all + c->offsets[LES_SITE_MLP],
                   .block = all + c->offsets[LES_SITE_BLOCK],
                   .heads = all + c->offsets[LES_SITE_HEADS],
                   .memory = all};
  return LES_OK;
}

les_status les_means_compute(les_means **out, const les_model *model, const les_passage *passages, int n,
                             les_compute compute, int threads) {
  *out = NULL;
  calibration c = {.model = model, .passages = passages, .threads = threads};
  les_status status = allocate(&c);
  les_activations_options options = {.compute = compute,
                                     .threads = threads,
                                     .max_rows = MAX_ROWS,
                                     .sites = (1u << N_SITES) - 1,
                                     .probe = probe,
                                     .collect = collect,
                                     .ctx = &c};
  if (status == LES_OK) status = les_activations_read(&options, model, passages, n);
  if (status == LES_OK && !(c.weight > 0))
    status = les_fail(LES_FAILED, "the calibration text has no tokens; give a longer one");
  if (status == LES_OK) status = make_means(out, &c);
  if (status != LES_OK) les_means_free(out);
  free(c.rows);
  free(c.sums);
  return status;
}

void les_means_free(les_means **means) {
  if (!*means) return;
  free((*means)->memory);
  free(*means);
  *means = NULL;
}
