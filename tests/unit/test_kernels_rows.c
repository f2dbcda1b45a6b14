/* Row operations: against plain sums in double, and every implementation against the reference byte for
 * byte. */
#include "kernels/kernels.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { MAX_N = 1000 };
static const char *const IMPLEMENTATIONS[] = {"reference", "avx2", "avx512"};
enum { N_IMPLEMENTATIONS = 3 };
static const int LENGTHS[] = {1, 2, 7, 8, 9, 15, 16, 17, 64, 80, 257, MAX_N};
enum { N_LENGTHS = sizeof LENGTHS / sizeof *LENGTHS };

static uint32_t random_state;

static float random_f32(void) { /* -1..1 */
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return (float)random_state * 0x1p-31f - 1.0f;
}

static void fill(float *x, int n, float size) {
  for (int i = 0; i < n; i++) x[i] = size * random_f32();
}

static void assert_near(double value, double expected, double tolerance, const char *what) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%s: %.12g, expected %.12g", what, value, expected);
}

/* ---- values of the reference ---- */

static void test_norms(void **state) {
  (void)state;
  random_state = 1;
  float x[80], scale[80], bias[80], y[80];
  fill(x, 80, 3.0f);
  fill(scale, 80, 1.0f);
  fill(bias, 80, 1.0f);
  double squares = 0.0, sum = 0.0, variance = 0.0;
  for (int i = 0; i < 80; i++) {
    squares += (double)x[i] * (double)x[i];
    sum += (double)x[i];
  }
  for (int i = 0; i < 80; i++) variance += pow((double)x[i] - sum / 80.0, 2.0) / 80.0;
  les_rms_norm(x, scale, 1e-5f, 80, y);
  for (int i = 0; i < 80; i++)
    assert_near(y[i], (double)x[i] / sqrt(squares / 80.0 + 1e-5) * (double)scale[i], 1e-6, "rms_norm");
  les_layer_norm(x, scale, bias, 1e-5f, 80, y);
  for (int i = 0; i < 80; i++)
    assert_near(y[i],
                ((double)x[i] - sum / 80.0) / sqrt(variance + 1e-5) * (double)scale[i] + (double)bias[i],
                1e-6, "layer_norm");
  les_rms_norm(x, scale, 1e-5f, 80, x); /* in place */
  assert_near(x[7], (double)x[7], 0.0, "rms_norm in place");
}

static void test_rope(void **state) {
  (void)state;
  float x[12] = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}, y[12];
  memcpy(y, x, sizeof x);
  const float cos[2] = {0.5f, 0.25f}, sin[2] = {2.0f, 3.0f};
  les_rope(x, 2, 6, 2, cos, sin, false); /* the last two of each head stay */
  les_rope(y, 2, 6, 2, cos, sin, true);
  const float interleaved[6] = {-3.5f, 3.0f, -11.25f, 10.0f, 5, 6},
              split_half[6] = {-5.5f, -11.5f, 3.5f, 7.0f, 5, 6};
  for (int h = 0; h < 2; h++) {
    assert_memory_equal(x + 6 * h, interleaved, sizeof interleaved);
    assert_memory_equal(y + 6 * h, split_half, sizeof split_half);
  }
}

