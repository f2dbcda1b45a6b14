#include "stats/inference.h"

#include "base/file.h"
#include "unit.h"

#include <cjson/cJSON.h>

enum { MOST = 128 };

/* Values of scipy and statsmodels; the file says which versions. */
static cJSON *reference;

static int set_up(void **state) {
  (void)state;
  char *text;
  size_t n;
  if (les_file_read(TEST_DATA "/stats/reference.json", &text, &n) != LES_OK) return -1;
  reference = cJSON_Parse(text);
  free(text);
  return reference ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  cJSON_Delete(reference);
  return 0;
}

static int read_list(const cJSON *object, const char *name, double *out) {
  const cJSON *item;
  int n = 0;
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(object, name)) out[n++] = item->valuedouble;
  return n;
}

static void expect(const cJSON *object, const char *name, les_test found) {
  double want[2];
  assert_int_equal(read_list(object, name, want), 2);
  assert_near(found.statistic, want[0], 1e-9);
  assert_near(found.p, want[1], 1e-9);
}

static void mcnemar_is_statsmodels(void **state) {
  (void)state;
  const cJSON *c;
  cJSON_ArrayForEach(c, cJSON_GetObjectItem(reference, "mcnemar")) {
    int b = cJSON_GetObjectItem(c, "b")->valueint, d = cJSON_GetObjectItem(c, "c")->valueint;
    expect(c, "exact", les_mcnemar_exact(b, d));
    expect(c, "chi2", les_mcnemar_chi2(b, d));
  }
}

static void mcnemar_without_differences(void **state) {
  (void)state;
  assert_near(les_mcnemar_exact(0, 0).p, 1, 0);
  assert_true(isnan(les_mcnemar_chi2(0, 0).p));
}

static void holm_is_statsmodels(void **state) {
  (void)state;
  const cJSON *c;
  double p[MOST], want[MOST], found[MOST];
  cJSON_ArrayForEach(c, cJSON_GetObjectItem(reference, "holm")) {
    int n = read_list(c, "p", p);
    read_list(c, "corrected", want);
    assert_int_equal(les_holm(p, n, found), LES_OK);
    for (int i = 0; i < n; i++) assert_near(found[i], want[i], 1e-12);
  }
}

static void holm_leaves_nan_out(void **state) {
  (void)state;
  double found[3];
  assert_int_equal(les_holm((double[]){0.01, NAN, 0.04}, 3, found), LES_OK);
  assert_near(found[0], 0.02, 1e-15);
  assert_true(isnan(found[1]));
  assert_near(found[2], 0.04, 1e-15);
}

static void rank_correlations_are_scipys(void **state) {
  (void)state;
  const cJSON *c;
  double x[MOST], y[MOST];
  int cases = 0;
  cJSON_ArrayForEach(c, cJSON_GetObjectItem(reference, "correlation")) {
    les_test spearman, kendall;
    int n = read_list(c, "x", x);
    read_list(c, "y", y);
    assert_int_equal(les_spearman(x, y, n, &spearman), LES_OK);
    assert_int_equal(les_kendall(x, y, n, &kendall), LES_OK);
    expect(c, "spearman", spearman);
    expect(c, "kendall", kendall);
    cases++;
  }
  assert_true(cases > 20);
}

static void correlations_that_are_not_defined(void **state) {
  (void)state;
  const double x[] = {1, 2, 3, 4}, flat[] = {2, 2, 2, 2}, hole[] = {1, NAN, 3, 4};
  les_test t;
  assert_int_equal(les_spearman(x, flat, 4, &t), LES_OK);
  assert_true(isnan(t.statistic));
  assert_int_equal(les_kendall(flat, x, 4, &t), LES_OK);
  assert_true(isnan(t.statistic));
  assert_int_equal(les_spearman(x, hole, 4, &t), LES_OK);
  assert_true(isnan(t.statistic));
  assert_int_equal(les_kendall(x, x, 2, &t), LES_OK);
  assert_true(isnan(t.statistic));
  assert_int_equal(les_spearman(x, x, 4, &t), LES_OK);
  assert_true(t.statistic == 1 && t.p == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mcnemar_is_statsmodels),       cmocka_unit_test(mcnemar_without_differences),
      cmocka_unit_test(holm_is_statsmodels),          cmocka_unit_test(holm_leaves_nan_out),
      cmocka_unit_test(rank_correlations_are_scipys), cmocka_unit_test(correlations_that_are_not_defined),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
