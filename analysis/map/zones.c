#include "map/zones.h"

#include "stats/stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The search for the best cuts. cost[k * (n + 1) + j]: least sum of squares of the first j values in k + 1
 * runs; start[...]: where the last of these runs begins. */
typedef struct search {
  const double *y;
  int n, most;      /* values; runs at most */
  double *sum, *sq; /* (n + 1) running sums of y and of its square, y shifted by its mean */
  double *cost;     /* (most, n + 1) */
  int *start;       /* (most, n + 1) */
} search;

/* Sum of squared distances of values i..j-1 to their mean. */
static double run_cost(const search *s, int i, int j) {
  double sum = s->sum[j] - s->sum[i];
  double cost = s->sq[j] - s->sq[i] - sum * sum / (j - i);
  return cost > 0 ? cost : 0;
}

static void fill(search *s) {
  double mean = les_mean(s->y, s->n);
  s->sum[0] = s->sq[0] = 0;
  for (int i = 0; i < s->n; i++) {
    double d = s->y[i] - mean;
    s->sum[i + 1] = s->sum[i] + d;
    s->sq[i + 1] = s->sq[i] + d * d;
  }
  int w = s->n + 1;
  for (int j = 1; j <= s->n; j++) s->cost[j] = run_cost(s, 0, j), s->start[j] = 0;
  for (int k = 1; k < s->most; k++)
    for (int j = k + 1; j <= s->n; j++) {
      s->cost[k * w + j] = INFINITY;
      for (int i = k; i < j; i++) {
        double cost = s->cost[(k - 1) * w + i] + run_cost(s, i, j);
        if (cost < s->cost[k * w + j]) s->cost[k * w + j] = cost, s->start[k * w + j] = i;
      }
    }
}

/* Number of runs by Schwarz's criterion. */
static int choose(const search *s, double noise) {
  int best = 1;
  double least = INFINITY;
  for (int k = 1; k <= s->most; k++) {
    double variance = s->cost[(k - 1) * (s->n + 1) + s->n] / s->n;
    double criterion = s->n * log(fmax(variance, fmax(noise, 1e-300))) + 2 * k * log(s->n);
    if (criterion < least) least = criterion, best = k;
  }
  return best;
}

static les_zone describe(const search *s, int first, int last) {
  les_zone z = {.first = first, .last = last, .min = INFINITY, .max = -INFINITY};
  z.mean = les_mean(s->y + first, last - first + 1);
  for (int i = first; i <= last; i++) {
    z.min = fmin(z.min, s->y[i]);
    z.max = fmax(z.max, s->y[i]);
  }
  return z;
}

static const char *name_run(double mean, const les_zone *whole) {
  double third = (whole->max - whole->min) / 3;
  return mean > whole->max - third ? "critical" : mean < whole->min + third ? "low" : "active";
}

/* Names the values by their runs, whose bounds stand in zones[0..n_runs-1]. */
static void name_values(const search *s, const les_zone *runs, int n_runs, const char **names) {
  const les_zone whole = describe(s, 0, s->n - 1);
  for (int r = 0; r < n_runs; r++) {
    les_zone run = describe(s, runs[r].first, runs[r].last);
    for (int i = run.first; i <= run.last; i++)
      names[i] = n_runs == 1 ? "active" : name_run(run.mean, &whole);
  }
}

/* Zones: neighbouring layers of one name. */
static int join_values(const search *s, const char *const *names, const int *layers, les_zone *zones) {
  int n = 0;
  for (int i = 0, end; i < s->n; i = end) {
    for (end = i + 1; end < s->n && layers[end] == layers[end - 1] + 1 && !strcmp(names[end], names[i]);)
      end++;
    zones[n] = describe(s, i, end - 1);
    zones[n++].name = names[i];
  }
  return n;
}

les_status les_zones_find(const double *profile, const int *layers, int n, double noise, les_zone *zones,
                          int *n_zones) {
  *n_zones = 0;
  if (n == 0) return LES_OK;
  search s = {.y = profile, .n = n, .most = n > 1 ? n / 2 : 1};
  size_t cells = (size_t)s.most * (size_t)(n + 1);
  s.sum = calloc((size_t)n + 1, sizeof *s.sum);
  s.sq = calloc((size_t)n + 1, sizeof *s.sq);
  s.cost = calloc(cells, sizeof *s.cost);
  s.start = calloc(cells, sizeof *s.start);
  const char **names = calloc((size_t)n, sizeof *names);
  bool good = s.sum && s.sq && s.cost && s.start && names;
  if (good) {
    fill(&s);
    int runs = choose(&s, noise);
    for (int k = runs - 1, end = n; k >= 0; end = zones[k--].first) {
      zones[k].first = s.start[k * (n + 1) + end];
      zones[k].last = end - 1;
    }
    name_values(&s, zones, runs, names);
    *n_zones = join_values(&s, names, layers, zones);
  }
  free(names);
  free(s.start);
  free(s.cost);
  free(s.sq);
  free(s.sum);
  return good ? LES_OK : les_no_memory("the zones of %d layers", n);
}
