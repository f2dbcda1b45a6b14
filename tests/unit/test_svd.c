/* Truncated decompositions, against matrices whose singular vectors are known: cosines. */
#include "lesion/svd.h"
#include "unit.h"

/* Element i of the k-th vector of an orthonormal svd of n (the discrete cosine transform, type II). */
static double cosine(int k, int i, int n) {
  return sqrt((k ? 2.0 : 1.0) / n) * cos(3.141592653589793 * k * (i + 0.5) / n);
}

static double singular_value(int k) {
  return 1.0 / (1 + k);
}

/* The matrix of the first `rank` singular values. */
static les_matrix_edit make(int rows, int cols, int rank) {
  les_matrix_edit d = {malloc((size_t)(rows * cols) * sizeof *d.w), rows, cols, 0, LES_UP, 1};
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < cols; c++) {
      double sum = 0;
      for (int k = 0; k < rank; k++) sum += singular_value(k) * cosine(k, r, rows) * cosine(k, c, cols);
      d.w[r * cols + c] = (float)sum;
    }
  return d;
}

static double distance_squared(const les_matrix_edit *a, const les_matrix_edit *b) {
  double sum = 0;
  for (int64_t i = 0; i < a->rows * a->cols; i++) sum += pow((double)a->w[i] - (double)b->w[i], 2);
  return sum;
}

static void check_ranks(int rows, int cols) {
  int n = rows < cols ? rows : cols;
  les_matrix_edit full = make(rows, cols, n);
  les_svd *svd;
  assert_int_equal(les_svd_compute(&svd, &full), LES_OK);
  for (int k = 0; k < n; k++) assert_near(sqrt(svd->squares[n - 1 - k]), singular_value(k), 1e-7);
  const int ranks[] = {1, 5, n - 1, n};
  for (int i = 0; i < 4; i++) {
    les_matrix_edit d = make(rows, cols, n), want = make(rows, cols, ranks[i]);
    double discarded = 0;
    for (int k = ranks[i]; k < n; k++) discarded += pow(singular_value(k), 2);
    assert_int_equal(les_svd_truncate(svd, &d, ranks[i]), LES_OK);
    assert_near(distance_squared(&d, &want), 0, 1e-12);
    assert_near(distance_squared(&d, &full), discarded, 1e-7);
    free(d.w);
    free(want.w);
  }
  les_svd_free(&svd);
  free(full.w);
}

static void test_error_is_the_discarded_singular_values(void **state) {
  (void)state;
  check_ranks(20, 31);
  check_ranks(31, 20);
  check_ranks(24, 24);
}

/* Larger than one piece of work in both directions, with a rest. */
static void test_bytes_do_not_depend_on_threads(void **state) {
  (void)state;
  for (int wide = 0; wide < 2; wide++) {
    les_matrix_edit d[2];
    for (int i = 0; i < 2; i++) {
      d[i] = wide ? make(300, 560, 12) : make(560, 300, 12);
      d[i].threads = 1 + 2 * i;
      les_svd *svd;
      assert_int_equal(les_svd_compute(&svd, &d[i]), LES_OK);
      assert_int_equal(les_svd_truncate(svd, &d[i], 7), LES_OK);
      les_svd_free(&svd);
    }
    assert_memory_equal(d[0].w, d[1].w, 300 * 560 * sizeof(float));
    free(d[0].w);
    free(d[1].w);
  }
}

static void test_nan_is_refused(void **state) {
  (void)state;
  les_matrix_edit d = make(8, 9, 8);
  les_svd *svd;
  d.w[3] = NAN;
  assert_int_equal(les_svd_compute(&svd, &d), LES_FAILED);
  assert_message("mlp.up holds NaN");
  assert_null(svd);
  free(d.w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_error_is_the_discarded_singular_values),
      cmocka_unit_test(test_bytes_do_not_depend_on_threads),
      cmocka_unit_test(test_nan_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
