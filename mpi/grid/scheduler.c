#include "grid/scheduler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_LEAST = 16, COLUMN_MOST = 64, GOOD_BATCH = 128, SMALL_TILE = 8, DEATHS_OF_A_TILE = 2 };

/* Some prompts in a row, gone through lesion by lesion. */
typedef struct column {
  int first, n;    /* prompts first .. first + n - 1 */
  int64_t next;    /* place in the column: lesion + 1 = next / n, prompt = first + next % n */
  double left;     /* cost of the cells not handed out */
  int workers;     /* that have it */
  int next_of_own; /* the next column of the worker that owns it, -1: last */
} column;

struct les_sched {
  const les_grid *grid;
  int n_workers, n_columns, n_fresh; /* columns from n_columns - n_fresh on belong to nobody yet */
  column *columns;
  int *own;    /* (n_workers) first column of a worker's list, -1: none */
  int *joined; /* (n_workers) the column it helps with, -1: none */
  double left; /* cost of the cells not handed out */
  int64_t cells_left;
  double limit;        /* cost of a tile */
  double shares;       /* a tile is one of so many that a worker's part of what is left is cut into */
  les_tile *out;       /* the tiles that workers have, a list */
  les_tile **returned; /* tiles that came back, handed out before all else */
  int n_returned, cap_returned;
  int last_id;
};

static int clamp(int64_t x, int low, int high) {
  return x < low ? low : x > high ? high : (int)x;
}

static int64_t column_cells(const les_sched *s, const column *c) {
  return ((int64_t)s->grid->n_lesions + 1) * c->n;
}

static les_cell column_cell(const column *c, int64_t place) {
  return (les_cell){.lesion = (int)(place / c->n) - 1, .column = c->first + (int)(place % c->n)};
}

static bool to_do(const les_sched *s, les_cell cell) {
  return les_grid_get(s->grid, cell) == LES_CELL_TODO;
}

/* Moves on to the first place from `next` on that is to do. */
static void column_skip(const les_sched *s, column *c) {
  int64_t n = column_cells(s, c);
  while (c->next < n && !to_do(s, column_cell(c, c->next))) c->next++;
}

static void column_open(les_sched *s, column *c, int first, int n) {
  *c = (column){.first = first, .n = n, .next_of_own = -1};
  for (int64_t i = 0; i < column_cells(s, c); i++) {
    les_cell cell = column_cell(c, i);
    if (!to_do(s, cell)) continue;
    c->left += les_grid_cost(s->grid, cell);
    s->cells_left++;
  }
  column_skip(s, c);
  s->left += c->left;
}

/* Prompts of a column, if there is one for every worker: as few as still fill two batches, so that many
 * lesions of a prompt come into one tile, where they share what they are compared with. */
static int column_width(int n_lesions) {
  return clamp(2 * GOOD_BATCH / (n_lesions + 1), COLUMN_LEAST, COLUMN_MOST);
}

les_status les_sched_open(les_sched **out, const les_grid *grid, int n_workers) {
  *out = NULL;
  les_sched *s = calloc(1, sizeof *s);
  if (!s) return les_fail(LES_FAILED, "out of memory for the scheduler");
  int width = grid->n_prompts / n_workers, most = column_width(grid->n_lesions);
  width = width < 1 ? 1 : width > most ? most : width;
  s->grid = grid;
  s->n_workers = n_workers;
  s->shares =
      2 + log2(n_workers) / 4; /* of more workers the slowest is slower, and must not hold up the rest */
  s->n_columns = s->n_fresh = (grid->n_prompts + width - 1) / width;
  s->columns = calloc((size_t)s->n_columns, sizeof *s->columns);
  s->own = malloc((size_t)n_workers * sizeof *s->own);
  s->joined = malloc((size_t)n_workers * sizeof *s->joined);
  if (!s->columns || !s->own || !s->joined) {
    les_sched_close(&s);
    return les_fail(LES_FAILED, "out of memory for the scheduler");
  }
  for (int w = 0; w < n_workers; w++) s->own[w] = s->joined[w] = -1;
  for (int i = 0; i < s->n_columns; i++) { /* widths differ by one at most */
    int first = (int)((int64_t)grid->n_prompts * i / s->n_columns);
    int end = (int)((int64_t)grid->n_prompts * (i + 1) / s->n_columns);
    column_open(s, &s->columns[i], first, end - first);
  }
  *out = s;
  return LES_OK;
}

void les_sched_close(les_sched **sched) {
  les_sched *s = *sched;
  if (!s) return;
  for (les_tile *t; (t = s->out);) {
    s->out = t->after;
    free(t);
  }
  for (int i = 0; i < s->n_returned; i++) free(s->returned[i]);
  free(s->returned);
  free(s->columns);
  free(s->own);
  free(s->joined);
  free(s);
  *sched = NULL;
}

static bool finished(const les_sched *s, const column *c) {
  return c->next >= column_cells(s, c);
}

/* The worker's column that is furthest behind in the order of the lesions; finished ones leave its list. */
static column *own_column(les_sched *s, int worker) {
  column *best = NULL;
  for (int *link = &s->own[worker]; *link >= 0;) {
    column *c = &s->columns[*link];
    if (finished(s, c)) {
      *link = c->next_of_own;
      continue;
    }
    if (!best || c->next / c->n < best->next / best->n) best = c;
    link = &c->next_of_own;
  }
  return best;
}

