#include "gemm/gemm.h"

#include "gemm/gemv.h"

#include <omp.h>
#include <string.h>

enum {
  MAX_ROWS = 256, /* rows that a thread works on at a time: their sums and a chunk of them fit the L2 cache */
  MAX_GROUP = 8,  /* panels that a thread takes at a time */
  TASKS_PER_THREAD = 12,
  MAX_TILE_ROWS = 8, /* over all paths */
  MAX_TILE_BYTES_PER_ROW = LES_CHUNK * 4 + LES_MAX_GROUPS * 4 + 16,
  MAX_PANEL_BYTES = LES_MAX_PANEL * (LES_CHUNK * 4 + LES_MAX_GROUPS * 8),
};

les_compute les_gemm_mode(les_dtype type, les_compute compute) {
  if (!les_quant_find(type) || compute == LES_COMPUTE_F32) return LES_COMPUTE_F32;
  return compute == LES_COMPUTE_INT8 && les_int8_find(type) ? LES_COMPUTE_INT8 : LES_COMPUTE_INT16;
}

static int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
static int64_t min_of(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static size_t round_up(size_t n, size_t unit) {
  return (n + unit - 1) / unit * unit;
}

static size_t thread_bytes(int64_t m) {
  size_t rows = round_up((size_t)min_of(m, MAX_ROWS), MAX_TILE_ROWS);
  return round_up(MAX_PANEL_BYTES + rows * MAX_GROUP * LES_MAX_PANEL * sizeof(float), 4096);
}

size_t les_gemm_scratch(int64_t m, int64_t k, int threads) {
  size_t rows = round_up((size_t)m, MAX_TILE_ROWS), chunks = (size_t)ceil_div(k, LES_CHUNK);
  return round_up(rows * chunks * MAX_TILE_BYTES_PER_ROW, 4096) + (size_t)threads * thread_bytes(m);
}

/* A product in progress. A task is a block of at most MAX_ROWS rows times a group of panels, for one thread.
 */
typedef struct product {
  const les_gemm_path *path;
  const les_matrix *w;
  les_weight_kind kind;
  size_t col_bytes; /* of a column of W^T: a row of W */
  float *y;
  int64_t m, tiles, chunks, panels;
  int64_t group, groups, blocks; /* panels in a group, groups, blocks of rows */
  uint8_t *tiles_packed;         /* [chunk][tile] */
} product;

static uint8_t *packed_tile(const product *p, int64_t chunk, int64_t tile) {
  return p->tiles_packed + (size_t)(chunk * p->tiles + tile) * p->path->tile_bytes;
}

static void pack_tile(const product *p, const float *x, int64_t chunk, int64_t tile) {
  int64_t row = tile * p->path->tile_rows, k = chunk * LES_CHUNK;
  p->path->pack_tile(&p->kind, x + row * p->w->cols + k, p->w->cols,
                     (int)min_of(p->path->tile_rows, p->m - row), min_of(LES_CHUNK, p->w->cols - k),
                     packed_tile(p, chunk, tile));
}

static les_panel_source panel_source(const product *p, int64_t chunk, int64_t panel) {
  int64_t k = chunk * LES_CHUNK, n = min_of(LES_CHUNK, p->w->cols - k);
  les_panel_source source = {&p->kind, n, les_dtype_bytes(p->w->type, n), {0}};
  const uint8_t *data = (const uint8_t *)p->w->data + les_dtype_bytes(p->w->type, k);
  for (int i = 0; i < p->path->panel_cols; i++) /* past the end: the last column again, not stored later */
    source.cols[i] = data + (size_t)min_of(panel * p->path->panel_cols + i, p->w->rows - 1) * p->col_bytes;
  return source;
}

/* Reads a share of a panel's columns ahead: part of parts. */
static void prefetch_share(const les_panel_source *source, int64_t cols, int64_t part, int64_t parts) {
  for (int64_t i = part * cols / parts; i < (part + 1) * cols / parts; i++)
    for (size_t b = 0; b < source->bytes; b += 64) __builtin_prefetch(source->cols[i] + b);
}

static void store_sums(const product *p, int64_t panel, int64_t tile, const float *sums) {
  int64_t col = panel * p->path->panel_cols, row = tile * p->path->tile_rows;
  size_t n = (size_t)min_of(p->path->panel_cols, p->w->rows - col) * sizeof *sums;
  for (int64_t i = row; i < min_of(row + p->path->tile_rows, p->m); i++, sums += p->path->panel_cols)
    memcpy(p->y + i * p->w->rows + col, sums, n);
}

static void run_task(const product *p, int64_t task, uint8_t *scratch) {
  const les_gemm_path *path = p->path;
  int64_t first_panel = task / p->blocks * p->group, end_panel = min_of(first_panel + p->group, p->panels);
  int64_t block_tiles = MAX_ROWS / path->tile_rows;
  int64_t first_tile = task % p->blocks * block_tiles, end_tile = min_of(first_tile + block_tiles, p->tiles);
  int64_t sums_per_tile = path->tile_rows * path->panel_cols, n_tiles = end_tile - first_tile;
  float *sums = (float *)(scratch + MAX_PANEL_BYTES); /* [panel][tile] */
  memset(sums, 0, (size_t)((end_panel - first_panel) * n_tiles * sums_per_tile) * sizeof *sums);
  int64_t n_panels = end_panel - first_panel, steps = p->chunks * n_panels;
  les_panel_source source = panel_source(p, 0, first_panel);
  for (int64_t step = 0; step < steps; step++) { /* chunks, and in them panels */
    int64_t chunk = step / n_panels, panel = step % n_panels, next = step + 1 < steps ? step + 1 : step;
    path->pack_panel(&source, scratch);
    int64_t n = source.n;
    source = panel_source(p, next / n_panels, first_panel + next % n_panels);
    for (int64_t t = 0; t < n_tiles; t++) {
      path->multiply(&p->kind, packed_tile(p, chunk, first_tile + t), scratch, n,
                     sums + (panel * n_tiles + t) * sums_per_tile);
      prefetch_share(&source, path->panel_cols, t, n_tiles);
    }
  }
  for (int64_t panel = first_panel; panel < end_panel; panel++)
    for (int64_t t = first_tile; t < end_tile; t++, sums += sums_per_tile) store_sums(p, panel, t, sums);
}

static void multiply_tiled(const les_gemm_path *path, const les_matrix *w, const float *x, int64_t m,
                           float *y, int threads, void *scratch) {
  product p = {.path = path, .w = w, .kind = les_weight_kind_of(w->type), .y = y, .m = m};
  p.col_bytes = les_dtype_bytes(w->type, w->cols);
  p.tiles = ceil_div(m, path->tile_rows);
  p.chunks = ceil_div(w->cols, LES_CHUNK);
  p.panels = ceil_div(w->rows, path->panel_cols);
  p.blocks = ceil_div(p.tiles * path->tile_rows, MAX_ROWS);
  p.group = MAX_GROUP;
  while (p.group > 1 && ceil_div(p.panels, p.group) * p.blocks < TASKS_PER_THREAD * threads) p.group--;
  p.groups = ceil_div(p.panels, p.group);
  p.tiles_packed = scratch;
  size_t packed = round_up((size_t)(p.tiles * p.chunks) * path->tile_bytes, 4096),
         per_thread = thread_bytes(m);
  int64_t next = 0, tasks = p.groups * p.blocks;
#pragma omp parallel num_threads(threads)
  {
#pragma omp for collapse(2) schedule(static)
    for (int64_t c = 0; c < p.chunks; c++)
      for (int64_t t = 0; t < p.tiles; t++) pack_tile(&p, x, c, t);
    uint8_t *own = (uint8_t *)scratch + packed + (size_t)omp_get_thread_num() * per_thread;
    for (;;) { /* taken one by one, so that a slow core does not hold up the rest */
      int64_t task = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
      if (task >= tasks) break;
      run_task(&p, task, own);
    }
  }
}

void les_gemm_along(const les_gemm_paths *paths, const les_matrix *w, const float *x, int64_t m, float *y,
                    les_compute compute, int threads, void *scratch) {
  les_compute mode = les_gemm_mode(w->type, compute);
  if (mode == LES_COMPUTE_F32 && m <= LES_GEMV_ROWS_F32)
    paths->gemv_f32(w, x, m, y, threads);
  else if (mode != LES_COMPUTE_F32 && m <= LES_GEMV_ROWS)
    les_gemv(paths->gemv, w, x, m, y, mode == LES_COMPUTE_INT8 ? 127.0f : 32767.0f, threads, scratch);
  else
    multiply_tiled(&paths->modes[mode], w, x, m, y, threads, scratch);
}
