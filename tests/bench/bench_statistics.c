/* Tables of docs/measures.md: how often the map's tests and intervals are wrong, and what they find.
 * Usage: bench_statistics [DRAWS]. */
#include "error_rates.h"

#include <stdio.h>
#include <stdlib.h>

static const int sizes[] = {4, 6, 10, 20, 50, 100, 500};
enum { SIZES = sizeof sizes / sizeof *sizes, LAYERS = 16 };

static void print_head(const char *title) {
  printf("\n%s\n\n| values |", title);
  for (int k = 0; k < SIZES; k++) printf(" n = %d |", sizes[k]);
  printf("\n| --- |");
  for (int k = 0; k < SIZES; k++) printf(" ---: |");
  putchar('\n');
}

int main(int argc, char **argv) {
  int draws = argc > 1 ? atoi(argv[1]) : 4000;
  for (int t = 0; t < 3; t++) {
    print_head(t == 0   ? "Two lesions that do not differ, told apart (nominal 0.05)"
               : t == 1 ? "Two lesions half a standard deviation apart, told apart"
                        : "Differences as skewed as the values, of mean 0 (nominal 0.05)");
    for (int s = 0; s < RATE_SHAPES; s++) {
      printf("| %s |", rate_shape_name(s));
      for (int k = 0; k < SIZES; k++)
        printf(" %.3f |",
               t < 2 ? rate_of_pairs(s, sizes[k], 0.5 * t, draws) : rate_of_one_sample(s, sizes[k], draws));
      putchar('\n');
      fflush(stdout);
    }
  }
  for (int m = 16; m <= 30; m += 14) {
    char title[128];
    snprintf(title, sizeof title,
             "%d layers that do not differ: the least damaging told apart from some other", m);
    print_head(title);
    for (int s = 0; s < RATE_SHAPES; s++) {
      printf("| %s |", rate_shape_name(s));
      for (int k = 0; k < SIZES; k++) /* up to 20 pairs every assignment of signs is looked at */
        printf(" %.3f |", rate_of_extremes(s, sizes[k], m, sizes[k] == 20 ? draws / 20 : draws / 4));
      putchar('\n');
      fflush(stdout);
    }
  }
  print_head("95 % intervals that hold the mean (from 5 values on)");
  for (int s = 0; s < RATE_SHAPES; s++) {
    printf("| %s |", rate_shape_name(s));
    for (int k = 0; k < SIZES; k++) printf(" %.3f |", rate_of_coverage(s, sizes[k], draws));
    putchar('\n');
    fflush(stdout);
  }
  print_head("Upper bounds of the damage of 16 layers, some one below the mean (nominal 0.05)");
  for (int s = 0; s < RATE_SHAPES; s++) {
    printf("| %s |", rate_shape_name(s));
    for (int k = 0; k < SIZES; k++) printf(" %.3f |", rate_of_bounds(s, sizes[k], LAYERS, draws / 8));
    putchar('\n');
    fflush(stdout);
  }
  return 0;
}
