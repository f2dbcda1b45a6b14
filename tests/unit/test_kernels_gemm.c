/* Matrix products: every implementation of this machine against the reference, byte for byte, and the
 * reference against sums in double. */
#include "kernels/kernels.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

static const char *const IMPLEMENTATIONS[] = {"avx2", "avx512"};
static const les_dtype TYPES[] = {
    LES_F32,   LES_F16,   LES_BF16,   LES_Q4_0,   LES_Q4_1,    LES_Q5_0,   LES_Q5_1,  LES_Q8_0,  LES_Q2_K,
    LES_Q3_K,  LES_Q4_K,  LES_Q5_K,   LES_Q6_K,   LES_IQ2_XXS, LES_IQ2_XS, LES_IQ2_S, LES_IQ3_S, LES_IQ3_XXS,
    LES_IQ1_S, LES_IQ1_M, LES_IQ4_NL, LES_IQ4_XS, LES_TQ1_0,   LES_TQ2_0,  LES_MXFP4,
};
enum { N_IMPLEMENTATIONS = 2, N_TYPES = sizeof TYPES / sizeof *TYPES, MAX_M = 65 };

static uint32_t random_state;

static uint32_t random_u32(void) { /* xorshift32 */
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static float random_f32(void) {
  return (float)random_u32() * 0x1p-31f - 1.0f;
}

static void *allocate(size_t n) {
  void *p = aligned_alloc(64, (n + 63) / 64 * 64);
  assert_non_null(p);
  return p;
}

/* Weights of any type: random bits, of which those whose values are not finite or huge are drawn again. */
static les_matrix make_weights(les_dtype type, int64_t rows, int64_t cols) {
  const les_dtype_info *info = les_dtype_find(type);
  size_t n_bytes = les_dtype_bytes(type, rows * cols), block = (size_t)info->block_bytes;
  uint8_t *data = allocate(n_bytes);
  for (size_t i = 0; i < n_bytes; i += block) {
    float values[256], largest = 0.0f;
    do {
      for (size_t b = 0; b < block; b++) data[i + b] = (uint8_t)(random_u32() >> 11);
      les_dequantize(type, data + i, info->block_elements, values);
      largest = 0.0f;
      for (int k = 0; k < info->block_elements; k++)
        largest = fmaxf(largest, isfinite(values[k]) ? fabsf(values[k]) : INFINITY);
    } while (!(largest < 1e4f));
  }
  return (les_matrix){type, rows, cols, data};
}

static float *make_activations(int64_t m, int64_t cols) {
  float *x = allocate((size_t)(m * cols) * sizeof *x);
  for (int64_t i = 0; i < m * cols; i++) x[i] = random_f32();
  return x;
}

static void multiply(const char *name, const les_matrix *w, const float *x, int64_t m, les_compute compute,
                     int threads, float *y) {
  size_t n_bytes = les_gemm_scratch(m, w->cols, threads);
  void *scratch = allocate(n_bytes);
  memset(scratch, 0xff, n_bytes); /* NaN, if it is read before it is written */
  assert_true(les_kernels_select(name));
  les_gemm(w, x, m, y, compute, threads, scratch);
  free(scratch);
}

/* Equal bytes, but for the payload of NaN. */
static void assert_equal_bytes(const float *x, const float *y, int64_t n, const char *what,
                               const char *name) {
  for (int64_t i = 0; i < n; i++)
    if (memcmp(x + i, y + i, sizeof *x) != 0 && !(isnan(x[i]) && isnan(y[i])))
      fail_msg("%s, %s: element %d is %.9g, reference %.9g", what, name, (int)i, (double)x[i], (double)y[i]);
}

static void compare_all(const les_matrix *w, const float *x, int64_t m, int threads) {
  size_t n = (size_t)(m * w->rows);
  float *expected = allocate(n * sizeof *expected), *y = allocate(n * sizeof *y);
  for (les_compute compute = LES_COMPUTE_AUTO; compute <= LES_COMPUTE_INT8; compute++) {
    multiply("reference", w, x, m, compute, 1, expected);
    for (int i = 0; i < N_IMPLEMENTATIONS; i++) {
      if (!les_kernels_select(IMPLEMENTATIONS[i])) continue;
      multiply(IMPLEMENTATIONS[i], w, x, m, compute, threads, y);
      assert_equal_bytes(y, expected, (int64_t)n, les_dtype_find(w->type)->name, IMPLEMENTATIONS[i]);
    }
  }
  free(expected);
  free(y);
}

static void test_implementations_agree_for_all_types(void **state) {
  (void)state;
  random_state = 1;
  for (int t = 0; t < N_TYPES; t++) {
    int block = les_dtype_find(TYPES[t])->block_elements;
    int64_t cols = block == 1 ? 301 : block == 32 ? 256 + 96 : 512;
    les_matrix w = make_weights(TYPES[t], 37, cols);
    float *x = make_activations(7, cols);
    compare_all(&w, x, 7, 2);
    compare_all(&w, x, 1, 3);
    free(x);
    free((void *)w.data);
  }
}

static void test_implementations_agree_for_all_shapes(void **state) {
  (void)state;
  random_state = 2;
  static const int64_t ROWS[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 33, 64, MAX_M},
                       OUTPUTS[] = {1, 23, 24, 25, 97};
  static const les_dtype SHAPED[] = {LES_F32, LES_BF16, LES_Q8_0, LES_Q4_0, LES_Q4_K, LES_Q6_K};
  for (size_t t = 0; t < sizeof SHAPED / sizeof *SHAPED; t++)
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
      int block = les_dtype_find(SHAPED[t])->block_elements;
      int64_t cols = block == 1 ? 1 + (int64_t)(random_u32() % 530)
                                : block * (1 + (int64_t)(random_u32() % (block == 32 ? 17 : 3)));
      les_matrix w = make_weights(SHAPED[t], OUTPUTS[(i + t) % 5], cols);
      float *x = make_activations(ROWS[i], cols);
      compare_all(&w, x, ROWS[i], 1 + (int)i % 3);
      free(x);
      free((void *)w.data);
    }
}

