#include "stats.h"

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
  assert_int_equal(les_bootstrap(x, 2, 4, 1, i), LES_OK);
  assert_true(i[0].mean == 0.5 && i[0].low == 0.5 && i[0].high == 0.5);
  assert_true(i[1].mean == 2 && i[1].low == 2 && i[1].high == 2);
}

/* One success in n: the number of successes in a resample is binomial(n, 1/n), for which the quantiles at 2.5
 * and 97.5 % are 0 and 3. */
static void bounds_are_those_of_the_binomial(void **state) {
  (void)state;
  double x[100] = {1};
  les_interval i;
  assert_int_equal(les_bootstrap(x, 1, 100, 1, &i), LES_OK);
  assert_near(i.mean, 0.01, 1e-15);
  assert_near(i.low, 0, 0);
  assert_near(i.high, 0.03, 1e-15);
}

/* Neither the other series of a call nor their number matters to a series. */
static void series_do_not_touch_each_other(void **state) {
  (void)state;
  enum { M = 300, N = 20 };
  static double x[M * N];
  static les_interval all[M];
  les_interval one;
  for (int i = 0; i < M * N; i++) x[i] = sin(i * 1.7) + i % 7;
  assert_int_equal(les_bootstrap(x, M, N, 42, all), LES_OK);
  for (int k = 0; k < M; k += 99) {
    assert_int_equal(les_bootstrap(x + k * N, 1, N, 42, &one), LES_OK);
    assert_memory_equal(&one, &all[k], sizeof one);
  }
  assert_int_equal(les_bootstrap(x, 1, N, 43, &one), LES_OK);
  assert_true(one.low != all[0].low || one.high != all[0].high);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantiles_are_numpys),           cmocka_unit_test(means),
      cmocka_unit_test(constant_series_have_no_width),  cmocka_unit_test(bounds_are_those_of_the_binomial),
      cmocka_unit_test(series_do_not_touch_each_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
