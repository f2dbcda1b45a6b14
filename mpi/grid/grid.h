/* The grid of one sweep: lesions x columns, with a row of intact runs (LES_INTACT) above them. Knows the
 * state of every cell and how many each lesion still has to do. Local; no MPI, no file. */
#ifndef LES_GRID_GRID_H
#define LES_GRID_GRID_H

#include "base/cell.h"
#include "base/status.h"
#include "result/schema.h"

typedef struct les_grid {
  int n_lesions, n_columns;
  uint8_t *status;       /* (1 + n_lesions, n_columns) LES_CELL_*; row 0 is the intact runs */
  int *left;             /* (n_lesions) cells still to do */
  int64_t done, failed;  /* cells of lesions; intact runs are not counted */
  int64_t failed_intact; /* intact runs */
  int64_t todo;          /* cells and intact runs still to do */
  double *lesion_cost;   /* (1 + n_lesions) share of a forward pass that a cell takes; 1 until set */
  double *column_cost;   /* (n_columns) tokens of a cell; 1 until set */
} les_grid;

/* All cells to do, all costs 1. LES_FAILED if the grid has more than INT32_MAX cells. */
les_status les_grid_open(les_grid **out, int n_lesions, int n_columns);
void les_grid_close(les_grid **grid);

/* A cell's place in `status`, and back. It is also how cells travel in messages. */
static inline int32_t les_grid_index(const les_grid *g, les_cell cell) {
  return (int32_t)(cell.lesion - LES_INTACT) * g->n_columns + cell.column;
}
static inline les_cell les_grid_cell(const les_grid *g, int32_t index) {
  return (les_cell){.lesion = LES_INTACT + index / g->n_columns, .column = index % g->n_columns};
}

/* Gives a cell its state; false if it had that already. */
bool les_grid_set(les_grid *g, les_cell cell, uint8_t status);

static inline uint8_t les_grid_get(const les_grid *g, les_cell cell) {
  return g->status[les_grid_index(g, cell)];
}

static inline int64_t les_grid_total(const les_grid *g) {
  return (int64_t)g->n_lesions * g->n_columns;
}

/* Expected work of a cell, in the unit of the costs. */
static inline double les_grid_cost(const les_grid *g, les_cell cell) {
  return g->lesion_cost[cell.lesion - LES_INTACT] * g->column_cost[cell.column];
}

#endif
