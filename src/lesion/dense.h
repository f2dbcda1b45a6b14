/* Operations on one replaced matrix: a dense f32 copy, changed in place. All give the same bytes for any
 * number of threads. */
#ifndef LES_LESION_DENSE_H
#define LES_LESION_DENSE_H

#include "model/model.h"

typedef struct les_dense {
  float *w; /* (rows, cols) row-major */
  int64_t rows, cols;
  int layer; /* random numbers are keyed by layer, matrix and element: its place in the matrix as stored */
  les_linear_id id;
  int threads; /* to work with */
} les_dense;

/* w = the values of a matrix of the same size. */
void les_dense_copy(const les_dense *d, const les_matrix *from);

/* Columns [first, first + n) become 0. */
void les_dense_clear(const les_dense *d, int64_t first, int64_t n);

/* Columns [first, first + n) are drawn from N(0, deviation^2). */
void les_dense_redraw(const les_dense *d, int64_t first, int64_t n, uint64_t seed, double deviation);

/* w += sigma * rms(w) * N(0, 1), rms over all elements. */
void les_dense_add_noise(const les_dense *d, uint64_t seed, double sigma);

/* Rounds to a type that les_quantize writes, and back. cols is a multiple of its block. */
void les_dense_round(const les_dense *d, les_dtype type);

#endif
