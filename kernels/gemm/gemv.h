/* The loop over the rows of W that products with a few rows of activations share: memory bounds them, so the
 * rows are read in the order in which they lie, and ahead of their use. */
#ifndef LES_GEMM_GEMV_H
#define LES_GEMM_GEMV_H

#include "gemm/gemm.h"

/* The bytes of a block of rows that the thread will need soon; size 0: none. */
typedef struct les_read_ahead {
  const char *data;
  size_t size;
} les_read_ahead;

/* Fetches part `part` of `parts`. */
static inline void les_prefetch_share(const les_read_ahead *ahead, int64_t part, int64_t parts) {
  size_t share = ahead->size / (size_t)parts,
         end = part + 1 == parts ? ahead->size : share * (size_t)(part + 1);
  for (size_t b = share * (size_t)part / 64 * 64; b < end; b += 64)
    __builtin_prefetch(ahead->data + b, 0, 2); /* into the L2 cache */
}

/* Fetches the next n bytes at most, and moves on. */
static inline void les_prefetch_next(les_read_ahead *ahead, size_t n) {
  if (n > ahead->size) n = ahead->size;
  if (n == 0) return;
  for (size_t b = 0; b < n; b += 64) __builtin_prefetch(ahead->data + b, 0, 2);
  ahead->data += n;
  ahead->size -= n;
}

/* How an instruction set computes products with a few rows of activations in the integer modes. */
typedef struct les_gemv_path {
  int rows;           /* of W that are worked on at a time, at most LES_GEMV_BLOCK */
  size_t chunk_bytes; /* of a row of activations in one chunk, quantized; a multiple of 64 */
  void (*quantize)(const les_weight_kind *kind, const float *x, int64_t n, float limit, void *chunk);
  /* Adds the products of a chunk of n elements to sums (m, rows). src: where the rows of W have it; chunks:
   * the first row's, the others' `stride` bytes apart. Meanwhile `share` bytes are to be read ahead. */
  void (*multiply)(const les_weight_kind *kind, const uint8_t *const *src, int64_t n, const char *chunks,
                   size_t stride, int64_t m, float *sums, les_read_ahead *ahead, size_t share);
} les_gemv_path;

enum { LES_GEMV_BLOCK = 16 };

/* y = x W^T for m <= LES_GEMV_ROWS, x rounded to integers of -limit..limit. */
void les_gemv(const les_gemv_path *path, const les_matrix *w, const float *x, int64_t m, float *y,
              float limit, int threads, void *scratch);

/* Calls work(arg, first, ahead) for the blocks of `block` rows of W, on `threads` threads. */
void les_for_row_blocks(const les_matrix *w, int64_t block, int threads,
                        void (*work)(const void *arg, int64_t first, const les_read_ahead *ahead),
                        const void *arg);

extern const les_gemv_path les_gemv_avx2, les_gemv_avx512;

/* The product in f32 for m <= LES_GEMV_ROWS_F32. */
void les_gemv_f32_avx2(const les_matrix *w, const float *x, int64_t m, float *y, int threads);

#endif
