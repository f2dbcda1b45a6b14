/* The tests and intervals of the map keep their level; `bench_statistics` prints the whole tables. */
#include "error_rates.h"

#include "unit.h"

enum { DRAWS = 2000 };

/* At most 1.3 times the nominal level, and what chance adds at this number of draws. */
static const double most = 1.3 * 0.05 + 0.005;

static void pairs_without_a_difference(void **state) {
  (void)state;
  for (int s = 0; s < RATE_SHAPES; s++) {
    const int sizes[] = {4, 6, 10, 20, 50, 100};
    for (int k = 0; k < 6; k++)
      if (sizes[k] != 20) assert_true(rate_of_pairs(s, sizes[k], 0, DRAWS) <= most);
  }
  assert_true(rate_of_pairs(RATE_NORMAL, 50, 0, DRAWS) >= 0.05 / 1.3 - 0.005);
}

static void pairs_with_a_difference(void **state) {
  (void)state;
  for (int s = 0; s < RATE_SHAPES; s++) {
    assert_true(rate_of_pairs(s, 4, 0.5, 100) == 0);
    assert_true(rate_of_pairs(s, 100, 0.5, DRAWS / 4) >= 0.9);
  }
}

static void extremes_of_layers_that_do_not_differ(void **state) {
  (void)state;
  for (int s = 0; s < RATE_SHAPES; s++) {
    assert_true(rate_of_extremes(s, 10, 16, 200) <= most);
    assert_true(rate_of_extremes(s, 50, 16, 200) <= most + 0.03);
    assert_true(rate_of_extremes(s, 100, 30, 100) <= most + 0.04);
  }
}

static void intervals_of_skewed_values(void **state) {
  (void)state;
  assert_true(rate_of_coverage(RATE_NORMAL, 10, DRAWS) >= 0.93);
  assert_true(rate_of_coverage(RATE_LOGNORMAL, 15, DRAWS) >= 0.88);
  assert_true(rate_of_coverage(RATE_LOGNORMAL, 50, DRAWS) >= 0.91);
  assert_true(rate_of_coverage(RATE_BOUNDED, 10, DRAWS) >= 0.94);
  assert_true(rate_of_coverage(RATE_TIED, 10, DRAWS) >= 0.93);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pairs_without_a_difference),
      cmocka_unit_test(pairs_with_a_difference),
      cmocka_unit_test(extremes_of_layers_that_do_not_differ),
      cmocka_unit_test(intervals_of_skewed_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
