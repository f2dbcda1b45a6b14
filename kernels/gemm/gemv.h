/* Products with few rows of activations (matrix times vector). Reading the weights bounds them, so the rows
 * of W are read once, in the order in which they lie, and prefetched. */
#ifndef LES_GEMM_GEMV_H
#define LES_GEMM_GEMV_H

#include "gemm/path.h"

/* Prefetches part `part` of `parts`. */
static inline void les_prefetch_share(const les_read_ahead *ahead, int64_t part, int64_t parts) {
  size_t share = ahead->size / (size_t)parts,
         end = part + 1 == parts ? ahead->size : share * (size_t)(part + 1);
  for (size_t b = share * (size_t)part / 64 * 64; b < end; b += 64)
    __builtin_prefetch(ahead->data + b, 0, 2); /* into the L2 cache */
}

/* Prefetches the next n bytes at most, and moves on. */
static inline void les_prefetch_next(les_read_ahead *ahead, size_t n) {
  if (n > ahead->size) n = ahead->size;
  if (n == 0) return;
  for (size_t b = 0; b < n; b += 64) __builtin_prefetch(ahead->data + b, 0, 2);
  ahead->data += n;
  ahead->size -= n;
}

/* y = x W^T for m <= LES_GEMV_ROWS, x rounded to integers of -limit..limit. */
void les_gemv(const les_gemv_path *path, const les_matrix *w, const float *x, int64_t m, float *y,
              float limit, int threads, void *scratch);

/* Calls work(arg, first, ahead) for each block of `block` rows of W from row `first` on, on `threads`
 * threads. ahead: what to prefetch meanwhile. */
void les_for_row_blocks(const les_matrix *w, int64_t block, int threads,
                        void (*work)(const void *arg, int64_t first, const les_read_ahead *ahead),
                        const void *arg);

extern const les_gemv_path les_gemv_avx2, les_gemv_avx512;

/* The product in f32 for m <= LES_GEMV_ROWS_F32. */
void les_gemv_f32_avx2(const les_matrix *w, const float *x, int64_t m, float *y, int threads);

#endif
