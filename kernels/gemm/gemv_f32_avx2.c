/* F32 products with few rows of activations: the sums of one panel of outputs stay in registers or in the L1
 * cache, and the weights are read in the order in which they lie. */
#include "gemm/gemv.h"
#include "gemm/panel_avx2.h"
#include "gemm/transpose_avx2.h"

#include <math.h>
#include <string.h>

typedef struct product {
  const les_matrix *w;
  les_weight_kind kind;
  const float *x;
  int64_t m;
  size_t row_bytes;
  float *y;
} product;

/* sums (PANEL_COLS_F32) += x (n) times the panel, k ascending. */
static void multiply_row(const float *x, const panel_f32 *panel, int64_t n, float *sums) {
  __m256 a = _mm256_loadu_ps(sums), b = _mm256_loadu_ps(sums + 8), c = _mm256_loadu_ps(sums + 16);
  for (int64_t k = 0; k < n; k++) {
    __m256 element = _mm256_broadcast_ss(x + k);
    a = _mm256_fmadd_ps(_mm256_load_ps(panel->w[k]), element, a);
    b = _mm256_fmadd_ps(_mm256_load_ps(panel->w[k] + 8), element, b);
    c = _mm256_fmadd_ps(_mm256_load_ps(panel->w[k] + 16), element, c);
  }
  _mm256_storeu_ps(sums, a);
  _mm256_storeu_ps(sums + 8, b);
  _mm256_storeu_ps(sums + 16, c);
}

/* The same for weights that are not quantized, straight from the matrix. ahead: what to prefetch, or NULL. */
static inline void multiply_floats_of(les_dtype type, const float *x, const les_panel_source *source,
                                      les_read_ahead *ahead, float *sums) {
  enum { VECTORS = PANEL_COLS_F32 / 8 };
  const size_t element = type == LES_F32 ? 4 : 2;
  __m256 acc[VECTORS];
  LES_UNROLL for (int v = 0; v < VECTORS; v++) acc[v] = _mm256_loadu_ps(sums + 8 * v);
  int64_t k = 0;
  for (; k + 8 <= source->n; k += 8) {
    if (ahead) les_prefetch_next(ahead, PANEL_COLS_F32 * 8 * element); /* as much as is used */
    LES_UNROLL for (int v = 0; v < VECTORS; v++) {
      __m256i w[8];
      les_load_floats_avx2(type, source->cols + 8 * v, k, w);
      transpose8(w);
      LES_UNROLL for (int i = 0; i < 8; i++) acc[v] =
          _mm256_fmadd_ps(_mm256_castsi256_ps(w[i]), _mm256_broadcast_ss(x + k + i), acc[v]);
    }
  }
  LES_UNROLL for (int v = 0; v < VECTORS; v++) _mm256_storeu_ps(sums + 8 * v, acc[v]);
  for (; k < source->n; k++)
    for (int i = 0; i < PANEL_COLS_F32; i++) {
      float w;
      les_dequantize(type, source->cols[i] + (size_t)k * element, 1, &w);
      sums[i] = fmaf(w, x[k], sums[i]);
    }
}

static void multiply_floats(const float *x, const les_panel_source *source, les_read_ahead *ahead,
                            float *sums) {
  switch (source->kind->type) {
  case LES_F32:
    multiply_floats_of(LES_F32, x, source, ahead, sums);
    break;
  case LES_F16:
    multiply_floats_of(LES_F16, x, source, ahead, sums);
    break;
  default:
    multiply_floats_of(LES_BF16, x, source, ahead, sums);
  }
}

/* A copy of a part of a chunk's columns: where a row's size is a power of two, all columns map to the same
 * few cache sets and would evict each other. */
enum { STAGE = 128 };
typedef struct stage {
  _Alignas(64) uint8_t data[PANEL_COLS_F32][STAGE * sizeof(float) + 64];
} stage;

static les_panel_source copy_part(const les_panel_source *source, int64_t k, stage *s) {
  int64_t n = source->n - k < STAGE ? source->n - k : STAGE;
  size_t element = source->bytes / (size_t)source->n;
  les_panel_source part = {source->kind, n, (size_t)n * element, {0}};
  for (int i = 0; i < PANEL_COLS_F32; i++) {
    memcpy(s->data[i], source->cols[i] + (size_t)k * element, part.bytes);
    part.cols[i] = s->data[i];
  }
  return part;
}

static void multiply_rows(const void *arg, int64_t first, const les_read_ahead *ahead) {
  const product *p = arg;
  les_read_ahead next = *ahead;
  _Alignas(64) panel_f32 panel;
  float sums[LES_GEMV_ROWS_F32][PANEL_COLS_F32] = {{0}};
  int64_t cols = p->w->cols, chunks = (cols + LES_CHUNK - 1) / LES_CHUNK;
  for (int64_t c = 0; c < chunks; c++) {
    int64_t k = c * LES_CHUNK, n = cols - k < LES_CHUNK ? cols - k : LES_CHUNK;
    les_panel_source source = {&p->kind, n, les_dtype_bytes(p->w->type, n), {0}};
    for (int i = 0; i < PANEL_COLS_F32; i++) { /* past the end: the last row again, not stored later */
      int64_t row = first + i < p->w->rows ? first + i : p->w->rows - 1;
      source.cols[i] =
          (const uint8_t *)p->w->data + (size_t)row * p->row_bytes + les_dtype_bytes(p->w->type, k);
    }
    if (p->kind.quant) {
      les_prefetch_share(ahead, c, chunks);
      les_pack_panel_f32_avx2(&source, &panel);
      for (int64_t r = 0; r < p->m; r++) multiply_row(p->x + r * cols + k, &panel, n, sums[r]);
    }
    for (int64_t from = 0; !p->kind.quant && from < n; from += STAGE) {
      stage copy;
      les_panel_source part = copy_part(&source, from, &copy);
      for (int64_t r = 0; r < p->m; r++)
        multiply_floats(p->x + r * cols + k + from, &part, r == 0 ? &next : NULL, sums[r]);
    }
  }
  for (int64_t r = 0; r < p->m; r++)
    for (int64_t i = 0; i < PANEL_COLS_F32 && first + i < p->w->rows; i++)
      p->y[r * p->w->rows + first + i] = sums[r][i];
}

void les_gemv_f32_avx2(const les_matrix *w, const float *x, int64_t m, float *y, int threads) {
  product p = {.w = w,
               .kind = les_weight_kind_of(w->type),
               .x = x,
               .m = m,
               .y = y,
               .row_bytes = les_dtype_bytes(w->type, w->cols)};
  les_for_row_blocks(w, PANEL_COLS_F32, threads, multiply_rows, &p);
}
