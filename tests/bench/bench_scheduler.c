/* How the scheduler would keep many ranks busy, and what it asks of rank 0: the code that hands out a sweep's
 * tiles, run against simulated workers. Time is simulated; rank 0's work is measured.
 *
 *   bench_scheduler [SECONDS_PER_CELL [SPREAD]]
 *
 * Ends with 1 if any of the runs leaves its workers idle for more than 5 % of their time.
 *
 * SECONDS_PER_CELL: of one cell on one rank, as measured by a sweep (default 0.5). SPREAD: standard deviation
 * of ln(time) between tiles (default 0.2); one worker in fifty is half as fast as the others. */
#include "base/clock.h"
#include "grid/scheduler.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES_PER_TILE = 3 }; /* the tile, its reports */
/* Of rank 0, assumed on the careful side: a message through a network, a line of the log of events. */
static const double message_seconds = 10e-6, event_seconds = 20e-6;
static const double most_idle = 0.05;

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

typedef struct outcome {
  double wall; /* simulated seconds */
  double busy; /* of all workers */
  double root; /* measured seconds of rank 0 in the scheduler */
  int64_t tiles;
} outcome;

/* Box and Muller (1958). */
static double normal(unsigned short state[3]) {
  double radius = sqrt(-2 * log(1 - erand48(state)));
  return radius * cos(2 * acos(-1) * erand48(state));
}

static double tile_seconds(const les_tile *t, int worker, double cell, double spread,
                           unsigned short state[3]) {
  double slow = worker % 50 == 49 ? 2 : 1;
  return cell * t->cost * slow * exp(spread * normal(state));
}

static les_status simulate(int lesions, int prompts, int workers, double cell, double spread, outcome *out) {
  les_grid *grid;
  les_sched *sched;
  unsigned short state[3] = {1, 2, 3};
  *out = (outcome){0};
  LES_TRY(les_grid_open(&grid, lesions, prompts));
  LES_TRY(les_sched_open(&sched, grid, workers));
  event *heap = calloc((size_t)workers, sizeof *heap);
  int n = 0;
  double now = 0;
  for (int w = 0; w < workers; w++) push(heap, n++, (event){.worker = w});
  while (n > 0) {
    event e = pop(heap, n--);
    now = e.time;
    double began = les_now();
    if (e.tile) {
      for (int i = 0; i < e.tile->n; i++) les_grid_set(grid, e.tile->cells[i], LES_CELL_DONE);
      les_sched_limit(sched, 300 / cell);
      LES_TRY(les_sched_end(sched, e.tile));
    }
    les_tile *tile;
    LES_TRY(les_sched_next(sched, e.worker, &tile));
    out->root += les_now() - began;
    if (!tile) continue;
    double seconds = tile_seconds(tile, e.worker, cell, spread, state);
    out->tiles++;
    out->busy += seconds;
    push(heap, n++, (event){now + seconds, e.worker, tile});
    if (now + seconds > out->wall) out->wall = now + seconds;
  }
  free(heap);
  les_sched_close(&sched);
  les_grid_close(&grid);
  return LES_OK;
}

int main(int argc, char **argv) {
  static const int sizes[][3] = {/* lesions, prompts, workers */
                                 {16, 500, 4},       {16, 500, 64},     {16, 4000, 64},
                                 {32, 10000, 1000},  {64, 20000, 1000}, {64, 100000, 10000},
                                 {64, 200000, 10000}};
  double cell = argc > 1 ? atof(argv[1]) : 0.5, spread = argc > 2 ? atof(argv[2]) : 0.2;
  bool good = true;
  printf("%.3g s a cell, spread %.2g\n", cell, spread);
  printf("| workers | lesions x prompts | cells a worker | tiles | hours | idle %% | tiles/s of rank 0 alone "
         "| its load %% |\n");
  printf("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int lesions = sizes[i][0], prompts = sizes[i][1], workers = sizes[i][2];
    outcome o;
    if (simulate(lesions, prompts, workers, cell, spread, &o) != LES_OK) {
      fprintf(stderr, "%s\n", les_message());
      return 1;
    }
    double root = o.root + (double)o.tiles * (MESSAGES_PER_TILE * message_seconds + event_seconds);
    double idle = 1 - o.busy / (o.wall * workers);
    if (idle > most_idle) good = false;
    printf("| %d | %d x %d | %d | %lld | %.2f | %.1f | %.0f | %.2f |\n", workers, lesions, prompts,
           (int)((int64_t)lesions * prompts / workers), (long long)o.tiles, o.wall / 3600, 100 * idle,
           (double)o.tiles / o.root, 100 * root / o.wall);
  }
  return good ? 0 : 1;
}
