#include "lesion/weight_edit.h"

#include "lesion/edit.h"
#include "lesion/svd.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { ALIGN = 64 };

/* The memory that a lesion needs. */
typedef struct demand {
  size_t bytes; /* of copies and of `ones`, each padded to ALIGN */
  size_t zeros; /* bytes of the largest parameter that becomes 0; 0: none */
  bool ones;    /* a norm gets its neutral scale */
} demand;

struct les_weight_edit {
  const les_model *model;
  int threads;
  demand need;
  float *arena;
  float **copies; /* (n_layers, LES_N_LINEAR) in the arena; NULL: the matrix gets no copy */
  float *ones;    /* (widest norm), in the arena */
  float *zeros;   /* read-only */
};

static size_t padded(size_t bytes) {
  return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t max_size(size_t a, size_t b) {
  return a > b ? a : b;
}

static size_t copy_bytes(const les_matrix *w) {
  return (size_t)(w->rows * w->cols) * sizeof(float);
}

/* Bytes of the widest norm. */
static size_t norm_bytes(const les_hparams *h) {
  return max_size((size_t)les_norm_size(h, LES_NORM_ATTN), (size_t)les_norm_size(h, LES_NORM_Q)) *
         sizeof(float);
}

/* True if the edit makes its matrices 0 throughout; a head is only some columns of one. */
static bool zeroes(const les_edit *e) {
  return e->op == LES_OP_ZERO && e->part != LES_PART_HEAD;
}

static int64_t full_rank(const les_matrix *w) {
  return w->rows < w->cols ? w->rows : w->cols;
}

/* The rank to which svd truncates a matrix. */
static int64_t rank_of(const les_edit *e, const les_matrix *w) {
  int64_t full = full_rank(w);
  int64_t rank = e->rank ? e->rank : llround(e->keep * (double)full);
  return rank < 1 ? 1 : rank < full ? rank : full;
}

/* True if the edit leaves the matrix as it is. */
static bool is_identity(const les_edit *e, const les_matrix *w) {
  return (e->op == LES_OP_SVD && rank_of(e, w) == full_rank(w)) || (e->op == LES_OP_NOISE && e->sigma == 0);
}

/* The matrices of layer l that get a copy, bit 1 << les_linear_id each. One that is 0 needs none until reinit
 * makes it anything else. *zeros grows to the largest matrix that becomes 0. */
static unsigned layer_copies(const les_model *model, const les_lesion *lesion, int l, size_t *zeros) {
  unsigned copies = 0, zero = 0;
  for (int i = 0; i < lesion->n_edits; i++) {
    const les_edit *e = &lesion->edits[i];
    if (les_operation_of(e->op)->changes_contribution || !les_edit_touches(e, l)) continue;
    unsigned linears = les_edit_linears(e, &model->hparams);
    for (int id = 0; id < LES_N_LINEAR; id++) {
      const les_matrix *w = &model->layers[l].linear[id].w;
      unsigned bit = 1u << id;
      if (!(linears & bit) || is_identity(e, w)) continue;
      if (e->op == LES_OP_REINIT) zero &= ~bit;
      if (zeroes(e)) {
        zero |= bit;
        *zeros = max_size(*zeros, copy_bytes(w));
      }
      copies |= bit & ~zero;
    }
  }
  return copies;
}

static demand demand_of(const les_model *model, const les_lesion *lesion) {
  demand need = {0};
  for (int l = 0; l < model->hparams.n_layers; l++) {
    unsigned copies = layer_copies(model, lesion, l, &need.zeros);
    for (int id = 0; id < LES_N_LINEAR; id++)
      if (copies >> id & 1) need.bytes += padded(copy_bytes(&model->layers[l].linear[id].w));
  }
  for (int i = 0; i < lesion->n_edits; i++) need.ones |= lesion->edits[i].op == LES_OP_REINIT;
  if (need.ones) need.bytes += padded(norm_bytes(&model->hparams));
  if (need.zeros) need.zeros = max_size(need.zeros, norm_bytes(&model->hparams));
  return need;
}

size_t les_weight_edit_bytes(const les_model *model, const les_lesion *lesion) {
  return demand_of(model, lesion).bytes;
}

/* Hands the arena out. */
static void carve(les_weight_edit *w, const les_lesion *lesion) {
  char *at = (char *)w->arena;
  size_t zeros = 0;
  for (int l = 0; l < w->model->hparams.n_layers; l++) {
    unsigned copies = layer_copies(w->model, lesion, l, &zeros);
    for (int id = 0; id < LES_N_LINEAR; id++)
      if (copies >> id & 1) {
        w->copies[l * LES_N_LINEAR + id] = (float *)(void *)at;
        at += padded(copy_bytes(&w->model->layers[l].linear[id].w));
      }
  }
  if (!w->need.ones) return;
  w->ones = (float *)(void *)at;
  for (size_t i = 0; i < norm_bytes(&w->model->hparams) / sizeof(float); i++) w->ones[i] = 1;
}

les_status les_weight_edit_open(les_weight_edit **out, const les_model *model, const les_lesion *lesion,
                                int threads) {
  les_status status = LES_OK;
  les_weight_edit *w = *out = calloc(1, sizeof *w);
  if (!w) return les_no_memory("a weight edit");
  w->model = model;
  w->threads = threads;
  w->need = demand_of(model, lesion);
  w->copies = calloc((size_t)model->hparams.n_layers * LES_N_LINEAR, sizeof *w->copies);
  if (w->need.bytes) w->arena = aligned_alloc(ALIGN, w->need.bytes);
  if (!w->copies || (w->need.bytes && !w->arena))
    LES_GOTO(status,
             les_no_memory("%zu MB of replaced matrices; damage fewer layers at once", w->need.bytes >> 20),
             failed);
  if (w->need.zeros) {
    void *map = mmap(NULL, w->need.zeros, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
      LES_GOTO(status, les_fail(LES_FAILED, "no address space for zero matrices"), failed);
    w->zeros = map;
  }
  carve(w, lesion);
  return LES_OK;
failed:
  les_weight_edit_close(out);
  return status;
}

void les_weight_edit_close(les_weight_edit **weight_edit) {
  les_weight_edit *w = *weight_edit;
  if (!w) return;
  if (w->zeros) munmap(w->zeros, w->need.zeros);
  free(w->arena);
  free(w->copies);
  free(w);
  *weight_edit = NULL;
}

/* The norms that belong to the edit's part, bit 1 << les_norm_id each. `zero` needs no change of the norms
 * behind attention and MLP (Gemma): their input is 0 then, and so is their output. */
static unsigned norms_of(const les_edit *e) {
  unsigned attn = 1u << LES_NORM_ATTN | 1u << LES_NORM_Q | 1u << LES_NORM_K, mlp = 1u << LES_NORM_MLP;
  if (e->op == LES_OP_REINIT) {
    attn |= 1u << LES_NORM_ATTN_POST;
    mlp |= 1u << LES_NORM_MLP_POST;
  }
  if (e->op != LES_OP_ZERO && e->op != LES_OP_REINIT) return 0;
  return e->part == LES_PART_BLOCK  ? attn | mlp
         : e->part == LES_PART_ATTN ? attn
         : e->part == LES_PART_MLP  ? mlp
                                    : 0;
}

/* Points the matrix to its copy, which starts with the values that it has had so far. */
static les_matrix_edit make_writable(les_weight_edit *w, int l, les_linear_id id, les_matrix *matrix) {
  les_matrix_edit m = {w->copies[l * LES_N_LINEAR + id], matrix->rows, matrix->cols, l, id, w->threads};
  if (matrix->data != m.w) les_matrix_edit_copy(&m, matrix);
  matrix->type = LES_F32;
  matrix->data = m.w;
  return m;
}

static les_status truncate_rank(const les_matrix_edit *m, int64_t rank) {
  les_svd *svd;
  LES_TRY(les_svd_compute(&svd, m));
  les_status status = les_svd_truncate(svd, m, rank);
  les_svd_free(&svd);
  return status;
}

/* Standard deviation of a matrix at initialisation. */
static double init_deviation(const les_hparams *h, les_linear_id id) {
  bool out = h->init_scaled_out && (id == LES_O || id == LES_DOWN);
  return out ? h->init_range / sqrt(2.0 * h->n_layers) : h->init_range;
}

static les_status edit_matrix(les_weight_edit *w, const les_edit *e, int l, les_linear_id id,
                              les_matrix *matrix) {
  if (zeroes(e)) {
    matrix->type = LES_F32;
    matrix->data = w->zeros;
    return LES_OK;
  }
  if (w->zeros && matrix->data == w->zeros && e->op != LES_OP_REINIT) return LES_OK; /* 0 stays 0 */
  if (is_identity(e, matrix)) return LES_OK;
  les_matrix_edit m = make_writable(w, l, id, matrix);
  int head_dim = w->model->hparams.head_dim;
  int64_t first = e->part == LES_PART_HEAD ? (int64_t)e->head * head_dim : 0;
  int64_t n = e->part == LES_PART_HEAD ? head_dim : m.cols;
  switch (e->op) {
  case LES_OP_ZERO:
    les_matrix_edit_zero(&m, first, n);
    return LES_OK;
  case LES_OP_REINIT:
    les_matrix_edit_reinit(&m, first, n, e->seed, init_deviation(&w->model->hparams, id));
    return LES_OK;
  case LES_OP_NOISE:
    les_matrix_edit_add_noise(&m, e->seed, e->sigma);
    return LES_OK;
  case LES_OP_QUANT:
    les_matrix_edit_quantize(&m, e->dtype);
    return LES_OK;
  default:
    return truncate_rank(&m, rank_of(e, matrix));
  }
}

les_status les_weight_edit_apply(les_weight_edit *w, const les_edit *edit, int l, les_layer *layer) {
  unsigned linears = les_edit_linears(edit, &w->model->hparams), norms = norms_of(edit);
  bool all = (edit->op == LES_OP_ZERO || edit->op == LES_OP_REINIT) && edit->part != LES_PART_HEAD;
  for (int id = 0; id < LES_N_LINEAR; id++) {
    if (!(linears >> id & 1)) continue;
    LES_TRY(edit_matrix(w, edit, l, id, &layer->linear[id].w));
    if (all) layer->linear[id].bias = NULL;
  }
  for (int id = 0; id < LES_N_NORM; id++)
    if (layer->norm[id].scale && (norms >> id & 1))
      layer->norm[id] = (les_norm){edit->op == LES_OP_ZERO ? w->zeros : w->ones, NULL};
  return LES_OK;
}