static void test_implementations_agree_on_odd_values(void **state) {
  (void)state;
  random_state = 3;
  static const les_dtype ODD[] = {LES_F32, LES_Q8_0, LES_Q4_1, LES_Q4_K, LES_Q6_K};
  for (size_t t = 0; t < sizeof ODD / sizeof *ODD; t++) {
    les_matrix w = make_weights(ODD[t], 40, 512);
    float *x = make_activations(8, 512);
    x[5] = NAN;
    x[512 + 300] = INFINITY;
    x[2 * 512 + 511] = -INFINITY;
    for (int k = 0; k < 512; k++) x[3 * 512 + k] = 0.0f;
    for (int k = 0; k < 512; k++) x[4 * 512 + k] = k % 2 ? -0.0f : 0x1p-140f;
    for (int k = 0; k < 512; k++) x[5 * 512 + k] *= 0x1p-99f;
    for (int k = 0; k < 512; k++) x[6 * 512 + k] = k % 3 ? 3e38f : -3e38f;
    compare_all(&w, x, 8, 2);
    free(x);
    free((void *)w.data);
  }
}

/* A row's result is the same alone, in any batch, at any place in it, on any number of threads. */
static void test_rows_do_not_depend_on_the_batch(void **state) {
  (void)state;
  random_state = 4;
  static const les_dtype BATCHED[] = {LES_F32, LES_Q8_0, LES_Q4_K, LES_Q6_K};
  static const int64_t ROWS[] = {1, 2, 3, 4, 5, 8, 33};
  const char *names[] = {"reference", "avx2", "avx512"};
  for (size_t t = 0; t < sizeof BATCHED / sizeof *BATCHED; t++) {
    les_matrix w = make_weights(BATCHED[t], 50, 768);
    float *x = make_activations(MAX_M, 768), all[MAX_M * 50], some[MAX_M * 50];
    for (int i = 0; i < 3; i++)
      for (les_compute compute = LES_COMPUTE_F32; compute <= LES_COMPUTE_INT8; compute++) {
        if (!les_kernels_select(names[i])) continue;
        multiply(names[i], &w, x, MAX_M, compute, 2, all);
        for (int r = 0; r < 7; r++) {
          int64_t first = (5 * r) % (MAX_M - ROWS[r]);
          multiply(names[i], &w, x + first * w.cols, ROWS[r], compute, 1 + r % 3, some);
          assert_equal_bytes(some, all + first * w.rows, ROWS[r] * w.rows, les_dtype_find(w.type)->name,
                             names[i]);
        }
      }
    free(x);
    free((void *)w.data);
  }
}

/* Root mean square of the difference to sums in double, relative to theirs. */
static double error_of(les_dtype type, les_compute compute) {
  enum { M = 8, N = 48, K = 2048 };
  les_matrix w = make_weights(type, N, K);
  float *x = make_activations(M, K), y[M * N], *row = allocate(K * sizeof *row);
  multiply("reference", &w, x, M, compute, 2, y);
  double error = 0.0, size = 0.0;
  for (int n = 0; n < N; n++) {
    les_dequantize(type, (const uint8_t *)w.data + les_dtype_bytes(type, (int64_t)n * K), K, row);
    for (int i = 0; i < M; i++) {
      double sum = 0.0;
      for (int k = 0; k < K; k++) sum += (double)row[k] * (double)x[i * K + k];
      error += (y[i * N + n] - sum) * (y[i * N + n] - sum);
      size += sum * sum;
    }
  }
  free(row);
  free(x);
  free((void *)w.data);
  return sqrt(error / size);
}

static void test_errors_are_within_their_bounds(void **state) {
  (void)state;
  random_state = 5;
  for (int t = 0; t < N_TYPES; t++) {
    double f32 = error_of(TYPES[t], LES_COMPUTE_F32), int16 = error_of(TYPES[t], LES_COMPUTE_INT16);
    double int8 = error_of(TYPES[t], LES_COMPUTE_INT8);
    if (!(f32 < 5e-6) || !(int16 < 1e-4) || !(int8 < 1e-2))
      fail_msg("%s: f32 %.1e, int16 %.1e, int8 %.1e", les_dtype_find(TYPES[t])->name, f32, int16, int8);
  }
}

static void test_unknown_implementation_is_refused(void **state) {
  (void)state;
  assert_true(les_kernels_select("reference"));
  assert_string_equal(les_kernels_name(), "reference");
  assert_false(les_kernels_select("abacus"));
  assert_string_equal(les_kernels_name(), "reference");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_implementations_agree_for_all_types),
      cmocka_unit_test(test_implementations_agree_for_all_shapes),
      cmocka_unit_test(test_implementations_agree_on_odd_values),
      cmocka_unit_test(test_rows_do_not_depend_on_the_batch),
      cmocka_unit_test(test_errors_are_within_their_bounds),
      cmocka_unit_test(test_unknown_implementation_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
