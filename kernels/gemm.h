/* What the implementations of the matrix product share: the activations as integers, and the order of every
 * float operation, which is theirs to keep:
 *
 * F32      y = fma(w[k], x[k], y), k ascending, y from 0.
 * Integer  x is rounded per row and chunk of LES_CHUNK columns to a[k] = rint(x[k] * (limit / amax)), with
 *          step = amax / limit; limit is 32767 or 127. Then, from 0, ascending:
 *            for each group b of the chunk: p = fma(scale[b], (float)sum(q a), p);
 *                                           p = fma(-min[b], (float)sum(a), p) if the type has minima;
 *            for each chunk: y = fma(step, p, y).
 *          The sums are exact: 32 * 128 * 32767 < 2^31. */
#ifndef LES_GEMM_H
#define LES_GEMM_H

#include "quant.h"

void les_gemm_reference(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute,
                        int threads, void *scratch);

/* The mode that a product really uses: never AUTO; F32 for weights that are not quantized; INT8 only where
 * the weights have 4 bits. */
les_compute les_gemm_mode(les_dtype type, les_compute compute);

/* The step of n activations of one chunk rounded to -limit..limit, and in *inverse what they are multiplied
 * by first. Below 2^-100 everything counts as zero; infinity and NaN give a step of NaN, and zeros. */
float les_gemm_step(const float *x, int64_t n, float limit, float *inverse);

#endif
