/* Tables of docs/measures.md: how often the map's tests and intervals are wrong, and what they find.
 * Usage: bench_statistics [DRAWS [TABLE]], all tables unless one is given by its number. */
#include "error_rates.h"

#include <stdio.h>
#include <stdlib.h>

static double same(rate_shape shape, int n, int draws) {
  return rate_of_pairs(shape, n, 0, draws);
}

static double different(rate_shape shape, int n, int draws) {
  return rate_of_pairs(shape, n, 0.5, draws);
}

/* Up to 20 pairs every assignment of signs is looked at, which takes longest for 20. */
static double extremes_of_16(rate_shape shape, int n, int draws) {
  return rate_of_extremes(shape, n, 16, n == 20 ? draws / 20 : draws / 4);
}

static double extremes_of_30(rate_shape shape, int n, int draws) {
  return rate_of_extremes(shape, n, 30, n == 20 ? draws / 20 : draws / 4);
}

static double bounds_of_16(rate_shape shape, int n, int draws) {
  return rate_of_bounds(shape, n, 16, draws / 8);
}

typedef struct table {
  const char *title;
  double (*rate)(rate_shape shape, int n, int draws);
} table;

static const table tables[] = {
    {"Two lesions that do not differ, told apart (nominal 0.05)", same},
    {"Two lesions half a standard deviation apart, told apart", different},
    {"Differences as skewed as the values, of mean 0, told from 0 (nominal 0.05)", rate_of_one_sample},
    {"16 layers that do not differ: the least damaging told apart from some other (at most 0.05)",
     extremes_of_16},
    {"30 layers that do not differ: the least damaging told apart from some other (at most 0.05)",
     extremes_of_30},
    {"95 % intervals that hold the mean", rate_of_coverage},
    {"Upper bounds of the damage of 16 layers, some one below the mean (nominal 0.05)", bounds_of_16},
};
static const int sizes[] = {4, 6, 10, 20, 50, 100, 500};
enum { TABLES = sizeof tables / sizeof *tables, SIZES = sizeof sizes / sizeof *sizes };

static void print_table(const table *t, int draws) {
  printf("\n%s:\n\n| values |", t->title);
  for (int k = 0; k < SIZES; k++) printf(" n = %d |", sizes[k]);
  printf("\n| --- |");
  for (int k = 0; k < SIZES; k++) printf(" ---: |");
  for (int s = 0; s < RATE_SHAPES; s++) {
    printf("\n| %s |", rate_shape_name((rate_shape)s));
    for (int k = 0; k < SIZES; k++) {
      printf(" %.3f |", t->rate((rate_shape)s, sizes[k], draws));
      fflush(stdout);
    }
  }
  putchar('\n');
}

int main(int argc, char **argv) {
  int draws = argc > 1 ? atoi(argv[1]) : 4000, only = argc > 2 ? atoi(argv[2]) : 0;
  for (int i = 0; i < TABLES; i++)
    if (only == 0 || only == i + 1) print_table(&tables[i], draws);
  return 0;
}
