/* Operations on a matrix that a lesion replaces: an f32 copy, changed in place. All give the same bytes for
 * any number of threads. */
#ifndef LES_LESION_MATRIX_EDIT_H
#define LES_LESION_MATRIX_EDIT_H

#include "model/model.h"

typedef struct les_matrix_edit {
  float *w; /* (rows, cols) row-major; borrowed */
  int64_t rows, cols;
  int layer; /* random numbers are keyed by layer, matrix and element: its place in the matrix as stored */
  les_linear_id id;
  int threads; /* to work with */
} les_matrix_edit;

/* w = the values of a matrix of the same size. */
void les_matrix_edit_copy(const les_matrix_edit *m, const les_matrix *from);

/* Columns [first, first + n) become 0. */
void les_matrix_edit_zero(const les_matrix_edit *m, int64_t first, int64_t n);

/* Columns [first, first + n) are drawn from N(0, deviation^2). */
void les_matrix_edit_reinit(const les_matrix_edit *m, int64_t first, int64_t n, uint64_t seed,
                            double deviation);

/* w += sigma * rms(w) * N(0, 1), rms over all elements. */
void les_matrix_edit_add_noise(const les_matrix_edit *m, uint64_t seed, double sigma);

/* Quantizes to a type that les_quantize writes, and back. cols is a multiple of its block. */
void les_matrix_edit_quantize(const les_matrix_edit *m, les_dtype type);

#endif
