/* What the implementations of the matrix product share.
 *
 * The order of every float operation, which is theirs to keep:
 * F32      y = fma(w[k], x[k], y), k ascending, y from 0.
 * Integer  x is rounded per row and chunk of LES_CHUNK columns to a[k] = rint(x[k] * (limit / amax)), with
 *          step = amax / limit; limit is 32767 or 127. Then, from 0,
 *          for each chunk:
 *            p = fma(scale[g], (float)sum(q a), p) for each group g of the chunk;
 *            p = fma(-min[g], (float)sum(a), p)    for each group, if the type has minima;
 *            y = fma(step, p, y).
 *          The sums are exact: 32 * 128 * 32767 < 2^31.
 *
 * The blocking of the fast ones: the columns of the result are cut into panels, the columns of x and W into
 * chunks, the rows of x into tiles. x is packed once, tile by tile and chunk by chunk. A thread takes a few
 * panels at a time; for each chunk and panel it unpacks the weights into a buffer that fits the L1 cache and
 * runs all tiles over it. Sums are kept in f32 between chunks, so the blocking does not change their order.
 */
#ifndef LES_GEMM_GEMM_H
#define LES_GEMM_GEMM_H

#include "gemm/matrix.h"
#include "quant/quant.h"

enum {
  LES_MAX_PANEL = 32,  /* columns */
  LES_MAX_GROUPS = 16, /* groups of weights in a chunk */
  LES_GEMV_ROWS = 5,   /* rows of x up to which an integer product is bound by reading the weights */
  LES_GEMV_ROWS_F32 = 2,
};

/* Types with an INT8 mode: q + offset is in 0..2^bits - 1. `depth` products of four can be summed in 16 bits:
 * depth * 2 * (2^bits - 1) * 127 < 2^15. */
typedef struct les_int8 {
  les_dtype type;
  int offset, depth;
} les_int8;

/* All there is to know about the weights of a product. */
typedef struct les_weight_kind {
  les_dtype type;
  const les_quant *quant; /* NULL: not quantized */
  const les_int8 *int8;   /* NULL: no INT8 mode */
} les_weight_kind;

/* One chunk of a panel's weights in the matrix's own layout. */
typedef struct les_panel_source {
  const les_weight_kind *kind;
  int64_t n;    /* elements of the chunk, n <= LES_CHUNK */
  size_t bytes; /* of a column's chunk */
  const uint8_t *cols[LES_MAX_PANEL];
} les_panel_source;

/* How an instruction set computes a product in one mode. */
typedef struct les_gemm_path {
  int tile_rows, panel_cols;
  size_t tile_bytes;  /* of one packed tile of one chunk, a multiple of 64 */
  size_t panel_bytes; /* of one unpacked panel of one chunk, a multiple of 64 */
  /* Packs `rows` (1..tile_rows) rows of n columns, `stride` apart; missing rows are zero. */
  void (*pack)(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n, void *tile);
  void (*unpack)(const les_panel_source *source, void *panel);
  /* Adds a chunk's products to sums (tile_rows, panel_cols). */
  void (*multiply)(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n, float *sums);
} les_gemm_path;

/* How an instruction set computes products: by mode, and those with few rows of x. */
struct les_gemv_path;
typedef struct les_gemm_paths {
  les_gemm_path modes[LES_COMPUTE_INT8 + 1];
  const struct les_gemv_path *few_rows; /* integer modes, m <= LES_GEMV_ROWS */
  /* f32, m <= LES_GEMV_ROWS_F32 */
  void (*few_rows_f32)(const les_matrix *w, const float *x, int64_t m, float *y, int threads);
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

/* NULL if the type has no INT8 mode. */
const les_int8 *les_int8_find(les_dtype type);

/* The step of n activations of one chunk rounded to -limit..limit, and in *inverse what they are multiplied
 * by first. Below 2^-100 everything counts as zero; infinity and NaN give a step of NaN, and zeros. */
float les_gemm_step(const float *x, int64_t n, float limit, float *inverse);

#endif
