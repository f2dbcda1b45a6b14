#include "gemv.h"

enum {
  AHEAD = 2,
  ITEMS_PER_THREAD = 16,
  MAX_ITEM = 16
}; /* in blocks: read ahead; of a thread's item at most */

/* `index` counts blocks in the item from `first_row`; past its end it goes on in the item from `next_row`. */
static les_read_ahead block_at(const les_matrix *w, int64_t block, int64_t first_row, int64_t next_row,
                               int64_t item, int64_t index) {
  int64_t row = index < item ? first_row + index * block : next_row + (index - item) * block;
  if (row >= w->rows) return (les_read_ahead){NULL, 0};
  size_t row_bytes = les_dtype_bytes(w->type, w->cols);
  int64_t n = w->rows - row < block ? w->rows - row : block;
  return (les_read_ahead){(const char *)w->data + (size_t)row * row_bytes, (size_t)n * row_bytes};
}

void les_for_row_blocks(const les_matrix *w, int64_t block, int threads,
                        void (*work)(const void *arg, int64_t first, const les_read_ahead *ahead),
                        const void *arg) {
  int64_t blocks = (w->rows + block - 1) / block, item = blocks / (ITEMS_PER_THREAD * threads), next = 0;
  if (item > MAX_ITEM) item = MAX_ITEM;
  if (item < 1) item = 1;
#pragma omp parallel num_threads(threads)
  {
    /* The item after this one is known before this one is done, so that its rows can be read ahead. */
    int64_t first = __atomic_fetch_add(&next, item * block, __ATOMIC_RELAXED);
    while (first < w->rows) {
      int64_t following = __atomic_fetch_add(&next, item * block, __ATOMIC_RELAXED);
      for (int64_t i = 0; i < item && first + i * block < w->rows; i++) {
        les_read_ahead ahead = block_at(w, block, first, following, item, i + AHEAD);
        work(arg, first + i * block, &ahead);
      }
      first = following;
    }
  }
}
