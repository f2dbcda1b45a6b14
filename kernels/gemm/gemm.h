/* The matrix product, blocked.
 *
 * The columns of the result are cut into panels, the columns of x and W into chunks, the rows of x into
 * tiles. x is packed once, tile by tile and chunk by chunk. A thread takes a few panels at a time; for each
 * chunk and panel it packs the weights into a buffer that fits the L1 cache and runs all tiles over it. Sums
 * are kept in f32 between chunks, so the blocking does not change their order. Products with few rows of x go
 * to gemv.h instead. */
#ifndef LES_GEMM_GEMM_H
#define LES_GEMM_GEMM_H

#include "gemm/path.h"

/* How an instruction set computes products: by mode, and those with few rows of x. */
typedef struct les_gemm_paths {
  les_gemm_path modes[LES_COMPUTE_INT8 + 1];
  const les_gemv_path *gemv; /* integer modes, m <= LES_GEMV_ROWS */
  /* f32, m <= LES_GEMV_ROWS_F32 */
  void (*gemv_f32)(const les_matrix *w, const float *x, int64_t m, float *y, int threads);
} les_gemm_paths;

/* What an implementation gives: les_gemm of kernels.h. */
typedef void les_gemm_fn(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute,
                         int threads, void *scratch);

les_gemm_fn les_gemm_reference, les_gemm_avx2, les_gemm_avx512;

/* As les_gemm. */
void les_gemm_along(const les_gemm_paths *paths, const les_matrix *w, const float *x, int64_t m, float *y,
                    les_compute compute, int threads, void *scratch);

/* The mode that a product really uses: never AUTO; F32 for weights that are not quantized; INT8 only for
 * types whose integers, made unsigned, are narrow enough for 16-bit partial sums: see les_int8_find. */
les_compute les_gemm_mode(les_dtype type, les_compute compute);

#endif
