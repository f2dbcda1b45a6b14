/* Products in f32 with a few rows of activations: the sums of one panel of outputs stay in registers or
 * close, and the weights are read in the order in which they lie. */
#include "gemv.h"
#include "panel_avx2.h"
#include <immintrin.h>

typedef struct job {
  const les_matrix *w;
  les_weight_kind kind;
  const float *x;
  int64_t m;
  size_t row_bytes;
  float *y;
} job;

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

static void multiply_rows(const void *arg, int64_t first, const les_read_ahead *ahead) {
  const job *j = arg;
  _Alignas(64) panel_f32 panel;
  float sums[LES_GEMV_ROWS_F32][PANEL_COLS_F32] = {{0}};
  int64_t cols = j->w->cols, chunks = (cols + LES_CHUNK - 1) / LES_CHUNK;
  for (int64_t c = 0; c < chunks; c++) {
    int64_t k = c * LES_CHUNK, n = cols - k < LES_CHUNK ? cols - k : LES_CHUNK;
    les_panel_source source = {&j->kind, n, les_dtype_bytes(j->w->type, n), {0}};
    for (int i = 0; i < PANEL_COLS_F32; i++) { /* past the end: the last row again, not stored later */
      int64_t row = first + i < j->w->rows ? first + i : j->w->rows - 1;
      source.cols[i] =
          (const uint8_t *)j->w->data + (size_t)row * j->row_bytes + les_dtype_bytes(j->w->type, k);
    }
    les_prefetch_share(ahead, c, chunks);
    les_unpack_f32_avx2(&source, &panel);
    for (int64_t r = 0; r < j->m; r++) multiply_row(j->x + r * cols + k, &panel, n, sums[r]);
  }
  for (int64_t r = 0; r < j->m; r++)
    for (int64_t i = 0; i < PANEL_COLS_F32 && first + i < j->w->rows; i++)
      j->y[r * j->w->rows + first + i] = sums[r][i];
}

void les_gemv_f32_avx2(const les_matrix *w, const float *x, int64_t m, float *y, int threads) {
  job j = {.w = w, .x = x, .m = m, .y = y, .row_bytes = les_dtype_bytes(w->type, w->cols)};
  j.kind = (les_weight_kind){w->type, les_quant_find(w->type), les_int8_find(w->type)};
  les_for_row_blocks(w, PANEL_COLS_F32, threads, multiply_rows, &j);
}
