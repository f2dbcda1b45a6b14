#include "simulation.h"

#include "base/clock.h"
#include "grid/scheduler.h"

#include <math.h>
#include <stdlib.h>

static const double tile_limit = 300; /* seconds, as in a sweep that saves its state */

typedef struct event {
  double time; /* when the worker's tile ends */
  int worker;
  les_tile *tile;
} event;

/* A heap of events, earliest first. */
static void push(event *heap, int n, event e) {
  int i = n;
  for (; i > 0 && heap[(i - 1) / 2].time > e.time; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
  heap[i] = e;
}

static event pop(event *heap, int n) {
  event first = heap[0], last = heap[n - 1];
  int i = 0;
  for (int child = 1; child < n - 1; child = 2 * i + 1) {
    if (child + 1 < n - 1 && heap[child + 1].time < heap[child].time) child++;
    if (heap[child].time >= last.time) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = last;
  return first;
}

/* Box and Muller (1958). */
static double normal(unsigned short state[3]) {
  double radius = sqrt(-2 * log(1 - erand48(state)));
  return radius * cos(2 * acos(-1) * erand48(state));
}

static double tile_seconds(const simulation *s, const les_tile *t, int worker, unsigned short state[3]) {
  double slow = worker % 50 == 49 ? 2 : 1;
  return s->cell_seconds * t->cost * slow * exp(s->spread * normal(state));
}

/* What rank 0 does when a worker asks: counts its tile and hands out the next one, NULL if there is none. */
static les_status serve(const simulation *s, les_grid *grid, les_sched *sched, const event *e,
                        les_tile **tile) {
  if (e->tile) {
    for (int i = 0; i < e->tile->n; i++) les_grid_set(grid, e->tile->cells[i], LES_CELL_DONE);
    les_sched_limit(sched, tile_limit / s->cell_seconds);
    LES_TRY(les_sched_end(sched, e->tile));
  }
  return les_sched_next(sched, e->worker, tile);
}

static les_status play(const simulation *s, les_grid *grid, les_sched *sched, event *heap, simulated *out) {
  unsigned short state[3] = {1, 2, 3};
  int n = 0;
  double busy = 0;
  for (int w = 0; w < s->workers; w++) push(heap, n++, (event){.worker = w});
  while (n > 0) {
    event e = pop(heap, n--);
    les_tile *tile;
    double began = les_now();
    LES_TRY(serve(s, grid, sched, &e, &tile));
    out->rank0 += les_now() - began;
    if (!tile) continue;
    double seconds = tile_seconds(s, tile, e.worker, state);
    out->tiles++;
    busy += seconds;
    push(heap, n++, (event){e.time + seconds, e.worker, tile});
    out->wall = fmax(out->wall, e.time + seconds);
  }
  out->idle = 1 - busy / (out->wall * s->workers);
  return grid->todo == 0 ? LES_OK
                         : les_fail(LES_FAILED, "%lld cells were not handed out", (long long)grid->todo);
}

les_status simulation_run(const simulation *s, simulated *out) {
  les_grid *grid = NULL;
  les_sched *sched = NULL;
  event *heap = calloc((size_t)s->workers, sizeof *heap);
  *out = (simulated){0};
  les_status status =
      heap ? les_grid_open(&grid, s->lesions, s->prompts) : les_fail(LES_FAILED, "out of memory");
  if (status == LES_OK) status = les_sched_open(&sched, grid, s->workers);
  if (status == LES_OK) status = play(s, grid, sched, heap, out);
  free(heap);
  les_sched_close(&sched);
  les_grid_close(&grid);
  return status;
}