static column *fresh_column(les_sched *s, int worker) {
  while (s->n_fresh > 0) {
    int i = s->n_columns - s->n_fresh--;
    column *c = &s->columns[i];
    if (finished(s, c)) continue;
    c->workers = 1;
    c->next_of_own = s->own[worker];
    s->own[worker] = i;
    return c;
  }
  return NULL;
}

static column *join_column(les_sched *s, int worker) {
  int before = s->joined[worker], best = -1;
  if (before >= 0 && !finished(s, &s->columns[before])) return &s->columns[before];
  for (int i = 0; i < s->n_columns; i++) {
    const column *c = &s->columns[i], *b = best < 0 ? NULL : &s->columns[best];
    if (!finished(s, c) && (!b || c->left / (c->workers + 1) > b->left / (b->workers + 1))) best = i;
  }
  s->joined[worker] = best;
  if (best < 0) return NULL;
  s->columns[best].workers++;
  return &s->columns[best];
}

static column *choose_column(les_sched *s, int worker) {
  column *c = own_column(s, worker);
  /* a column that nobody has begun comes first: the early lesions before the late ones */
  if (!c || c->next >= c->n) {
    column *fresh = fresh_column(s, worker);
    if (fresh) return fresh;
  }
  return c ? c : join_column(s, worker);
}

static les_tile *tile_new(les_sched *s, int capacity) {
  les_tile *t = malloc(sizeof *t + (size_t)capacity * sizeof *t->cells);
  if (t) *t = (les_tile){.id = ++s->last_id};
  return t;
}

/* Takes cells from the column until the tile has its share of what is left. */
static void fill(les_sched *s, column *c, les_tile *t) {
  double share = s->n_workers == 1 ? s->left : s->left / (s->shares * s->n_workers);
  int least = clamp(s->cells_left / s->n_workers, 1, SMALL_TILE);
  double cost = 0;
  for (; !finished(s, c) && t->n < LES_TILE_CELLS; column_skip(s, c)) {
    les_cell cell = column_cell(c, c->next);
    double more = les_grid_cost(s->grid, cell);
    if (t->n >= least && cost + more > share) break;
    bool enough = t->n >= GOOD_BATCH && column_cells(s, c) - c->next >= GOOD_BATCH;
    if (enough && cost + more > s->limit) break;
    t->cells[t->n++] = cell;
    cost += more;
    c->next++;
  }
  t->cost = cost;
  c->left -= cost;
  s->left -= cost;
  s->cells_left -= t->n;
}

static les_tile *hand_out(les_sched *s, les_tile *t, int worker) {
  t->worker = worker;
  t->before = NULL;
  t->after = s->out;
  if (t->after) t->after->before = t;
  return s->out = t;
}

static void take_back(les_sched *s, les_tile *t) {
  if (t->before)
    t->before->after = t->after;
  else
    s->out = t->after;
  if (t->after) t->after->before = t->before;
}

les_status les_sched_next(les_sched *s, int worker, les_tile **tile) {
  *tile = NULL;
  if (s->n_returned > 0) {
    *tile = hand_out(s, s->returned[--s->n_returned], worker);
    return LES_OK;
  }
  column *c = choose_column(s, worker);
  if (!c) return LES_OK;
  les_tile *t = tile_new(s, LES_TILE_CELLS);
  if (!t) return les_fail(LES_FAILED, "out of memory for a tile");
  fill(s, c, t);
  *tile = hand_out(s, t, worker);
  return LES_OK;
}

void les_sched_limit(les_sched *s, double cost) {
  s->limit = cost;
}

static les_status give_back(les_sched *s, les_tile *t) {
  if (s->n_returned == s->cap_returned) {
    int cap = s->cap_returned ? 2 * s->cap_returned : 16;
    les_tile **more = realloc(s->returned, (size_t)cap * sizeof *more);
    if (!more) return free(t), les_fail(LES_FAILED, "out of memory for tiles to do again");
    s->returned = more;
    s->cap_returned = cap;
  }
  s->returned[s->n_returned++] = t;
  return LES_OK;
}

/* Keeps the cells that are still to do; false if there are none, and the tile is gone. */
static bool shrink(const les_sched *s, les_tile *t) {
  int n = 0;
  for (int i = 0; i < t->n; i++)
    if (to_do(s, t->cells[i])) t->cells[n++] = t->cells[i];
  t->n = n;
  if (n == 0) free(t);
  return n > 0;
}

les_status les_sched_end(les_sched *s, les_tile *tile) {
  take_back(s, tile);
  return shrink(s, tile) ? give_back(s, tile) : LES_OK;
}

les_status les_sched_lost(les_sched *s, les_tile *t, les_cell *failed, bool *give_up) {
  *give_up = false;
  take_back(s, t);
  t->deaths++;
  if (!shrink(s, t)) return LES_OK;
  if (t->deaths < DEATHS_OF_A_TILE) return give_back(s, t);
  if (t->n == 1) {
    *failed = t->cells[0];
    *give_up = true;
    free(t);
    return LES_OK;
  }
  les_tile *half = tile_new(s, t->n - t->n / 2);
  if (!half) return free(t), les_fail(LES_FAILED, "out of memory for a tile");
  half->n = t->n - t->n / 2;
  t->n -= half->n;
  memcpy(half->cells, t->cells + t->n, (size_t)half->n * sizeof *half->cells);
  /* one more death tells which half it is; a cell alone has its own two */
  half->deaths = half->n > 1 ? DEATHS_OF_A_TILE - 1 : 0;
  t->deaths = t->n > 1 ? DEATHS_OF_A_TILE - 1 : 0;
  les_status status = give_back(s, half);
  return status == LES_OK ? give_back(s, t) : (free(t), status);
}
