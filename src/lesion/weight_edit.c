#include "lesion/weight_edit.h"

#include "lesion/edit.h"
#include "lesion/svd.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { ALIGN = 64 };

/* What a lesion needs memory for. */
typedef struct demand {
  unsigned *dense; /* (n_layers) matrices that get a dense copy, bit 1 << les_linear_id each */
  size_t bytes;    /* of dense copies and of `ones`, each padded to ALIGN */
  size_t zeros;    /* bytes of the largest parameter that becomes 0; 0: none */
  bool ones;       /* a norm gets its neutral scale */
} demand;

struct les_weight_edit {
  const les_model *model;
  int threads;
  demand need;
  float *arena;
  float **copies; /* (n_layers, LES_N_LINEAR) in the arena; NULL: the matrix gets no dense copy */
  float *ones;    /* (widest norm), in the arena */
  float *zeros;   /* read-only */
};

static size_t padded(size_t bytes) {
  return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t max_size(size_t a, size_t b) {
  return a > b ? a : b;
}

static size_t dense_bytes(const les_matrix *w) {
  return (size_t)(w->rows * w->cols) * sizeof(float);
}

static size_t norm_bytes(const les_hparams *s) {
  return (size_t)(s->n_embd > s->head_dim ? s->n_embd : s->head_dim) * sizeof(float);
}

/* True if the edit makes its matrices 0 throughout; a head is only some columns of one. */
static bool clears(const les_edit *s) {
  return s->op == LES_OP_ZERO && s->part != LES_PART_HEAD;
}

static bool replaces(const les_edit *s) {
  return s->op != LES_OP_SKIP && s->op != LES_OP_SCALE && s->op != LES_OP_MEAN;
}

static int64_t full_rank(const les_matrix *w) {
  return w->rows < w->cols ? w->rows : w->cols;
}

/* The rank that svd leaves to a matrix. */
static int64_t rank_of(const les_edit *s, const les_matrix *w) {
  int64_t full = full_rank(w);
  int64_t rank = s->rank ? s->rank : llround(s->keep * (double)full);
  return rank < 1 ? 1 : rank < full ? rank : full;
}

/* True if the edit leaves the matrix as it is. */
static bool spares(const les_edit *s, const les_matrix *w) {
  return (s->op == LES_OP_SVD && rank_of(s, w) == full_rank(w)) || (s->op == LES_OP_NOISE && s->sigma == 0);
}

/* Follows the edits without doing them. *zeroed: the matrices of each layer that are 0 so far, which only
 * reinit makes anything else. */
static void add_stroke(demand *need, unsigned *zeroed, const les_model *model, const les_edit *s) {
  unsigned set = les_edit_linears(s, &model->hparams);
  if (s->op == LES_OP_REINIT) need->ones = true;
  for (int i = 0; i < s->n_layers; i++)
    for (int id = 0; id < LES_N_LINEAR; id++) {
      int l = s->layers[i];
      unsigned bit = 1u << id;
      const les_matrix *w = &model->layers[l].linear[id].w;
      if (!(set & bit) || spares(s, w)) continue;
      if (s->op == LES_OP_REINIT) zeroed[l] &= ~bit;
      if (clears(s)) {
        zeroed[l] |= bit;
        need->zeros = max_size(need->zeros, dense_bytes(w));
      }
      need->dense[l] |= bit & ~zeroed[l];
    }
}

static les_status demand_open(demand *need, const les_model *model, const les_lesion *lesion) {
  size_t n_layers = (size_t)model->hparams.n_layers;
  *need = (demand){.dense = calloc(n_layers, sizeof *need->dense)};
  unsigned *zeroed = calloc(n_layers, sizeof *zeroed);
  if (!need->dense || !zeroed) {
    free(zeroed);
    return les_fail(LES_FAILED, "out of memory");
  }
  for (int i = 0; i < lesion->n_edits; i++)
    if (replaces(&lesion->edits[i])) add_stroke(need, zeroed, model, &lesion->edits[i]);
  free(zeroed);
  for (size_t l = 0; l < n_layers; l++)
    for (int id = 0; id < LES_N_LINEAR; id++)
      if (need->dense[l] >> id & 1) need->bytes += padded(dense_bytes(&model->layers[l].linear[id].w));
  if (need->ones) need->bytes += padded(norm_bytes(&model->hparams));
  if (need->zeros) need->zeros = max_size(need->zeros, norm_bytes(&model->hparams));
  return LES_OK;
}

size_t les_weight_edit_bytes(const les_model *model, const les_lesion *lesion) {
  demand need;
  size_t bytes = demand_open(&need, model, lesion) == LES_OK ? need.bytes : 0;
  free(need.dense);
  return bytes;
}

/* Hands the arena out. */
static void carve(les_weight_edit *g) {
  char *at = (char *)g->arena;
  for (int l = 0; l < g->model->hparams.n_layers; l++)
    for (int id = 0; id < LES_N_LINEAR; id++)
      if (g->need.dense[l] >> id & 1) {
        g->copies[l * LES_N_LINEAR + id] = (float *)(void *)at;
        at += padded(dense_bytes(&g->model->layers[l].linear[id].w));
      }
  if (!g->need.ones) return;
  g->ones = (float *)(void *)at;
  for (size_t i = 0; i < norm_bytes(&g->model->hparams) / sizeof(float); i++) g->ones[i] = 1;
}

les_status les_weight_edit_open(les_weight_edit **out, const les_model *model, const les_lesion *lesion,
                                int threads) {
  les_status status = LES_OK;
  les_weight_edit *g = *out = calloc(1, sizeof *g);
  if (!g) return les_fail(LES_FAILED, "out of memory");
  g->model = model;
  g->threads = threads;
  LES_GOTO(status, demand_open(&g->need, model, lesion), failed);
  g->copies = calloc((size_t)model->hparams.n_layers * LES_N_LINEAR, sizeof *g->copies);
  if (g->need.bytes) g->arena = aligned_alloc(ALIGN, g->need.bytes);
  if (!g->copies || (g->need.bytes && !g->arena))
    LES_GOTO(status,
             les_fail(LES_FAILED, "no memory for %zu MB of replaced matrices; damage fewer layers at once",
                      g->need.bytes >> 20),
             failed);
  if (g->need.zeros) {
    void *map = mmap(NULL, g->need.zeros, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
      LES_GOTO(status, les_fail(LES_FAILED, "no address space for zero matrices"), failed);
    g->zeros = map;
  }
  carve(g);
  return LES_OK;
failed:
  les_weight_edit_close(out);
  return status;
}

void les_weight_edit_close(les_weight_edit **surgery) {
  les_weight_edit *g = *surgery;
  if (!g) return;
  if (g->zeros) munmap(g->zeros, g->need.zeros);
  free(g->arena);
  free(g->copies);
  free(g->need.dense);
  free(g);
  *surgery = NULL;
}

/* The norms that belong to a part, bit 1 << les_norm_id each. Those behind attention and MLP (Gemma) survive
 * `zero`: their input is 0 then, and so is their output. */
static unsigned norms_of(const les_edit *s) {
  unsigned attn = 1u << LES_NORM_ATTN | 1u << LES_NORM_Q | 1u << LES_NORM_K, mlp = 1u << LES_NORM_MLP;
  if (s->op == LES_OP_REINIT) {
    attn |= 1u << LES_NORM_ATTN_POST;
    mlp |= 1u << LES_NORM_MLP_POST;
  }
  if (s->op != LES_OP_ZERO && s->op != LES_OP_REINIT) return 0;
  return s->part == LES_PART_BLOCK  ? attn | mlp
         : s->part == LES_PART_ATTN ? attn
         : s->part == LES_PART_MLP  ? mlp
                                    : 0;
}

/* Points w to its dense copy, filled with what it has been until now. */
static les_dense writable(les_weight_edit *g, int l, les_linear_id id, les_matrix *w) {
  les_dense d = {g->copies[l * LES_N_LINEAR + id], w->rows, w->cols, l, id, g->threads};
  if (w->data != d.w) les_dense_copy(&d, w);
  w->type = LES_F32;
  w->data = d.w;
  return d;
}

static les_status truncate_rank(const les_dense *d, int64_t rank) {
  les_basis *basis;
  LES_TRY(les_basis_open(&basis, d));
  les_status status = les_basis_truncate(basis, d, rank);
  les_basis_close(&basis);
  return status;
}

/* Standard deviation of a fresh matrix. */
static double fresh_deviation(const les_hparams *s, les_linear_id id) {
  bool out = s->init_scaled_out && (id == LES_O || id == LES_DOWN);
  return out ? s->init_range / sqrt(2.0 * s->n_layers) : s->init_range;
}

static les_status change_matrix(les_weight_edit *g, const les_edit *s, int l, les_linear_id id,
                                les_matrix *w) {
  if (clears(s)) {
    w->type = LES_F32;
    w->data = g->zeros;
    return LES_OK;
  }
  if (g->zeros && w->data == g->zeros && s->op != LES_OP_REINIT) return LES_OK; /* 0 stays 0 */
  if (spares(s, w)) return LES_OK;
  les_dense d = writable(g, l, id, w);
  int head_dim = g->model->hparams.head_dim;
  int64_t first = s->part == LES_PART_HEAD ? (int64_t)s->head * head_dim : 0;
  int64_t n = s->part == LES_PART_HEAD ? head_dim : d.cols;
  switch (s->op) {
  case LES_OP_ZERO:
    les_dense_clear(&d, first, n);
    return LES_OK;
  case LES_OP_REINIT:
    les_dense_redraw(&d, first, n, s->seed, fresh_deviation(&g->model->hparams, id));
    return LES_OK;
  case LES_OP_NOISE:
    les_dense_add_noise(&d, s->seed, s->sigma);
    return LES_OK;
  case LES_OP_QUANT:
    les_dense_round(&d, s->dtype);
    return LES_OK;
  default:
    return truncate_rank(&d, rank_of(s, w));
  }
}

les_status les_weight_edit_apply(les_weight_edit *g, const les_edit *s, int l, les_layer *layer) {
  unsigned linears = les_edit_linears(s, &g->model->hparams), norms = norms_of(s);
  bool all = (s->op == LES_OP_ZERO || s->op == LES_OP_REINIT) && s->part != LES_PART_HEAD;
  for (int id = 0; id < LES_N_LINEAR; id++) {
    if (!(linears >> id & 1)) continue;
    LES_TRY(change_matrix(g, s, l, id, &layer->linear[id].w));
    if (all) layer->linear[id].bias = NULL;
  }
  for (int id = 0; id < LES_N_NORM; id++)
    if (layer->norm[id].scale && (norms >> id & 1))
      layer->norm[id] = (les_norm){s->op == LES_OP_ZERO ? g->zeros : g->ones, NULL};
  return LES_OK;
}
