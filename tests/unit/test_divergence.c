#include "measure/divergence.h"

#include "unit.h"

static double words(const char *a, const char *b) {
  double d = -1;
  assert_int_equal(les_jaccard_words(a, b, &d), LES_OK);
  return d;
}

static void jaccard_of_words(void **state) {
  (void)state;
  assert_near(words("the cat sat", "THE cat ran"), 0.5, 1e-15);
  assert_near(words("a a a b", "b a"), 0, 0);
  assert_near(words("", " \n"), 0, 0);
  assert_near(words("", "x"), 1, 0);
  assert_near(words("x", ""), 1, 0);
  assert_near(words("cat", "cat."), 1, 0);
  assert_near(words("a b c d", "c d e f g"), 1 - 2.0 / 7, 1e-15);
}

static void jaccard_of_tokens(void **state) {
  (void)state;
  const int32_t a[] = {5, 1, 5, -3}, b[] = {1, 7};
  double d;
  assert_int_equal(les_jaccard_tokens(a, 4, b, 2, &d), LES_OK);
  assert_near(d, 0.75, 0);
  assert_int_equal(les_jaccard_tokens(a, 0, b, 0, &d), LES_OK);
  assert_near(d, 0, 0);
  assert_int_equal(les_jaccard_tokens(a, 4, b, 0, &d), LES_OK);
  assert_near(d, 1, 0);
}

static void common_prefix(void **state) {
  (void)state;
  const int32_t a[] = {1, 2, 3}, b[] = {1, 2, 4, 5};
  assert_int_equal(les_common_prefix(a, 3, b, 4), 2);
  assert_int_equal(les_common_prefix(a, 2, b, 4), 2);
  assert_int_equal(les_common_prefix(a, 3, a, 3), 3);
  assert_int_equal(les_common_prefix(a, 0, b, 4), 0);
}

static void teacher_forced_means(void **state) {
  (void)state;
  les_forced f = {0};
  les_forced_add(&f, 1, 0.5, true);
  les_forced_add(&f, 2, 0.25, false);
  les_forced_add(&f, 6, 0, true);
  les_forced_measures m = les_forced_finish(&f);
  assert_near(m.mean_nll, 3, 1e-15);
  assert_near(m.perplexity, exp(3), 1e-12);
  assert_near(m.kl_mean, 0.25, 1e-15);
  assert_near(m.kl_max, 0.5, 0);
  assert_near(m.top1_agreement, 2.0 / 3, 1e-15);
}

static void negative_rounding_of_kl_is_not_clipped(void **state) {
  (void)state;
  les_forced f = {0};
  les_forced_add(&f, 1, -1e-17, true);
  assert_true(les_forced_finish(&f).kl_max < 0);
}

static void nan_goes_through(void **state) {
  (void)state;
  for (int at = 0; at < 3; at++) {
    les_forced f = {0};
    for (int i = 0; i < 3; i++) les_forced_add(&f, 1, i == at ? NAN : 1, true);
    les_forced_measures m = les_forced_finish(&f);
    assert_true(isnan(m.mean_nll) && isnan(m.perplexity) && isnan(m.kl_mean) && isnan(m.kl_max) &&
                isnan(m.top1_agreement));
  }
}

static void no_position_has_no_mean(void **state) {
  (void)state;
  assert_true(isnan(les_forced_finish(&(les_forced){0}).mean_nll));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(jaccard_of_words),
      cmocka_unit_test(jaccard_of_tokens),
      cmocka_unit_test(common_prefix),
      cmocka_unit_test(teacher_forced_means),
      cmocka_unit_test(negative_rounding_of_kl_is_not_clipped),
      cmocka_unit_test(nan_goes_through),
      cmocka_unit_test(no_position_has_no_mean),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
