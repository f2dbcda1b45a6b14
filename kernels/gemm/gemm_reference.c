#include "gemm/gemm.h"

#include <math.h>

/* Activations as integers, chunk after chunk: a (m, cols), steps (m, chunks). */
static void quantize_rows(const float *x, int64_t m, int64_t cols, float limit, int16_t *a, float *steps) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t k = 0; k < cols; k += LES_CHUNK, steps++) {
      int64_t n = cols - k < LES_CHUNK ? cols - k : LES_CHUNK;
      float inverse;
      *steps = les_gemm_step(x + i * cols + k, n, limit, &inverse);
      for (int64_t j = k; j < k + n; j++) {
        float scaled = x[i * cols + j] * inverse;
        a[i * cols + j] = inverse > 0.0f ? (int16_t)rintf(scaled) : 0;
      }
    }
}

/* One output in one chunk of n columns: the sum over its groups, not yet times the step. */
static float dot_chunk(const les_quant *quant, const int8_t *q, const float *scale, const float *min,
                       const int16_t *a, int64_t n) {
  float p = 0.0f;
  for (int64_t k = 0; k < n; k += quant->group) {
    int32_t sum = 0;
    for (int64_t i = k; i < k + quant->group; i++) sum += q[i] * a[i];
    p = fmaf(scale[k / quant->group], (float)sum, p);
  }
  for (int64_t k = 0; quant->has_min && k < n; k += quant->group) {
    int32_t sum = 0;
    for (int64_t i = k; i < k + quant->group; i++) sum += a[i];
    p = fmaf(-min[k / quant->group], (float)sum, p);
  }
  return p;
}

static void gemm_int(const les_matrix *w, const int16_t *a, const float *steps, int64_t m, float *y,
                     int threads) {
  const les_quant *quant = les_quant_find(w->type);
  int64_t chunks = (w->cols + LES_CHUNK - 1) / LES_CHUNK;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 8)
  for (int64_t row = 0; row < w->rows; row++) {
    const uint8_t *src = (const uint8_t *)w->data + (size_t)row * les_dtype_bytes(w->type, w->cols);
    for (int64_t i = 0; i < m; i++) y[i * w->rows + row] = 0.0f;
    for (int64_t c = 0; c < chunks; c++) {
      int64_t k = c * LES_CHUNK, n = w->cols - k < LES_CHUNK ? w->cols - k : LES_CHUNK;
      int8_t q[LES_CHUNK];
      float scale[LES_CHUNK / 16], min[LES_CHUNK / 16];
      les_quant_decode(w->type, src + les_dtype_bytes(w->type, k), n, q, scale, min);
      for (int64_t i = 0; i < m; i++) {
        float *out = &y[i * w->rows + row];
        *out = fmaf(steps[i * chunks + c], dot_chunk(quant, q, scale, min, a + i * w->cols + k, n), *out);
      }
    }
  }
}

static void gemm_f32(const les_matrix *w, const float *x, int64_t m, float *y, int threads) {
#pragma omp parallel for num_threads(threads) schedule(dynamic, 8)
  for (int64_t row = 0; row < w->rows; row++) {
    const uint8_t *src = (const uint8_t *)w->data + (size_t)row * les_dtype_bytes(w->type, w->cols);
    for (int64_t i = 0; i < m; i++) y[i * w->rows + row] = 0.0f;
    for (int64_t k = 0; k < w->cols; k += LES_CHUNK) {
      int64_t n = w->cols - k < LES_CHUNK ? w->cols - k : LES_CHUNK;
      float weights[LES_CHUNK];
      les_dequantize(w->type, src + les_dtype_bytes(w->type, k), n, weights);
      for (int64_t i = 0; i < m; i++) {
        const float *in = x + i * w->cols + k;
        float sum = y[i * w->rows + row];
        for (int64_t j = 0; j < n; j++) sum = fmaf(weights[j], in[j], sum);
        y[i * w->rows + row] = sum;
      }
    }
  }
}

void les_gemm_reference(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute,
                        int threads, void *scratch) {
  les_compute mode = les_gemm_mode(w->type, compute);
  if (mode == LES_COMPUTE_F32) {
    gemm_f32(w, x, m, y, threads);
    return;
  }
  int64_t chunks = (w->cols + LES_CHUNK - 1) / LES_CHUNK;
  float *steps = scratch;
  int16_t *a = (int16_t *)(steps + m * chunks);
  quantize_rows(x, m, w->cols, mode == LES_COMPUTE_INT8 ? 127.0f : 32767.0f, a, steps);
  gemm_int(w, a, steps, m, y, threads);
}
