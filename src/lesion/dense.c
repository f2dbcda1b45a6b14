#include "lesion/dense.h"

#include "base/rng.h"

#include <string.h>

void les_dense_copy(const les_dense *d, const les_matrix *from) {
  size_t row_bytes = les_dtype_bytes(from->type, from->cols);
#pragma omp parallel for num_threads(d->threads)
  for (int64_t r = 0; r < d->rows; r++)
    les_dequantize(from->type, (const char *)from->data + (size_t)r * row_bytes, d->cols, d->w + r * d->cols);
}

void les_dense_clear(const les_dense *d, int64_t first, int64_t n) {
  for (int64_t r = 0; r < d->rows; r++) memset(d->w + r * d->cols + first, 0, (size_t)n * sizeof *d->w);
}

/* w = keep * w + scale * N(0, 1). Two neighbouring elements come from one block of random bits. */
static void draw(const les_dense *d, int64_t first, int64_t n, uint64_t seed, double keep, double scale) {
  uint32_t place = (uint32_t)d->layer << 8 | (uint32_t)d->id;
#pragma omp parallel for num_threads(d->threads)
  for (int64_t r = 0; r < d->rows; r++) {
    int64_t start = r * d->cols + first;
    double z[2];
    for (int64_t e = start; e < start + n; e++) {
      if (e == start || !(e & 1)) les_random_normal(seed, LES_FOR_WEIGHTS, place, (uint64_t)e >> 1, z);
      d->w[e] = (float)(keep * d->w[e] + scale * z[e & 1]);
    }
  }
}

void les_dense_redraw(const les_dense *d, int64_t first, int64_t n, uint64_t seed, double deviation) {
  les_dense_clear(d, first, n); /* 0 * NaN would stay NaN */
  draw(d, first, n, seed, 0, deviation);
}

void les_dense_add_noise(const les_dense *d, uint64_t seed, double sigma) {
  int64_t n = d->rows * d->cols;
  draw(d, 0, d->cols, seed, 1, sigma * sqrt(les_dot(d->w, d->w, n) / (double)n));
}

void les_dense_round(const les_dense *d, les_dtype type) {
  enum { MAX_BLOCK = 256 };
  int block = les_dtype_find(type)->block_elements;
  int64_t n_blocks = d->rows * d->cols / block;
#pragma omp parallel for num_threads(d->threads)
  for (int64_t b = 0; b < n_blocks; b++) {
    float packed[MAX_BLOCK]; /* no type has more bytes than its elements have in f32 */
    float *w = d->w + b * block;
    if (les_quantize(type, w, block, packed)) les_dequantize(type, packed, block, w);
  }
}
