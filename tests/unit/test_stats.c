#include "stats/stats.h"

#include "base/rng.h"
#include "unit.h"

static void quantiles_are_numpys(void **state) {
  (void)state;
  double x[] = {7, 1, 5, 3, 9};
  assert_near(les_quantile(x, 5, 0), 1, 0);
  assert_near(les_quantile(x, 5, 0.5), 5, 0);
  assert_near(les_quantile(x, 5, 1), 9, 0);
  assert_near(les_quantile(x, 5, 0.1), 1.8, 1e-15);
  double equal[] = {2, 2, 2, 2};
  assert_near(les_quantile(equal, 4, 0.33), 2, 0);
  assert_near(les_quantile(equal, 1, 0.33), 2, 0);
}

static void means(void **state) {
  (void)state;
  assert_near(les_mean((double[]){1, 2, 6}, 3), 3, 0);
  assert_true(isnan(les_mean(NULL, 0)));
}

static void constant_series_have_no_width(void **state) {
  (void)state;
  const double x[] = {0.5, 0.5, 0.5, 0.5, 2, 2, 2, 2};
  les_interval i[2];
  assert_int_equal(les_bootstrap(x, (int[]){4, 4}, 2, 4, 1, i), LES_OK);
  assert_true(i[0].mean == 0.5 && i[0].low == 0.5 && i[0].high == 0.5);
  assert_true(i[1].mean == 2 && i[1].low == 2 && i[1].high == 2);
  assert_near(i[0].p, 2.0 / (LES_RESAMPLES + 1), 1e-15);
}

/* One success in n: the number of successes in a resample is binomial(n, 1/n), for which the quantiles at 2.5
 * and 97.5 % are 0 and 3. */
static void bounds_are_those_of_the_binomial(void **state) {
  (void)state;
  double x[100] = {1};
  les_interval i;
  assert_int_equal(les_bootstrap(x, &(int){100}, 1, 100, 1, &i), LES_OK);
  assert_near(i.mean, 0.01, 1e-15);
  assert_near(i.low, 0, 0);
  assert_near(i.high, 0.03, 1e-15);
  assert_near(i.p, 2 * 0.366, 0.03); /* (1 - 1/n)^n */
}

/* Neither the other series of a call nor their number or length matters to a series. */
static void series_do_not_touch_each_other(void **state) {
  (void)state;
  enum { M = 300, N = 20 };
  static double x[M * N];
  static les_interval all[M];
  static int n[M];
  les_interval one;
  for (int i = 0; i < M * N; i++) x[i] = sin(i * 1.7) + i % 7;
  for (int i = 0; i < M; i++) n[i] = i % 3 ? N : i % N;
  assert_int_equal(les_bootstrap(x, n, M, N, 42, all), LES_OK);
  for (int k = 0; k < M; k += 23) {
    assert_int_equal(les_bootstrap(x + k * N, &n[k], 1, N, 42, &one), LES_OK);
    if (n[k] == 0)
      assert_true(isnan(one.mean) && isnan(all[k].low));
    else
      assert_memory_equal(&one, &all[k], sizeof one);
  }
  assert_int_equal(les_bootstrap(x + N, &n[1], 1, N, 43, &one), LES_OK);
  assert_true(one.low != all[1].low || one.high != all[1].high);
}

/* Intact and lesioned runs of 120 prompts that differ in difficulty, with a known effect: the interval of the
 * paired difference holds it in 93 to 97 % of 2,000 draws. */
static void intervals_cover_the_truth(void **state) {
  (void)state;
  enum { DRAWS = 2000, PROMPTS = 120 };
  const double effect = 0.3;
  double *differences = malloc(sizeof(double) * DRAWS * PROMPTS);
  int *n = malloc(sizeof(int) * DRAWS), held = 0;
  les_interval *intervals = malloc(sizeof *intervals * DRAWS);
  for (int d = 0; d < DRAWS; d++) {
    n[d] = PROMPTS;
    for (int p = 0; p < PROMPTS; p++) {
      double difficulty[2], noise[2];
      uint64_t cell = (uint64_t)d * PROMPTS + (uint64_t)p;
      les_random_normal(7, LES_FOR_RESAMPLES, 1, cell, difficulty);
      les_random_normal(7, LES_FOR_RESAMPLES, 2, cell, noise);
      double intact = difficulty[0] + 0.5 * noise[0], lesioned = difficulty[0] + effect + 0.5 * noise[1];
      differences[cell] = lesioned - intact;
    }
  }
  assert_int_equal(les_bootstrap(differences, n, DRAWS, PROMPTS, 1, intervals), LES_OK);
  for (int d = 0; d < DRAWS; d++) held += intervals[d].low <= effect && effect <= intervals[d].high;
  assert_in_range(held, DRAWS * 93 / 100, DRAWS * 97 / 100);
  free(intervals);
  free(n);
  free(differences);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantiles_are_numpys),           cmocka_unit_test(means),
      cmocka_unit_test(constant_series_have_no_width),  cmocka_unit_test(bounds_are_those_of_the_binomial),
      cmocka_unit_test(series_do_not_touch_each_other), cmocka_unit_test(intervals_cover_the_truth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
