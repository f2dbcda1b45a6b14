/* The loop over the rows of W that products with a few rows of activations share: memory bounds them, so the
 * rows are read in the order in which they lie, and ahead of their use. */
#ifndef LES_GEMV_H
#define LES_GEMV_H

#include "gemm.h"

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

/* Calls work(arg, first, ahead) for the blocks of `block` rows of W, on `threads` threads. */
void les_for_row_blocks(const les_matrix *w, int64_t block, int threads,
                        void (*work)(const void *arg, int64_t first, const les_read_ahead *ahead),
                        const void *arg);

#endif
