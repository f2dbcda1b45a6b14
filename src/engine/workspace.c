#include "engine/workspace.h"

#include <stdlib.h>

static int max_int(int a, int b) {
  return a > b ? a : b;
}

/* An arena of aligned pieces; with base NULL it only counts. */
typedef struct carver {
  char *base;
  size_t used;
} carver;

static void *carve(carver *a, size_t bytes) {
  void *p = a->base ? a->base + a->used : NULL;
  a->used += (bytes + 63) / 64 * 64;
  return p;
}

static void lay_out(les_workspace *ws, carver *a) {
  const les_hparams *s = &ws->model->hparams;
  size_t rows = (size_t)ws->max_rows, f = sizeof(float);
  size_t embd = rows * (size_t)s->n_embd * f, heads = rows * (size_t)les_q_dim(s) * f;
  size_t kv = rows * (size_t)les_kv_dim(s) * f, ff = rows * (size_t)s->n_ff * f;
  ws->x = carve(a, embd);
  ws->x_in = carve(a, embd);
  ws->x_mid = carve(a, embd);
  for (int t = 0; t < 2; t++) {
    ws->cos[t] = carve(a, rows * (size_t)s->n_rope_pairs * f);
    ws->sin[t] = carve(a, rows * (size_t)s->n_rope_pairs * f);
  }
  ws->entropy = carve(a, rows * f);
  ws->h = carve(a, embd);
  ws->q = carve(a, heads);
  ws->k = carve(a, kv);
  ws->v = carve(a, kv);
  ws->z = carve(a, heads);
  ws->z_ent = carve(a, rows * (size_t)s->n_heads * f);
  ws->gate = carve(a, ff);
  ws->up = carve(a, ff);
  ws->c = carve(a, embd);
  ws->logits = carve(a, (size_t)ws->logits_rows * (size_t)s->n_vocab * f);
  ws->scores = carve(a, (size_t)ws->threads * (size_t)s->n_ctx * f);
  ws->list = carve(a, rows * sizeof(int));
  ws->order = carve(a, rows * sizeof(int));
  int widest = max_int(max_int(s->n_embd, s->n_ff), les_q_dim(s));
  ws->scratch = carve(a, les_gemm_scratch(ws->max_rows, widest, ws->threads));
}

static les_workspace describe(const les_model *model, int max_rows, int threads) {
  enum { LOGITS_BYTES = 64 << 20 }; /* larger products are not faster, and a row is a whole vocabulary */
  int rows = (int)(LOGITS_BYTES / sizeof(float)) / model->hparams.n_vocab;
  rows = max_int(rows, 16);
  return (les_workspace){.model = model,
                         .max_rows = max_rows,
                         .threads = threads,
                         .logits_rows = rows < max_rows ? rows : max_rows};
}

size_t les_workspace_bytes(const les_model *model, int max_rows, int threads) {
  les_workspace ws = describe(model, max_rows, threads);
  carver a = {0};
  lay_out(&ws, &a);
  return a.used;
}

les_status les_workspace_open(les_workspace **out, const les_model *model, int max_rows, int threads) {
  *out = NULL;
  size_t bytes = les_workspace_bytes(model, max_rows, threads);
  les_workspace *ws = malloc(sizeof *ws);
  char *memory = aligned_alloc(64, bytes);
  if (!ws || !memory) {
    free(ws), free(memory);
    return les_no_memory("a batch of %d rows, which needs %zu MiB", max_rows, bytes >> 20);
  }
  *ws = describe(model, max_rows, threads);
  ws->memory = memory;
  carver a = {memory, 0};
  lay_out(ws, &a);
  *out = ws;
  return LES_OK;
}

void les_workspace_close(les_workspace **ws) {
  if (!*ws) return;
  free((*ws)->memory);
  free(*ws);
  *ws = NULL;
}
