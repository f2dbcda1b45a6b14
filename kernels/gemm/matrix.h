/* Weight matrices, and how products with them are computed. */
#ifndef LES_GEMM_MATRIX_H
#define LES_GEMM_MATRIX_H

#include "quant/dtype.h"

/* A weight matrix as it lies in a file: `rows` outputs by `cols` inputs, row-major, each row whole blocks.
 * Does not own its data. */
typedef struct les_matrix {
  les_dtype type;
  int64_t rows; /* outputs, N */
  int64_t cols; /* inputs, K */
  const void *data;
} les_matrix;

/* How products are computed; stored with a result.
 * F32: weights dequantized, one chain of fused multiply-adds over k ascending, starting from 0.
 * INT16: activations as 16-bit integers per row and 256 columns, exact integer sums per weight block.
 * INT8: the same with 8 bits for Q4_0, Q4_1, Q4_K and Q6_K; other types as in INT16.
 * AUTO: INT16 where the weights are quantized, F32 where they are not.
 * In the integer modes a row with infinity or NaN gives NaN; weights that are not quantized are as in F32. */
typedef enum les_compute {
  LES_COMPUTE_AUTO,
  LES_COMPUTE_F32,
  LES_COMPUTE_INT16,
  LES_COMPUTE_INT8
} les_compute;

/* "auto", "f32", "int16", "int8", and back (-1: no such mode). */
const char *les_compute_name(les_compute compute);
int les_compute_find(const char *name);

/* Bytes of scratch memory that les_gemm needs for at most `m` rows of `k` inputs on `threads` threads. */
size_t les_gemm_scratch(int64_t m, int64_t k, int threads);

#endif
