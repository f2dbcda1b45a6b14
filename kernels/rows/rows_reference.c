/* Reference versions of the row operations. They define the order of summation for all others: eight partial
 * sums, element i in sum i % 8, then folded in halves. */
#include "rows/exp.h"
#include "rows/rows.h"

enum { LANES = 8 };

static double fold_f64(const double s[LANES]) {
  double a = s[0] + s[4], b = s[1] + s[5], c = s[2] + s[6], d = s[3] + s[7];
  return (a + c) + (b + d);
}

static float fold_f32(const float s[LANES]) {
  float a = s[0] + s[4], b = s[1] + s[5], c = s[2] + s[6], d = s[3] + s[7];
  return (a + c) + (b + d);
}

static double dot(const float *x, const float *y, int64_t n) {
  double sums[LANES] = {0};
  for (int64_t i = 0; i < n; i++) sums[i % LANES] = fma(x[i], y[i], sums[i % LANES]);
  return fold_f64(sums);
}

static void rms_norm(const float *x, const float *scale, float eps, int64_t n, float *y) {
  float inverse = (float)(1.0 / sqrt(dot(x, x, n) / (double)n + (double)eps));
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * inverse * scale[i];
}

static void layer_norm(const float *x, const float *scale, const float *bias, float eps, int64_t n,
                       float *y) {
  double sums[LANES] = {0}, squares[LANES] = {0};
  for (int64_t i = 0; i < n; i++) sums[i % LANES] += (double)x[i];
  double mean = fold_f64(sums) / (double)n;
  for (int64_t i = 0; i < n; i++) {
    double centred = (double)x[i] - mean;
    squares[i % LANES] = fma(centred, centred, squares[i % LANES]);
  }
  double inverse = 1.0 / sqrt(fold_f64(squares) / (double)n + (double)eps);
  for (int64_t i = 0; i < n; i++) {
    float normal = (float)(((double)x[i] - mean) * inverse) * scale[i];
    y[i] = bias ? normal + bias[i] : normal;
  }
}

static void rope(float *x, int n_heads, int head_dim, int n_pairs, const float *cos, const float *sin,
                 bool neox) {
  for (int h = 0; h < n_heads; h++, x += head_dim)
    for (int i = 0; i < n_pairs; i++) {
      float *a = neox ? x + i : x + 2 * i, *b = neox ? a + n_pairs : a + 1;
      float real = *a * cos[i] - *b * sin[i], imaginary = *a * sin[i] + *b * cos[i];
      *a = real;
      *b = imaginary;
    }
}

static float act_of(les_act act, float x) {
  switch (act) {
  case LES_ACT_SILU:
    return x / (1.0f + exp_f32(-x));
  case LES_ACT_GELU_TANH: { /* (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)), u = sqrt(2 / pi) (x + 0.044715 x^3) */
    float u2 = x * fmaf(x * x, GELU_CUBIC, GELU_LINEAR);
    return x / (1.0f + exp_f32(-u2));
  }
  case LES_ACT_GELU_ERF:
    return gelu_erf(x);
  case LES_ACT_RELU:
    return x < 0.0f ? 0.0f : x; /* NaN stays */
  }
  return NAN;
}

static void activate(les_act act, const float *gate, const float *up, int64_t n, float *y) {
  for (int64_t i = 0; i < n; i++) {
    float a = act_of(act, gate[i]);
    y[i] = up ? a * up[i] : a;
  }
}

/* tanh from exp, with an absolute error below 1e-7: enough for capping scores. */
static float tanh_f32(float x) {
  float e = exp_f32(-2.0f * fabsf(x)), magnitude = (1.0f - e) / (1.0f + e);
  return copysignf(magnitude, x);
}

static int64_t attention_scores(const float *q, int head_dim, const les_kv_span *runs, int n_runs,
                                float scale, float softcap, float *scores) {
  int64_t n = 0;
  for (int r = 0; r < n_runs; r++)
    for (int64_t j = 0; j < runs[r].n; j++) {
      const float *k = runs[r].k + j * runs[r].stride;
      float sums[LANES] = {0};
      for (int d = 0; d < head_dim; d++) sums[d % LANES] = fmaf(q[d], k[d], sums[d % LANES]);
      float score = fold_f32(sums) * scale;
      scores[n++] = softcap > 0.0f ? softcap * tanh_f32(score / softcap) : score;
    }
  return n;
}

static float max_of(const float *x, int64_t n) {
  float max = -INFINITY;
  for (int64_t i = 0; i < n; i++)
    if (x[i] > max) max = x[i];
  return max;
}

static float attention(const float *q, int head_dim, const les_kv_span *runs, int n_runs, float scale,
                       float softcap, bool entropy, float *scores, float *out) {
  int64_t n = attention_scores(q, head_dim, runs, n_runs, scale, softcap, scores);
  float max = max_of(scores, n), sums[LANES] = {0};
  double moments[LANES] = {0}; /* sum of exp(score - max) * (score - max) */
  for (int64_t j = 0; j < n; j++) {
    float shifted = scores[j] - max;
    scores[j] = exp_f32(shifted);
    sums[j % LANES] += scores[j];
    if (entropy && scores[j] != 0.0f) moments[j % LANES] = fma(scores[j], shifted, moments[j % LANES]);
  }
  float sum = fold_f32(sums), inverse = 1.0f / sum;
  for (int d = 0; d < head_dim; d++) out[d] = 0.0f;
  const float *weight = scores;
  for (int r = 0; r < n_runs; r++)
    for (int64_t j = 0; j < runs[r].n; j++, weight++) {
      const float *v = runs[r].v + j * runs[r].stride;
      float p = *weight * inverse;
      for (int d = 0; d < head_dim; d++) out[d] = fmaf(p, v[d], out[d]);
    }
  return entropy ? (float)(log((double)sum) - fold_f64(moments) / (double)sum) : 0.0f;
}

static void add_scaled(float *x, const float *y, float a, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] += a * y[i];
}

static int64_t argmax(const float *x, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 0; i < n; i++) {
    if (isnan(x[i])) return -1;
    if (x[i] > x[best]) best = i;
  }
  return best;
}

static double log_sum_exp(const float *x, int64_t n) {
  float max = max_of(x, n);
  if (isinf(max)) return argmax(x, n) < 0 ? (double)NAN : (double)max;
  double sums[LANES] = {0};
  for (int64_t i = 0; i < n; i++) sums[i % LANES] += exp_f64((double)x[i] - (double)max);
  return (double)max + log(fold_f64(sums));
}

static double kl(const float *p, double lse_p, const float *q, double lse_q, int64_t n) {
  double sums[LANES] = {0};
  for (int64_t i = 0; i < n; i++) {
    double log_p = (double)p[i] - lse_p, log_q = (double)q[i] - lse_q, probability = exp_f64(log_p);
    if (probability != 0.0) sums[i % LANES] = fma(probability, log_p - log_q, sums[i % LANES]);
  }
  return fold_f64(sums);
}

const les_row_kernels les_rows_reference = {
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .rope = rope,
    .activate = activate,
    .attention = attention,
    .add_scaled = add_scaled,
    .dot = dot,
    .argmax = argmax,
    .log_sum_exp = log_sum_exp,
    .kl = kl,
};
