#include "gemm/gemv.h"

enum {
  AHEAD = 2,             /* blocks between the one that is worked on and the one that is prefetched */
  TASKS_PER_THREAD = 16, /* at least, where there are as many blocks */
  MAX_TASK = 16          /* blocks */
};

/* Block `index` of the task from `first_row` on; past its end, of the task from `next_row` on. */
static les_read_ahead block_at(const les_matrix *w, int64_t block, int64_t first_row, int64_t next_row,
                               int64_t task, int64_t index) {
  int64_t row = index < task ? first_row + index * block : next_row + (index - task) * block;
  if (row >= w->rows) return (les_read_ahead){NULL, 0};
  size_t row_bytes = les_dtype_bytes(w->type, w->cols);
  int64_t n = w->rows - row < block ? w->rows - row : block;
  return (les_read_ahead){(const char *)w->data + (size_t)row * row_bytes, (size_t)n * row_bytes};
}

void les_for_row_blocks(const les_matrix *w, int64_t block, int threads,
                        void (*work)(const void *arg, int64_t first, const les_read_ahead *ahead),
                        const void *arg) {
  int64_t blocks = (w->rows + block - 1) / block, task = blocks / (TASKS_PER_THREAD * threads), next = 0;
  if (task > MAX_TASK) task = MAX_TASK;
  if (task < 1) task = 1;
#pragma omp parallel num_threads(threads)
  {
    /* The next task is taken before this one is done, so that its rows can be prefetched. */
    int64_t first = __atomic_fetch_add(&next, task * block, __ATOMIC_RELAXED);
    while (first < w->rows) {
      int64_t following = __atomic_fetch_add(&next, task * block, __ATOMIC_RELAXED);
      for (int64_t i = 0; i < task && first + i * block < w->rows; i++) {
        les_read_ahead ahead = block_at(w, block, first, following, task, i + AHEAD);
        work(arg, first + i * block, &ahead);
      }
      first = following;
    }
  }
}

typedef struct product {
  const les_gemv_path *path;
  const les_matrix *w;
  les_weight_kind kind;
  const char *a; /* (m, chunks) of path->chunk_bytes */
  int64_t m, chunks;
  size_t row_bytes;
  float *y;
} product;

/* The outputs from `first` on, path->rows of them, of each row of activations. */
static void multiply_rows(const void *arg, int64_t first, const les_read_ahead *ahead) {
  const product *p = arg;
  const uint8_t *src[LES_GEMV_BLOCK];
  _Alignas(64) float sums[LES_GEMV_ROWS * LES_GEMV_BLOCK] = {0};
  int rows = p->path->rows;
  for (int i = 0; i < rows; i++) { /* past the end: the last row again, not stored later */
    int64_t row = first + i < p->w->rows ? first + i : p->w->rows - 1;
    src[i] = (const uint8_t *)p->w->data + (size_t)row * p->row_bytes;
  }
  les_read_ahead next = *ahead;
  size_t share = ahead->size / (size_t)p->chunks;
  size_t stride = (size_t)p->chunks * p->path->chunk_bytes,
         chunk_bytes = les_dtype_bytes(p->w->type, LES_CHUNK);
  for (int64_t c = 0; c < p->chunks; c++) {
    int64_t left = p->w->cols - c * LES_CHUNK;
    p->path->multiply(&p->kind, src, left < LES_CHUNK ? left : LES_CHUNK,
                      p->a + (size_t)c * p->path->chunk_bytes, stride, p->m, sums, &next, share);
    for (int i = 0; i < rows; i++) src[i] += chunk_bytes;
  }
  for (int64_t r = 0; r < p->m; r++)
    for (int64_t i = 0; i < rows && first + i < p->w->rows; i++)
      p->y[r * p->w->rows + first + i] = sums[r * rows + i];
}

void les_gemv(const les_gemv_path *path, const les_matrix *w, const float *x, int64_t m, float *y,
              float limit, int threads, void *scratch) {
  product p = {.path = path, .w = w, .kind = les_weight_kind_of(w->type), .a = scratch, .m = m, .y = y};
  p.chunks = (w->cols + LES_CHUNK - 1) / LES_CHUNK;
  p.row_bytes = les_dtype_bytes(w->type, w->cols);
  char *chunk = scratch;
  for (int64_t r = 0; r < m; r++)
    for (int64_t k = 0; k < w->cols; k += LES_CHUNK, chunk += path->chunk_bytes)
      path->quantize(&p.kind, x + r * w->cols + k, w->cols - k < LES_CHUNK ? w->cols - k : LES_CHUNK, limit,
                     chunk);
  les_for_row_blocks(w, path->rows, threads, multiply_rows, &p);
}
