#include "grid/grid.h"

#include <stdlib.h>

les_status les_grid_open(les_grid **out, int n_lesions, int n_columns) {
  *out = NULL;
  int64_t cells = ((int64_t)n_lesions + 1) * n_columns;
  if (n_lesions < 1 || n_columns < 1 || cells > INT32_MAX)
    return les_fail(
        LES_FAILED,
        "a sweep of %d lesions and %d prompts and documents: a grid has 1 to %d cells; split the job",
        n_lesions, n_columns, INT32_MAX);
  les_grid *g = calloc(1, sizeof *g);
  if (!g) return les_no_memory("the grid");
  g->n_lesions = n_lesions;
  g->n_columns = n_columns;
  g->todo = cells;
  g->status = calloc((size_t)cells, 1);
  g->left = malloc((size_t)n_lesions * sizeof *g->left);
  g->lesion_cost = malloc(((size_t)n_lesions + 1) * sizeof *g->lesion_cost);
  g->column_cost = malloc((size_t)n_columns * sizeof *g->column_cost);
  if (!g->status || !g->left || !g->lesion_cost || !g->column_cost) {
    les_grid_close(&g);
    return les_no_memory("a grid of %lld cells", (long long)cells);
  }
  for (int l = 0; l < n_lesions; l++) g->left[l] = n_columns;
  for (int l = 0; l <= n_lesions; l++) g->lesion_cost[l] = 1;
  for (int c = 0; c < n_columns; c++) g->column_cost[c] = 1;
  *out = g;
  return LES_OK;
}

void les_grid_close(les_grid **grid) {
  les_grid *g = *grid;
  if (!g) return;
  free(g->status);
  free(g->left);
  free(g->lesion_cost);
  free(g->column_cost);
  free(g);
  *grid = NULL;
}

static void count(les_grid *g, les_cell cell, uint8_t status, int by) {
  if (status == LES_CELL_TODO) g->todo += by;
  if (cell.lesion == LES_INTACT) {
    if (status == LES_CELL_FAILED) g->failed_intact += by;
    return;
  }
  if (status == LES_CELL_TODO) g->left[cell.lesion] += by;
  if (status == LES_CELL_DONE) g->done += by;
  if (status == LES_CELL_FAILED) g->failed += by;
}

bool les_grid_set(les_grid *g, les_cell cell, uint8_t status) {
  uint8_t *now = &g->status[les_grid_index(g, cell)];
  if (*now == status) return false;
  count(g, cell, *now, -1);
  count(g, cell, *now = status, 1);
  return true;
}