static double act_f64(les_act act, double x) {
  switch (act) {
  case LES_ACT_SILU:
    return x / (1.0 + exp(-x));
  case LES_ACT_GELU_TANH:
    return 0.5 * x * (1.0 + tanh(sqrt(2.0 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
  case LES_ACT_GELU_ERF:
    return 0.5 * x * (1.0 + erf(x / sqrt(2.0)));
  case LES_ACT_RELU:
    return x > 0.0 ? x : 0.0;
  }
  return NAN;
}

static void test_activations(void **state) {
  (void)state;
  random_state = 2;
  float x[201], up[201], y[201];
  fill(up, 201, 1.0f);
  for (int i = 0; i < 201; i++) x[i] = 0.15f * (float)(i - 100);
  for (les_act act = LES_ACT_SILU; act <= LES_ACT_RELU; act++) {
    les_activate(act, x, NULL, 201, y);
    for (int i = 0; i < 201; i++)
      assert_near(y[i], act_f64(act, x[i]), 1e-6 * (1.0 + fabs((double)x[i])), "act");
    les_activate(act, x, up, 201, y);
    for (int i = 0; i < 201; i++)
      assert_near(y[i], act_f64(act, x[i]) * (double)up[i], 1e-6 * (1.0 + fabs((double)x[i])), "act * up");
  }
  float extreme[4] = {-200.0f, 200.0f, -3e38f, NAN};
  les_activate(LES_ACT_SILU, extreme, NULL, 4, y);
  assert_near(y[0], 0.0, 0.0, "silu(-200)");
  assert_near(y[1], 200.0, 0.0, "silu(200)");
  assert_near(y[2], 0.0, 0.0, "silu(-3e38)");
  assert_true(isnan(y[3]));
}

static void test_attention(void **state) {
  (void)state;
  random_state = 3;
  enum { N = 37, D = 20, STRIDE = 50 };
  float q[D], k[N * STRIDE], v[N * STRIDE], scores[N], out[D];
  fill(q, D, 2.0f);
  fill(k, N * STRIDE, 2.0f);
  fill(v, N * STRIDE, 1.0f);
  const les_kv_span runs[2] = {{k, v, 17, STRIDE}, {k + 17 * STRIDE, v + 17 * STRIDE, N - 17, STRIDE}};
  for (int cap = 0; cap < 2; cap++) {
    double weights[N], sum = 0.0, entropy = 0.0;
    for (int j = 0; j < N; j++) {
      double score = 0.0;
      for (int d = 0; d < D; d++) score += (double)q[d] * (double)k[j * STRIDE + d];
      score *= 0.25;
      weights[j] = exp(cap ? 5.0 * tanh(score / 5.0) : score);
      sum += weights[j];
    }
    for (int j = 0; j < N; j++) entropy -= weights[j] / sum * log(weights[j] / sum);
    float found = les_attention(q, D, runs, 2, 0.25f, cap ? 5.0f : 0.0f, true, scores, out);
    assert_near(found, entropy, 2e-6, "entropy");
    for (int d = 0; d < D; d++) {
      double expected = 0.0;
      for (int j = 0; j < N; j++) expected += weights[j] / sum * (double)v[j * STRIDE + d];
      assert_near(out[d], expected, 1e-6, "attention");
    }
  }
}

static void test_logit_measures(void **state) {
  (void)state;
  random_state = 4;
  float p[MAX_N], q[MAX_N];
  fill(p, MAX_N, 8.0f);
  fill(q, MAX_N, 8.0f);
  p[3] = -INFINITY; /* a term of 0 */
  double sum = 0.0, kl = 0.0;
  for (int i = 0; i < MAX_N; i++) sum += exp(p[i]);
  double lse_p = les_log_sum_exp(p, MAX_N), lse_q = les_log_sum_exp(q, MAX_N);
  assert_near(lse_p, log(sum), 1e-13, "log_sum_exp");
  for (int i = 0; i < MAX_N; i++)
    if (i != 3) kl += exp((double)p[i] - lse_p) * ((double)p[i] - lse_p - (double)q[i] + lse_q);
  assert_near(les_kl(p, lse_p, q, lse_q, MAX_N), kl, 1e-13, "kl");
  assert_near(les_kl(p, lse_p, p, lse_p, MAX_N), 0.0, 0.0, "kl of equal rows");
  q[5] = -INFINITY;
  assert_true(isinf(les_kl(p, lse_p, q, les_log_sum_exp(q, MAX_N), MAX_N)));
  q[5] = NAN;
  assert_true(isnan(les_log_sum_exp(q, MAX_N)));
  float infinite[3] = {-INFINITY, INFINITY, 0.0f}, none[2] = {-INFINITY, -INFINITY};
  assert_true(les_log_sum_exp(infinite, 3) == (double)INFINITY);
  assert_true(les_log_sum_exp(none, 2) == -(double)INFINITY);
  float large[2] = {1e30f, 1e30f};
  assert_near(les_log_sum_exp(large, 2), 1e30, 1e23, "large");
}

static void test_argmax(void **state) {
  (void)state;
  float x[20];
  for (int i = 0; i < 20; i++) x[i] = -5.0f;
  assert_int_equal(les_argmax(x, 20), 0);
  x[18] = x[13] = 2.0f;
  assert_int_equal(les_argmax(x, 20), 13);
  x[19] = INFINITY;
  assert_int_equal(les_argmax(x, 20), 19);
  x[17] = NAN;
  assert_int_equal(les_argmax(x, 20), -1);
  for (int i = 0; i < 20; i++) x[i] = -INFINITY;
  assert_int_equal(les_argmax(x, 20), 0);
}

static void test_add_and_dot(void **state) {
  (void)state;
  float x[3] = {1.0f, 2.0f, 3.0f}, y[3] = {0.1f, 0.2f, 0.3f};
  assert_near(les_dot(x, y, 3), 1.0 * (double)y[0] + 2.0 * (double)y[1] + 3.0 * (double)y[2], 1e-15, "dot");
  les_add_scaled(x, y, -2.0f, 3);
  for (int i = 0; i < 3; i++)
    assert_near(x[i], (double)(float)((float)(i + 1) - 2.0f * y[i]), 0.0, "add_scaled");
}

/* ---- implementations against the reference ---- */

/* What one implementation makes of the inputs of a length. */
typedef struct results {
  float rms[MAX_N], layer[MAX_N], layer_bias[MAX_N], rope[2][2 * MAX_N], act[4][MAX_N], act_up[4][MAX_N],
      sum[MAX_N];
  float attention[2][MAX_N], scores[2][64], entropy[2];
  double dot, lse, kl;
  int64_t argmax;
} results;

static void compute(const float *x, const float *y, const float *z, int n, results *r) {
  les_rms_norm(x, y, 1e-6f, n, r->rms);
  les_layer_norm(x, y, NULL, 1e-6f, n, r->layer);
  les_layer_norm(x, y, z, 1e-6f, n, r->layer_bias);
  int pairs = n / 2;
  for (int neox = 0; neox < 2 && pairs > 0; neox++) {
    memcpy(r->rope[neox], x, (size_t)n * sizeof *x);
    memcpy(r->rope[neox] + n, y, (size_t)n * sizeof *y);
    les_rope(r->rope[neox], 2, n, pairs, z, y, neox);
  }
  for (les_act act = LES_ACT_SILU; act <= LES_ACT_RELU; act++) {
    les_activate(act, x, NULL, n, r->act[act]);
    les_activate(act, x, y, n, r->act_up[act]);
  }
  memcpy(r->sum, x, (size_t)n * sizeof *x);
  les_add_scaled(r->sum, y, 0.3f, n);
  r->dot = les_dot(x, y, n);
  r->lse = les_log_sum_exp(x, n);
  r->kl = les_kl(x, r->lse, y, les_log_sum_exp(y, n), n);
  r->argmax = les_argmax(x, n);
  int dim = n < 128 ? n : 128; /* overlapping rows of 3 to 17 positions serve as keys and values */
  int positions = 3 + n % 15, stride = (MAX_N - dim) / positions;
  const les_kv_span runs[2] = {{y, z, 2, stride}, {y + 2 * stride, z + 2 * stride, positions - 2, stride}};
  for (int cap = 0; cap < 2; cap++)
    r->entropy[cap] =
        les_attention(x, dim, runs, 2, 0.7f, cap ? 3.0f : 0.0f, true, r->scores[cap], r->attention[cap]);
}

/* The payload of NaN may differ between implementations. */
static void clear_nan(float *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (isnan(x[i])) x[i] = 0.0f;
}

static void assert_implementations_agree(const float *x, const float *y, const float *z, int n) {
  static results expected, found;
  for (int i = 0; i < N_IMPLEMENTATIONS; i++) {
    if (!les_kernels_select(IMPLEMENTATIONS[i])) continue;
    memset(&found, 0, sizeof found);
    compute(x, y, z, n, &found);
    clear_nan((float *)&found, offsetof(results, dot) / sizeof(float));
    if (isnan(found.dot)) found.dot = 0.0;
    if (isnan(found.lse)) found.lse = 0.0;
    if (isnan(found.kl)) found.kl = 0.0;
    if (i == 0) expected = found;
    for (size_t at = 0; at < sizeof found; at++)
      if (((char *)&found)[at] != ((char *)&expected)[at])
        fail_msg("%s, n = %d: byte %d of the results differs", IMPLEMENTATIONS[i], n, (int)at);
  }
  assert_true(les_kernels_select("reference"));
}

static void test_implementations_agree(void **state) {
  (void)state;
  random_state = 5;
  float x[MAX_N], y[MAX_N], z[MAX_N];
  for (int round = 0; round < 4; round++)
    for (int l = 0; l < N_LENGTHS; l++) {
      fill(x, MAX_N, round == 0 ? 1.0f : 20.0f);
      fill(y, MAX_N, round == 0 ? 1.0f : 20.0f);
      fill(z, MAX_N, round == 0 ? 1.0f : 20.0f);
      int n = LENGTHS[l];
      if (round == 2) x[n / 2] = y[n / 3] = -INFINITY;
      if (round == 3) x[n - 1] = NAN;
      assert_implementations_agree(x, y, z, n);
    }
}

static void test_split_of_runs_does_not_matter(void **state) {
  (void)state;
  random_state = 6;
  enum { N = 29, D = 64 };
  float q[D], k[N * D], v[N * D], scores[N], whole[D], split[D];
  fill(q, D, 1.0f);
  fill(k, N * D, 1.0f);
  fill(v, N * D, 1.0f);
  const les_kv_span one = {k, v, N, D};
  les_attention(q, D, &one, 1, 0.125f, 0.0f, false, scores, whole);
  for (int i = 0; i <= N; i++) {
    const les_kv_span runs[2] = {{k, v, i, D}, {k + i * D, v + i * D, N - i, D}};
    les_attention(q, D, runs, 2, 0.125f, 0.0f, false, scores, split);
    assert_memory_equal(split, whole, sizeof whole);
  }
}

/* Each value test runs on the best implementation of this machine; the comparison covers the others. */
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_norms),
      cmocka_unit_test(test_rope),
      cmocka_unit_test(test_activations),
      cmocka_unit_test(test_attention),
      cmocka_unit_test(test_logit_measures),
      cmocka_unit_test(test_argmax),
      cmocka_unit_test(test_add_and_dot),
      cmocka_unit_test(test_split_of_runs_does_not_matter),
      cmocka_unit_test(test_implementations_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
