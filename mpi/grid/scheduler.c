#include "grid/scheduler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_LEAST = 16, BLOCK_MOST = 64, GOOD_BATCH = 128, SMALL_TILE = 8, DEATHS_OF_A_TILE = 2 };

/* Some columns in a row, gone through lesion by lesion. */
typedef struct block {
  int first, n;    /* columns first .. first + n - 1 */
  int64_t next;    /* place in the block: row = next / n (0: intact), column = first + next % n */
  double left;     /* cost of the cells not handed out */
  int workers;     /* that have it */
  int next_of_own; /* the next block of the worker that owns it, -1: last */
} block;

struct les_sched {
  const les_grid *grid;
  int n_workers, n_blocks, n_fresh; /* blocks from n_blocks - n_fresh on belong to nobody yet */
  block *blocks;
  int *own;    /* (n_workers) first block of a worker's list, -1: none */
  int *joined; /* (n_workers) the block it helps with, -1: none */
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

static int64_t block_cells(const les_sched *s, const block *b) {
  return ((int64_t)s->grid->n_lesions + 1) * b->n;
}

static les_cell block_cell(const block *b, int64_t place) {
  return (les_cell){.lesion = LES_INTACT + (int)(place / b->n), .column = b->first + (int)(place % b->n)};
}

static bool to_do(const les_sched *s, les_cell cell) {
  return les_grid_get(s->grid, cell) == LES_CELL_TODO;
}

/* Moves on to the first place from `next` on that is to do. */
static void block_skip(const les_sched *s, block *b) {
  int64_t n = block_cells(s, b);
  while (b->next < n && !to_do(s, block_cell(b, b->next))) b->next++;
}

static void block_open(les_sched *s, block *b, int first, int n) {
  *b = (block){.first = first, .n = n, .next_of_own = -1};
  for (int64_t i = 0; i < block_cells(s, b); i++) {
    les_cell cell = block_cell(b, i);
    if (!to_do(s, cell)) continue;
    b->left += les_grid_cost(s->grid, cell);
    s->cells_left++;
  }
  block_skip(s, b);
  s->left += b->left;
}

/* Columns of a block, if there is one for every worker: as few as still fill two batches, so that many
 * lesions of a column come into one tile, where they share what they are compared with. */
static int block_width(int n_lesions) {
  return clamp(2 * GOOD_BATCH / (n_lesions + 1), BLOCK_LEAST, BLOCK_MOST);
}

les_status les_sched_open(les_sched **out, const les_grid *grid, int n_workers) {
  *out = NULL;
  les_sched *s = calloc(1, sizeof *s);
  if (!s) return les_no_memory("the scheduler");
  int width = grid->n_columns / n_workers, most = block_width(grid->n_lesions);
  width = width < 1 ? 1 : width > most ? most : width;
  s->grid = grid;
  s->n_workers = n_workers;
  s->shares =
      2 + log2(n_workers) / 4; /* of more workers the slowest is slower, and must not hold up the rest */
  s->n_blocks = s->n_fresh = (grid->n_columns + width - 1) / width;
  s->blocks = calloc((size_t)s->n_blocks, sizeof *s->blocks);
  s->own = malloc((size_t)n_workers * sizeof *s->own);
  s->joined = malloc((size_t)n_workers * sizeof *s->joined);
  if (!s->blocks || !s->own || !s->joined) {
    les_sched_close(&s);
    return les_no_memory("the scheduler");
  }
  for (int w = 0; w < n_workers; w++) s->own[w] = s->joined[w] = -1;
  for (int i = 0; i < s->n_blocks; i++) { /* widths differ by one at most */
    int first = (int)((int64_t)grid->n_columns * i / s->n_blocks);
    int end = (int)((int64_t)grid->n_columns * (i + 1) / s->n_blocks);
    block_open(s, &s->blocks[i], first, end - first);
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
  free(s->blocks);
  free(s->own);
  free(s->joined);
  free(s);
  *sched = NULL;
}

static bool finished(const les_sched *s, const block *b) {
  return b->next >= block_cells(s, b);
}

/* The worker's block that is furthest behind in the order of the lesions; finished ones leave its list. */
static block *own_block(les_sched *s, int worker) {
  block *best = NULL;
  for (int *link = &s->own[worker]; *link >= 0;) {
    block *b = &s->blocks[*link];
    if (finished(s, b)) {
      *link = b->next_of_own;
      continue;
    }
    if (!best || b->next / b->n < best->next / best->n) best = b;
    link = &b->next_of_own;
  }
  return best;
}

static block *fresh_block(les_sched *s, int worker) {
  while (s->n_fresh > 0) {
    int i = s->n_blocks - s->n_fresh--;
    block *b = &s->blocks[i];
    if (finished(s, b)) continue;
    b->workers = 1;
    b->next_of_own = s->own[worker];
    s->own[worker] = i;
    return b;
  }
  return NULL;
}

static block *join_block(les_sched *s, int worker) {
  int before = s->joined[worker], best = -1;
  if (before >= 0 && !finished(s, &s->blocks[before])) return &s->blocks[before];
  for (int i = 0; i < s->n_blocks; i++) {
    const block *b = &s->blocks[i], *rival = best < 0 ? NULL : &s->blocks[best];
    if (!finished(s, b) && (!rival || b->left / (b->workers + 1) > rival->left / (rival->workers + 1)))
      best = i;
  }
  s->joined[worker] = best;
  if (best < 0) return NULL;
  s->blocks[best].workers++;
  return &s->blocks[best];
}

static block *choose_block(les_sched *s, int worker) {
  block *b = own_block(s, worker);
  /* a block that nobody has begun comes first: the early lesions before the late ones */
  if (!b || b->next >= b->n) {
    block *fresh = fresh_block(s, worker);
    if (fresh) return fresh;
  }
  return b ? b : join_block(s, worker);
}

static les_tile *tile_new(les_sched *s, int capacity) {
  les_tile *t = malloc(sizeof *t + (size_t)capacity * sizeof *t->cells);
  if (t) *t = (les_tile){.id = ++s->last_id};
  return t;
}

/* Takes cells from the block until the tile has its share of what is left. */
static void fill(les_sched *s, block *b, les_tile *t) {
  double share = s->n_workers == 1 ? s->left : s->left / (s->shares * s->n_workers);
  int least = clamp(s->cells_left / s->n_workers, 1, SMALL_TILE);
  double cost = 0;
  for (; !finished(s, b) && t->n < LES_TILE_CELLS; block_skip(s, b)) {
    les_cell cell = block_cell(b, b->next);
    double more = les_grid_cost(s->grid, cell);
    if (t->n >= least && cost + more > share) break;
    bool enough = t->n >= GOOD_BATCH && block_cells(s, b) - b->next >= GOOD_BATCH;
    if (enough && cost + more > s->limit) break;
    t->cells[t->n++] = cell;
    cost += more;
    b->next++;
  }
  t->cost = cost;
  b->left -= cost;
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
  block *b = choose_block(s, worker);
  if (!b) return LES_OK;
  les_tile *t = tile_new(s, LES_TILE_CELLS);
  if (!t) return les_no_memory("a tile");
  fill(s, b, t);
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
    if (!more) return free(t), les_no_memory("tiles to do again");
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
  if (!half) return free(t), les_no_memory("a tile");
  half->n = t->n - t->n / 2;
  t->n -= half->n;
  memcpy(half->cells, t->cells + t->n, (size_t)half->n * sizeof *half->cells);
  /* one more death tells which half it is; a cell alone has its own two */
  half->deaths = half->n > 1 ? DEATHS_OF_A_TILE - 1 : 0;
  t->deaths = t->n > 1 ? DEATHS_OF_A_TILE - 1 : 0;
  les_status status = give_back(s, half);
  return status == LES_OK ? give_back(s, t) : (free(t), status);
}
