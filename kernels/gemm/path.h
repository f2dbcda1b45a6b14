/* What the matrix products of all instruction sets share: kinds of weights, and the functions that an
 * instruction set gives.
 *
 * The order of floating-point operations, the same on every path:
 * F32      y = fma(w[k], x[k], y), k ascending, y from 0.
 * Integer  x is rounded per row and chunk of LES_CHUNK columns to a[k] = rint(x[k] * (limit / amax)), with
 *          step = amax / limit; limit is 32767 or 127. Then, from 0,
 *          for each chunk:
 *            p = fma(scale[g], (float)sum(q a), p) for each group g of the chunk;
 *            p = fma(-min[g], (float)sum(a), p)    for each group, if the type has minima;
 *            y = fma(step, p, y).
 *          The sums are exact: 32 * 128 * 32767 < 2^31.
 */
#ifndef LES_GEMM_PATH_H
#define LES_GEMM_PATH_H

#include "gemm/matrix.h"
#include "quant/quant.h"

enum {
  LES_MAX_PANEL = 32,  /* columns */
  LES_MAX_GROUPS = 16, /* groups of weights in a chunk */
  LES_GEMV_ROWS = 5,   /* rows of x up to which an integer product is bound by reading the weights */
  LES_GEMV_ROWS_F32 = 2,
  LES_GEMV_BLOCK = 16, /* rows of W in a block of a GEMV at most */
};

/* Types with an INT8 mode: q + offset is in 0..2^bits - 1. `depth` products of four can be summed in 16 bits:
 * depth * 2 * (2^bits - 1) * 127 < 2^15. */
typedef struct les_int8 {
  les_dtype type;
  int offset, depth;
} les_int8;

/* NULL if the type has no INT8 mode. */
const les_int8 *les_int8_find(les_dtype type);

/* All there is to know about the weights of a product. */
typedef struct les_weight_kind {
  les_dtype type;
  const les_quant *quant; /* NULL: not quantized */
  const les_int8 *int8;   /* NULL: no INT8 mode */
} les_weight_kind;

les_weight_kind les_weight_kind_of(les_dtype type);

/* The step of n activations of one chunk rounded to -limit..limit; *inverse: the factor that is applied to
 * them before rounding. Below 2^-100 everything counts as zero; infinity and NaN give a step of NaN, and
 * zeros. */
float les_gemm_step(const float *x, int64_t n, float limit, float *inverse);

/* One chunk of a panel's weights as it lies in the matrix. */
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
  size_t panel_bytes; /* of one packed panel of one chunk, a multiple of 64 */
  /* Packs `rows` (1..tile_rows) rows of n columns, `stride` apart; missing rows are zero. */
  void (*pack_tile)(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n,
                    void *tile);
  /* Packs the weights of a chunk, dequantized in the F32 mode, as integers in the others. */
  void (*pack_panel)(const les_panel_source *source, void *panel);
  /* Adds a chunk's products to sums (tile_rows, panel_cols). */
  void (*multiply)(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n, float *sums);
} les_gemm_path;

/* Bytes of weights that a thread will need soon, for prefetching; size 0: none. */
typedef struct les_read_ahead {
  const char *data;
  size_t size;
} les_read_ahead;

/* How an instruction set computes products with few rows of x in the integer modes. */
typedef struct les_gemv_path {
  int rows;           /* of W in a block, at most LES_GEMV_BLOCK */
  size_t chunk_bytes; /* of a row of activations in one chunk, quantized; a multiple of 64 */
  void (*quantize)(const les_weight_kind *kind, const float *x, int64_t n, float limit, void *chunk);
  /* Adds the products of a chunk of n elements to sums (m, rows). src: the chunk in each row of W; chunks:
   * the first row of activations, the others `stride` bytes apart. Prefetches `share` bytes of `ahead`. */
  void (*multiply)(const les_weight_kind *kind, const uint8_t *const *src, int64_t n, const char *chunks,
                   size_t stride, int64_t m, float *sums, les_read_ahead *ahead, size_t share);
} les_gemv_path;

#endif
