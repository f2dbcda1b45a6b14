#include "lesion/matrix_edit.h"

#include "base/rng.h"

#include <string.h>

void les_matrix_edit_copy(const les_matrix_edit *m, const les_matrix *from) {
  size_t row_bytes = les_dtype_bytes(from->type, from->cols);
#pragma omp parallel for num_threads(m->threads)
  for (int64_t r = 0; r < m->rows; r++)
    les_dequantize(from->type, (const char *)from->data + (size_t)r * row_bytes, m->cols, m->w + r * m->cols);
}

void les_matrix_edit_zero(const les_matrix_edit *m, int64_t first, int64_t n) {
  for (int64_t r = 0; r < m->rows; r++) memset(m->w + r * m->cols + first, 0, (size_t)n * sizeof *m->w);
}

/* w = keep * w + scale * N(0, 1). Two neighbouring elements come from one block of random bits. */
static void draw(const les_matrix_edit *m, int64_t first, int64_t n, uint64_t seed, double keep,
                 double scale) {
  uint32_t place = (uint32_t)m->layer << 8 | (uint32_t)m->id;
#pragma omp parallel for num_threads(m->threads)
  for (int64_t r = 0; r < m->rows; r++) {
    int64_t start = r * m->cols + first;
    double z[2];
    for (int64_t e = start; e < start + n; e++) {
      if (e == start || !(e & 1)) les_random_normal(seed, LES_FOR_WEIGHTS, place, (uint64_t)e >> 1, z);
      m->w[e] = (float)(keep * m->w[e] + scale * z[e & 1]);
    }
  }
}

void les_matrix_edit_reinit(const les_matrix_edit *m, int64_t first, int64_t n, uint64_t seed,
                            double deviation) {
  les_matrix_edit_zero(m, first, n); /* 0 * NaN would stay NaN */
  draw(m, first, n, seed, 0, deviation);
}

void les_matrix_edit_add_noise(const les_matrix_edit *m, uint64_t seed, double sigma) {
  int64_t n = m->rows * m->cols;
  draw(m, 0, m->cols, seed, 1, sigma * sqrt(les_dot(m->w, m->w, n) / (double)n));
}

void les_matrix_edit_quantize(const les_matrix_edit *m, les_dtype type) {
  enum { MAX_BLOCK = 256 };
  int block = les_dtype_find(type)->block_elements;
  int64_t n_blocks = m->rows * m->cols / block;
#pragma omp parallel for num_threads(m->threads)
  for (int64_t b = 0; b < n_blocks; b++) {
    float quantized[MAX_BLOCK]; /* no type has more bytes than its elements have in f32 */
    float *w = m->w + b * block;
    if (les_quantize(type, w, block, quantized)) les_dequantize(type, quantized, block, w);
  }
}
