#include "stats/stats.h"

#include "base/rng.h"
#include "stats/inference.h"
#include "stats/sign_flip.h"
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

static const les_bounds free_bounds = {0.025, -INFINITY, INFINITY}, share_bounds = {0.025, 0, 1};

static void series_of_equal_values(void **state) {
  (void)state;
  const double x[] = {0.5, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 1};
  les_interval i[2];
  assert_int_equal(les_bootstrap(x, (int[]){5, 5}, 2, 5, free_bounds, 1, i), LES_OK);
  assert_true(i[0].mean == 0.5 && i[0].low == 0.5 && i[0].high == 0.5);
  assert_int_equal(les_bootstrap(x, (int[]){5, 5}, 2, 5, share_bounds, 1, i), LES_OK);
  assert_near(i[1].low, pow(0.025, 0.2), 1e-12); /* five of five: Clopper and Pearson */
  assert_near(i[1].high, 1, 0);
}

static void few_values_give_no_interval(void **state) {
  (void)state;
  const double x[] = {1, 2, 3, 4};
  les_interval i;
  assert_int_equal(les_bootstrap(x, &(int){4}, 1, 4, free_bounds, 1, &i), LES_OK);
  assert_near(i.mean, 2.5, 0);
  assert_near(i.error, sqrt(5.0 / 3 / 4), 1e-15);
  assert_true(isnan(i.low) && isnan(i.high));
}

/* scipy.stats.binomtest(3, 20).proportion_ci(0.95, "exact") */
static void proportions_are_clopper_and_pearsons(void **state) {
  (void)state;
  assert_near(1 - les_proportion_high(17, 20, 0.025), 0.032070937216, 1e-10);
  assert_near(les_proportion_high(3, 20, 0.025), 0.378926825, 1e-8);
  assert_near(les_proportion_high(20, 20, 0.025), 1, 0);
}

/* One right answer of a hundred: a third of the resamples have none and no spread, so the upper bound is
 * Clopper's and Pearson's, not the end of the range. */
static void rare_events_have_exact_bounds(void **state) {
  (void)state;
  double x[100] = {1};
  les_interval i;
  assert_int_equal(les_bootstrap(x, &(int){100}, 1, 100, share_bounds, 1, &i), LES_OK);
  assert_near(i.mean, 0.01, 1e-15);
  assert_near(i.high, les_proportion_high(1, 100, 0.025), 1e-12);
}

static double flip(const double *x, int n, double family) {
  double p;
  assert_int_equal(les_sign_flip(x, &n, 1, n, (les_family){family, 7}, &p), LES_OK);
  return p;
}

static void sign_flips_are_counted(void **state) {
  (void)state;
  const double all[] = {1, 2, 3, 4, 5, 6, 7}, mixed[] = {1, 2, 3, 4, 5, -6, 0, 0};
  assert_near(flip(all, 7, 1), 2.0 / 128, 1e-15);
  assert_near(flip(mixed, 8, 1), 28.0 / 64, 1e-15); /* |9| or more of the 64 sums of +-1 ... +-6, by Python */
  assert_true(isnan(flip(all, 5, 1)));              /* 2 / 32 is above 0.05 whatever the values are */
  assert_true(isnan(flip(all, 7, 100)));            /* ... as is 100 x 2 / 128 */
  const double ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1};
  assert_near(flip(ones, 12, 1), les_mcnemar_exact(3, 9).p, 1e-12); /* on signs alone it is McNemar's */
  assert_int_equal(les_sign_flip_fewest(1), 6);
  assert_int_equal(les_sign_flip_fewest(435), 15);
}

/* Random assignments, for many pairs, agree with the binomial that they estimate; and give the same again. */
static void many_pairs_are_sampled(void **state) {
  (void)state;
  double x[60];
  for (int i = 0; i < 60; i++) x[i] = i < 38 ? 1 : -1;
  double exact = les_mcnemar_exact(22, 38).p, p = flip(x, 60, 50);
  assert_near(p, exact, 4 * sqrt(exact / 100)); /* it may stop at 100 counted ones */
  assert_true(p == flip(x, 60, 50));
  for (int i = 0; i < 60; i++) x[i] = 1;
  assert_near(flip(x, 60, 1), 1.0 / 20001, 1e-15);
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
  assert_int_equal(les_bootstrap(x, n, M, N, free_bounds, 42, all), LES_OK);
  for (int k = 0; k < M; k += 23) {
    assert_int_equal(les_bootstrap(x + k * N, &n[k], 1, N, free_bounds, 42, &one), LES_OK);
    if (n[k] == 0)
      assert_true(isnan(one.mean) && isnan(all[k].low));
    else
      assert_memory_equal(&one, &all[k], sizeof one);
  }
  assert_int_equal(les_bootstrap(x + N, &n[1], 1, N, free_bounds, 43, &one), LES_OK);
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
  assert_int_equal(les_bootstrap(differences, n, DRAWS, PROMPTS, free_bounds, 1, intervals), LES_OK);
  for (int d = 0; d < DRAWS; d++) held += intervals[d].low <= effect && effect <= intervals[d].high;
  assert_in_range(held, DRAWS * 93 / 100, DRAWS * 97 / 100);
  free(intervals);
  free(n);
  free(differences);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantiles_are_numpys),
      cmocka_unit_test(means),
      cmocka_unit_test(series_of_equal_values),
      cmocka_unit_test(few_values_give_no_interval),
      cmocka_unit_test(proportions_are_clopper_and_pearsons),
      cmocka_unit_test(rare_events_have_exact_bounds),
      cmocka_unit_test(series_do_not_touch_each_other),
      cmocka_unit_test(intervals_cover_the_truth),
      cmocka_unit_test(sign_flips_are_counted),
      cmocka_unit_test(many_pairs_are_sampled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
