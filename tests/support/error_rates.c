#include "error_rates.h"

#include "base/rng.h"
#include "stats/sign_flip.h"
#include "stats/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEED = 271828 };

const char *rate_shape_name(rate_shape shape) {
  static const char *const names[] = {"normal", "lognormal", "bounded", "tied"};
  return names[shape];
}

static double value_of(rate_shape shape, double z) {
  switch (shape) {
  case RATE_LOGNORMAL:
    return exp(z);
  case RATE_BOUNDED:
    return 1 / (1 + exp(-2 * z));
  case RATE_TIED:
    return z > 0.5;
  default:
    return z;
  }
}

static double true_mean(rate_shape shape) {
  switch (shape) {
  case RATE_LOGNORMAL:
    return exp(0.5);
  case RATE_BOUNDED:
    return 0.5;
  case RATE_TIED:
    return erfc(0.5 / sqrt(2)) / 2;
  default:
    return 0;
  }
}

static les_bounds bounds_of(rate_shape shape, double tail) {
  bool share = shape == RATE_BOUNDED || shape == RATE_TIED;
  return (les_bounds){tail, shape == RATE_NORMAL ? -INFINITY : 0, share ? 1 : INFINITY};
}

static double normal(uint32_t place, uint64_t index) {
  double z[2];
  les_random_normal(SEED, LES_FOR_SAMPLES, place, index, z);
  return z[0];
}

/* Values (m, n) of one draw; `effect` is added to z of the first lesion. */
static void fill(rate_shape shape, int draw, int m, int n, double effect, double *values) {
  for (int p = 0; p < n; p++) {
    double prompt = normal(0, (uint64_t)draw * 1000 + (uint64_t)p);
    for (int i = 0; i < m; i++) {
      double z = sqrt(0.5) * (prompt + normal((uint32_t)i + 1, (uint64_t)draw * 1000 + (uint64_t)p));
      values[i * n + p] = value_of(shape, z + (i == 0 ? effect : 0));
    }
  }
}

static void *allocate(size_t n, size_t size) {
  void *memory = calloc(n, size);
  if (!memory) {
    fputs("out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

static void check(les_status status) {
  if (status == LES_OK) return;
  fprintf(stderr, "%s\n", les_message());
  exit(1);
}

/* Share of the tests of (draws, n) differences with p of at most 0.05. */
static double share_of_tests(const double *differences, int n, int draws) {
  double *p = allocate((size_t)draws, sizeof *p);
  int *lengths = allocate((size_t)draws, sizeof *lengths), found = 0;
  for (int d = 0; d < draws; d++) lengths[d] = n;
  check(les_sign_flip(differences, lengths, draws, n, (les_family){1, SEED}, p));
  for (int d = 0; d < draws; d++) found += p[d] <= LES_LEVEL;
  free(lengths);
  free(p);
  return (double)found / draws;
}

double rate_of_pairs(rate_shape shape, int n, double effect, int draws) {
  double *values = allocate(2 * (size_t)n, sizeof *values);
  double *differences = allocate((size_t)draws * (size_t)n, sizeof *differences);
  for (int d = 0; d < draws; d++) {
    fill(shape, d, 2, n, effect, values);
    for (int p = 0; p < n; p++) differences[(size_t)d * (size_t)n + (size_t)p] = values[p] - values[n + p];
  }
  double share = share_of_tests(differences, n, draws);
  free(differences);
  free(values);
  return share;
}

double rate_of_one_sample(rate_shape shape, int n, int draws) {
  double *differences = allocate((size_t)draws * (size_t)n, sizeof *differences);
  for (int d = 0; d < draws; d++) {
    fill(shape, d, 1, n, 0, differences + (size_t)d * (size_t)n);
    for (int p = 0; p < n; p++) differences[(size_t)d * (size_t)n + (size_t)p] -= true_mean(shape);
  }
  double share = share_of_tests(differences, n, draws);
  free(differences);
  return share;
}

double rate_of_extremes(rate_shape shape, int n, int m, int draws) {
  size_t cells = (size_t)m * (size_t)n;
  double *values = allocate(cells, sizeof *values), *differences = allocate(cells, sizeof *differences);
  double *p = allocate((size_t)m, sizeof *p);
  int *lengths = allocate((size_t)m, sizeof *lengths), found = 0;
  for (int i = 0; i < m; i++) lengths[i] = n;
  for (int d = 0; d < draws; d++) {
    fill(shape, d, m, n, 0, values);
    int least = 0, told = 0;
    for (int i = 1; i < m; i++)
      if (les_mean(values + i * n, n) < les_mean(values + least * n, n)) least = i;
    for (int i = 0; i < m; i++)
      for (int k = 0; k < n; k++) differences[i * n + k] = values[i * n + k] - values[least * n + k];
    check(les_sign_flip(differences, lengths, m, n, (les_family){m * (m - 1) / 2.0, SEED}, p));
    for (int i = 0; i < m; i++) told += p[i] * m * (m - 1) / 2.0 <= LES_LEVEL;
    found += told > 0;
  }
  free(lengths);
  free(p);
  free(differences);
  free(values);
  return (double)found / draws;
}

/* Intervals (draws, m) of series of n values. */
static les_interval *intervals_of(rate_shape shape, int n, int m, double tail, int draws) {
  size_t rows = (size_t)draws * (size_t)m;
  double *values = allocate(rows * (size_t)n, sizeof *values);
  int *lengths = allocate(rows, sizeof *lengths);
  les_interval *intervals = allocate(rows, sizeof *intervals);
  for (size_t i = 0; i < rows; i++) lengths[i] = n;
  for (int d = 0; d < draws; d++) fill(shape, d, m, n, 0, values + (size_t)d * (size_t)m * (size_t)n);
  check(les_bootstrap(values, lengths, (int)rows, n, bounds_of(shape, tail), SEED, intervals));
  free(lengths);
  free(values);
  return intervals;
}

double rate_of_coverage(rate_shape shape, int n, int draws) {
  les_interval *intervals = intervals_of(shape, n, 1, 0.025, draws);
  int held = 0;
  for (int d = 0; d < draws; d++)
    held += intervals[d].low <= true_mean(shape) && true_mean(shape) <= intervals[d].high;
  free(intervals);
  return (double)held / draws;
}

double rate_of_bounds(rate_shape shape, int n, int m, int draws) {
  les_interval *intervals = intervals_of(shape, n, m, 0.05 / m, draws);
  int wrong = 0;
  for (int d = 0; d < draws; d++) {
    bool missed = false;
    for (int i = 0; i < m; i++) missed = missed || intervals[d * m + i].high < true_mean(shape);
    wrong += missed;
  }
  free(intervals);
  return (double)wrong / draws;
}
