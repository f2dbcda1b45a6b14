#include "gemm/gemv.h"

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

typedef struct job {
  const les_gemv_path *path;
  const les_matrix *w;
  les_weight_kind kind;
  const char *a; /* (m, chunks) of path->chunk_bytes */
  int64_t m, chunks;
  size_t row_bytes;
  float *y;
} job;

/* The outputs from `first` on, path->rows of them, of each row of activations. */
static void multiply_rows(const void *arg, int64_t first, const les_read_ahead *ahead) {
  const job *j = arg;
  const uint8_t *src[LES_GEMV_BLOCK];
  _Alignas(64) float sums[LES_GEMV_ROWS * LES_GEMV_BLOCK] = {0};
  int rows = j->path->rows;
  for (int i = 0; i < rows; i++) { /* past the end: the last row again, not stored later */
    int64_t row = first + i < j->w->rows ? first + i : j->w->rows - 1;
    src[i] = (const uint8_t *)j->w->data + (size_t)row * j->row_bytes;
  }
  les_read_ahead next = *ahead;
  size_t share = ahead->size / (size_t)j->chunks;
  size_t stride = (size_t)j->chunks * j->path->chunk_bytes,
         chunk_bytes = les_dtype_bytes(j->w->type, LES_CHUNK);
  for (int64_t c = 0; c < j->chunks; c++) {
    int64_t left = j->w->cols - c * LES_CHUNK;
    j->path->multiply(&j->kind, src, left < LES_CHUNK ? left : LES_CHUNK,
                      j->a + (size_t)c * j->path->chunk_bytes, stride, j->m, sums, &next, share);
    for (int i = 0; i < rows; i++) src[i] += chunk_bytes;
  }
  for (int64_t r = 0; r < j->m; r++)
    for (int64_t i = 0; i < rows && first + i < j->w->rows; i++)
      j->y[r * j->w->rows + first + i] = sums[r * rows + i];
}

void les_gemv(const les_gemv_path *path, const les_matrix *w, const float *x, int64_t m, float *y,
              float limit, int threads, void *scratch) {
  job j = {.path = path, .w = w, .a = scratch, .m = m, .y = y};
  j.kind = (les_weight_kind){w->type, les_quant_find(w->type), les_int8_find(w->type)};
  j.chunks = (w->cols + LES_CHUNK - 1) / LES_CHUNK;
  j.row_bytes = les_dtype_bytes(w->type, w->cols);
  char *chunk = scratch;
  for (int64_t r = 0; r < m; r++)
    for (int64_t k = 0; k < w->cols; k += LES_CHUNK, chunk += path->chunk_bytes)
      path->quantize(&j.kind, x + r * w->cols + k, w->cols - k < LES_CHUNK ? w->cols - k : LES_CHUNK, limit,
                     chunk);
  les_for_row_blocks(w, path->rows, threads, multiply_rows, &j);
}
