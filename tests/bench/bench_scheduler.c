/* How the scheduler would keep many ranks busy, and what it asks of rank 0.
 *
 *   bench_scheduler [SECONDS_PER_CELL [SPREAD]]
 *
 * See simulation.h; by default 0.5 s a cell, as measured by a sweep, and a spread of 0.2. */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES_PER_TILE = 3 }; /* the tile, its reports */
/* Of rank 0, assumed on the careful side: a message through a network, a line of the log of events. */
static const double message_seconds = 10e-6, event_seconds = 20e-6;

static void print_row(const simulation *s, const simulated *o) {
  double rank0 = o->rank0 + (double)o->tiles * (MESSAGES_PER_TILE * message_seconds + event_seconds);
  printf("| %d | %d x %d | %d | %lld | %.2f | %.1f | %.0f | %.2f |\n", s->workers, s->lesions, s->prompts,
         (int)((int64_t)s->lesions * s->prompts / s->workers), (long long)o->tiles, o->wall / 3600,
         100 * o->idle, (double)o->tiles / o->rank0, 100 * rank0 / o->wall);
}

int main(int argc, char **argv) {
  static const int sizes[][3] = {/* lesions, prompts, workers */
                                 {16, 500, 4},       {16, 500, 64},     {16, 4000, 64},
                                 {32, 10000, 1000},  {64, 20000, 1000}, {64, 100000, 10000},
                                 {64, 200000, 10000}};
  double cell = argc > 1 ? atof(argv[1]) : 0.5, spread = argc > 2 ? atof(argv[2]) : 0.2;
  printf("%.3g s a cell, spread %.2g\n", cell, spread);
  printf("| workers | lesions x prompts | cells a worker | tiles | hours | idle %% | tiles/s of rank 0 alone "
         "| its load %% |\n");
  printf("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    simulation s = {sizes[i][0], sizes[i][1], sizes[i][2], cell, spread};
    simulated o;
    if (simulation_run(&s, &o) != LES_OK) return fprintf(stderr, "%s\n", les_message()), 1;
    print_row(&s, &o);
  }
  return 0;
}
