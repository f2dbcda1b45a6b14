/* Row operations with AVX2 and FMA: lane i of a vector is partial sum i of rows_reference.c. The last
 * elements of a row are processed in a padded copy. */
#include "rows/exp_avx2.h"
#include "rows/rows.h"

enum { LANES = 8 };

/* Up to eight elements of a row from i; missing ones are `fill`. */
static __m256 load_fill(const float *x, int64_t i, int64_t n, float fill) {
  if (i + LANES <= n) return _mm256_loadu_ps(x + i);
  float padded[LANES];
  for (int l = 0; l < LANES; l++) padded[l] = i + l < n ? x[i + l] : fill;
  return _mm256_loadu_ps(padded);
}

static __m256 load(const float *x, int64_t i, int64_t n) {
  return load_fill(x, i, n, 0.0f);
}

static void store(float *x, int64_t i, int64_t n, __m256 value) {
  if (i + LANES <= n) {
    _mm256_storeu_ps(x + i, value);
    return;
  }
  float padded[LANES];
  _mm256_storeu_ps(padded, value);
  for (int l = 0; i + l < n; l++) x[i + l] = padded[l];
}

static __m256d low_of(__m256 x) {
  return _mm256_cvtps_pd(_mm256_castps256_ps128(x));
}
static __m256d high_of(__m256 x) {
  return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
}

/* Eight partial sums in double. */
typedef struct sums8 {
  __m256d low, high;
} sums8;

static sums8 zero_sums(void) {
  return (sums8){_mm256_setzero_pd(), _mm256_setzero_pd()};
}

static double fold_f64(sums8 s) {
  __m256d fours = _mm256_add_pd(s.low, s.high);
  __m128d twos = _mm_add_pd(_mm256_castpd256_pd128(fours), _mm256_extractf128_pd(fours, 1));
  return _mm_cvtsd_f64(twos) + _mm_cvtsd_f64(_mm_unpackhi_pd(twos, twos));
}

static float fold_f32(__m256 s) {
  __m128 fours = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
  __m128 twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
  return _mm_cvtss_f32(twos) + _mm_cvtss_f32(_mm_shuffle_ps(twos, twos, 1));
}

static double dot(const float *x, const float *y, int64_t n) {
  sums8 s = zero_sums();
  for (int64_t i = 0; i < n; i += LANES) {
    __m256 a = load(x, i, n), b = load(y, i, n);
    s.low = _mm256_fmadd_pd(low_of(a), low_of(b), s.low);
    s.high = _mm256_fmadd_pd(high_of(a), high_of(b), s.high);
  }
  return fold_f64(s);
}

static void rms_norm(const float *x, const float *scale, float eps, int64_t n, float *y) {
  float inverse = (float)(1.0 / sqrt(dot(x, x, n) / (double)n + (double)eps));
  for (int64_t i = 0; i < n; i += LANES)
    store(y, i, n, _mm256_mul_ps(_mm256_mul_ps(load(x, i, n), _mm256_set1_ps(inverse)), load(scale, i, n)));
}

static __m256 normalize(__m256 x, __m256d mean, __m256d inverse) {
  __m128 low = _mm256_cvtpd_ps(_mm256_mul_pd(_mm256_sub_pd(low_of(x), mean), inverse));
  __m128 high = _mm256_cvtpd_ps(_mm256_mul_pd(_mm256_sub_pd(high_of(x), mean), inverse));
  return _mm256_set_m128(high, low);
}

static void layer_norm(const float *x, const float *scale, const float *bias, float eps, int64_t n,
                       float *y) {
  sums8 sum = zero_sums(), squares = zero_sums();
  for (int64_t i = 0; i < n; i += LANES) {
    __m256 a = load(x, i, n);
    sum.low = _mm256_add_pd(sum.low, low_of(a));
    sum.high = _mm256_add_pd(sum.high, high_of(a));
  }
  double average = fold_f64(sum) / (double)n;
  __m256d mean = _mm256_set1_pd(average);
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    __m256 a = _mm256_loadu_ps(x + i);
    __m256d low = _mm256_sub_pd(low_of(a), mean), high = _mm256_sub_pd(high_of(a), mean);
    squares.low = _mm256_fmadd_pd(low, low, squares.low);
    squares.high = _mm256_fmadd_pd(high, high, squares.high);
  }
  double lanes[LANES];
  _mm256_storeu_pd(lanes, squares.low);
  _mm256_storeu_pd(lanes + 4, squares.high);
  for (; i < n; i++) lanes[i % LANES] = fma((double)x[i] - average, (double)x[i] - average, lanes[i % LANES]);
  squares = (sums8){_mm256_loadu_pd(lanes), _mm256_loadu_pd(lanes + 4)};
  __m256d inverse = _mm256_set1_pd(1.0 / sqrt(fold_f64(squares) / (double)n + (double)eps));
  for (i = 0; i < n; i += LANES) {
    __m256 a = _mm256_mul_ps(normalize(load(x, i, n), mean, inverse), load(scale, i, n));
    store(y, i, n, bias ? _mm256_add_ps(a, load(bias, i, n)) : a);
  }
}

/* Interleaved pairs (2i, 2i + 1): x (c, c) plus its swapped pairs times (-s, s). */
static void rope_interleaved(float *x, int n_pairs, const float *cos, const float *sin) {
  int i = 0;
  for (; i + 4 <= n_pairs; i += 4) {
    __m256 a = _mm256_loadu_ps(x + 2 * i);
    __m128 c = _mm_loadu_ps(cos + i), s = _mm_loadu_ps(sin + i);
    __m256 cc = _mm256_set_m128(_mm_unpackhi_ps(c, c), _mm_unpacklo_ps(c, c));
    __m256 ss = _mm256_set_m128(_mm_unpackhi_ps(s, s), _mm_unpacklo_ps(s, s));
    __m256 swapped = _mm256_permute_ps(a, 0xb1);
    _mm256_storeu_ps(x + 2 * i, _mm256_addsub_ps(_mm256_mul_ps(a, cc), _mm256_mul_ps(swapped, ss)));
  }
  for (; i < n_pairs; i++) {
    float real = x[2 * i] * cos[i] - x[2 * i + 1] * sin[i];
    x[2 * i + 1] = x[2 * i + 1] * cos[i] + x[2 * i] * sin[i];
    x[2 * i] = real;
  }
}

/* Split-half pairs (i, i + n_pairs). */
static void rope_split_half(float *x, int n_pairs, const float *cos, const float *sin) {
  for (int i = 0; i < n_pairs; i += LANES) {
    __m256 a = load(x, i, n_pairs), b = load(x + n_pairs, i, n_pairs);
    __m256 c = load(cos, i, n_pairs), s = load(sin, i, n_pairs);
    store(x, i, n_pairs, _mm256_sub_ps(_mm256_mul_ps(a, c), _mm256_mul_ps(b, s)));
    store(x + n_pairs, i, n_pairs, _mm256_add_ps(_mm256_mul_ps(b, c), _mm256_mul_ps(a, s)));
  }
}

static void rope(float *x, int n_heads, int head_dim, int n_pairs, const float *cos, const float *sin,
                 bool neox) {
  for (int h = 0; h < n_heads; h++, x += head_dim)
    if (neox)
      rope_split_half(x, n_pairs, cos, sin);
    else
      rope_interleaved(x, n_pairs, cos, sin);
}

static __m256 negate(__m256 x) {
  return _mm256_xor_ps(x, _mm256_set1_ps(-0.0f));
}

static __m256 act_of(les_act act, __m256 x) {
  const __m256 one = _mm256_set1_ps(1.0f);
  switch (act) {
  case LES_ACT_SILU:
    return _mm256_div_ps(x, _mm256_add_ps(one, exp8(negate(x))));
  case LES_ACT_GELU_TANH: {
    __m256 factor =
        _mm256_fmadd_ps(_mm256_mul_ps(x, x), _mm256_set1_ps(GELU_CUBIC), _mm256_set1_ps(GELU_LINEAR));
    return _mm256_div_ps(x, _mm256_add_ps(one, exp8(negate(_mm256_mul_ps(x, factor)))));
  }
  case LES_ACT_GELU_ERF: {
    float lanes[LANES];
    _mm256_storeu_ps(lanes, x);
    for (int l = 0; l < LANES; l++) lanes[l] = gelu_erf(lanes[l]);
    return _mm256_loadu_ps(lanes);
  }
  case LES_ACT_RELU:
    return _mm256_max_ps(_mm256_setzero_ps(), x); /* NaN stays: the second operand wins */
  }
  return _mm256_set1_ps(NAN);
}

static void activate(les_act act, const float *gate, const float *up, int64_t n, float *y) {
  for (int64_t i = 0; i < n; i += LANES) {
    __m256 a = act_of(act, load(gate, i, n));
    store(y, i, n, up ? _mm256_mul_ps(a, load(up, i, n)) : a);
  }
}

static void add_scaled(float *x, const float *y, float a, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES)
    store(x, i, n, _mm256_add_ps(load(x, i, n), _mm256_mul_ps(_mm256_set1_ps(a), load(y, i, n))));
}

static float max_of(const float *x, int64_t n) {
  __m256 max = _mm256_set1_ps(-INFINITY);
  for (int64_t i = 0; i < n; i += LANES) /* x > max ? x : max, which ignores NaN */
    max = _mm256_max_ps(load_fill(x, i, n, -INFINITY), max);
  float lanes[LANES], largest = -INFINITY;
  _mm256_storeu_ps(lanes, max);
  for (int l = 0; l < LANES; l++)
    if (lanes[l] > largest) largest = lanes[l];
  return largest;
}

static int64_t argmax(const float *x, int64_t n) {
  __m256 unordered = _mm256_setzero_ps();
  for (int64_t i = 0; i < n; i += LANES) {
    __m256 a = load(x, i, n);
    unordered = _mm256_or_ps(unordered, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
  }
  if (_mm256_movemask_ps(unordered)) return -1;
  __m256 max = _mm256_set1_ps(max_of(x, n));
  for (int64_t i = 0; i < n; i += LANES) {
    int equal = _mm256_movemask_ps(_mm256_cmp_ps(load_fill(x, i, n, NAN), max, _CMP_EQ_OQ));
    if (equal) return i + __builtin_ctz((unsigned)equal);
  }
  return -1;
}

static double log_sum_exp(const float *x, int64_t n) {
  float max = max_of(x, n);
  if (isinf(max)) return argmax(x, n) < 0 ? (double)NAN : (double)max;
  __m256d shift = _mm256_set1_pd(max);
  sums8 s = zero_sums();
  for (int64_t i = 0; i < n; i += LANES) {
    __m256 a = load_fill(x, i, n, -INFINITY);
    s.low = _mm256_add_pd(s.low, exp4(_mm256_sub_pd(low_of(a), shift)));
    s.high = _mm256_add_pd(s.high, exp4(_mm256_sub_pd(high_of(a), shift)));
  }
  return (double)max + log(fold_f64(s));
}

/* sum + p (ln p - ln q), where p is not 0. */
static __m256d add_divergence(__m256d log_p, __m256d log_q, __m256d sum) {
  __m256d p = exp4(log_p), zero = _mm256_cmp_pd(p, _mm256_setzero_pd(), _CMP_EQ_OQ);
  return _mm256_blendv_pd(_mm256_fmadd_pd(p, _mm256_sub_pd(log_p, log_q), sum), sum, zero);
}

static double kl(const float *p, double lse_p, const float *q, double lse_q, int64_t n) {
  __m256d shift_p = _mm256_set1_pd(lse_p), shift_q = _mm256_set1_pd(lse_q);
  sums8 s = zero_sums();
  for (int64_t i = 0; i < n; i += LANES) {
    __m256 a = load_fill(p, i, n, -INFINITY), b = load(q, i, n);
    s.low = add_divergence(_mm256_sub_pd(low_of(a), shift_p), _mm256_sub_pd(low_of(b), shift_q), s.low);
    s.high = add_divergence(_mm256_sub_pd(high_of(a), shift_p), _mm256_sub_pd(high_of(b), shift_q), s.high);
  }
  return fold_f64(s);
}

/* ---- attention ---- */

static float dot_f32(const float *x, const float *y, int n) {
  __m256 sum = _mm256_setzero_ps();
  for (int i = 0; i < n; i += LANES) sum = _mm256_fmadd_ps(load(x, i, n), load(y, i, n), sum);
  return fold_f32(sum);
}

static __m256 tanh8(__m256 x) {
  const __m256 sign = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1.0f);
  __m256 e = exp8(_mm256_mul_ps(_mm256_set1_ps(-2.0f), _mm256_andnot_ps(sign, x)));
  __m256 magnitude = _mm256_div_ps(_mm256_sub_ps(one, e), _mm256_add_ps(one, e));
  return _mm256_or_ps(_mm256_andnot_ps(sign, magnitude), _mm256_and_ps(sign, x));
}

static int64_t attention_scores(const float *q, int head_dim, const les_kv_span *runs, int n_runs,
                                float scale, float softcap, float *scores) {
  int64_t n = 0;
  for (int r = 0; r < n_runs; r++)
    for (int64_t j = 0; j < runs[r].n; j++)
      scores[n++] = dot_f32(q, runs[r].k + j * runs[r].stride, head_dim) * scale;
  if (softcap > 0.0f) {
    __m256 cap = _mm256_set1_ps(softcap);
    for (int64_t i = 0; i < n; i += LANES)
      store(scores, i, n, _mm256_mul_ps(cap, tanh8(_mm256_div_ps(load(scores, i, n), cap))));
  }
  return n;
}

/* Replaces scores with exp(score - max); returns their sum, and in *moment the sum of exp(score - max) (score
 * - max). */
static float exponentiate(float *scores, int64_t n, bool entropy, double *moment) {
  __m256 max = _mm256_set1_ps(max_of(scores, n)), sum = _mm256_setzero_ps();
  sums8 moments = zero_sums();
  for (int64_t i = 0; i < n; i += LANES) {
    __m256 shifted = _mm256_sub_ps(load_fill(scores, i, n, -INFINITY), max), e = exp8(shifted);
    if (i + LANES > n) { /* a missing element is zero even where max is not finite */
      float lanes[LANES] = {0};
      _mm256_storeu_ps(lanes, e);
      for (int64_t l = n - i; l < LANES; l++) lanes[l] = 0.0f;
      e = _mm256_loadu_ps(lanes);
    }
    store(scores, i, n, e);
    sum = _mm256_add_ps(sum, e);
    if (!entropy) continue;
    __m256 zero = _mm256_cmp_ps(e, _mm256_setzero_ps(), _CMP_EQ_OQ);
    shifted = _mm256_andnot_ps(zero, shifted); /* 0 times infinity is 0 here */
    moments.low = _mm256_fmadd_pd(low_of(e), low_of(shifted), moments.low);
    moments.high = _mm256_fmadd_pd(high_of(e), high_of(shifted), moments.high);
  }
  *moment = fold_f64(moments);
  return fold_f32(sum);
}

/* out = sum of weight * v over all positions, `vectors` (1..8) vectors of the head at a time. */
static inline __attribute__((always_inline)) void add_values(const float *weight, float inverse,
                                                             const les_kv_span *runs, int n_runs, int first,
                                                             int vectors, float *out) {
  __m256 sums[8];
  for (int v = 0; v < vectors; v++) sums[v] = _mm256_setzero_ps();
  for (int r = 0; r < n_runs; r++)
    for (int64_t j = 0; j < runs[r].n; j++, weight++) {
      const float *values = runs[r].v + j * runs[r].stride + first;
      __m256 p = _mm256_set1_ps(*weight * inverse);
      for (int v = 0; v < vectors; v++)
        sums[v] = _mm256_fmadd_ps(p, _mm256_loadu_ps(values + LANES * v), sums[v]);
    }
  for (int v = 0; v < vectors; v++) _mm256_storeu_ps(out + first + LANES * v, sums[v]);
}

static void add_values_tail(const float *weight, float inverse, const les_kv_span *runs, int n_runs, int d,
                            float *out) {
  float sum = 0.0f;
  for (int r = 0; r < n_runs; r++)
    for (int64_t j = 0; j < runs[r].n; j++)
      sum = fmaf(*weight++ * inverse, runs[r].v[j * runs[r].stride + d], sum);
  out[d] = sum;
}

static float attention(const float *q, int head_dim, const les_kv_span *runs, int n_runs, float scale,
                       float softcap, bool entropy, float *scores, float *out) {
  int64_t n = attention_scores(q, head_dim, runs, n_runs, scale, softcap, scores);
  double moment;
  float sum = exponentiate(scores, n, entropy, &moment), inverse = 1.0f / sum;
  int d = 0;
  for (; d + 8 * LANES <= head_dim; d += 8 * LANES) add_values(scores, inverse, runs, n_runs, d, 8, out);
  for (; d + LANES <= head_dim; d += LANES) add_values(scores, inverse, runs, n_runs, d, 1, out);
  for (; d < head_dim; d++) add_values_tail(scores, inverse, runs, n_runs, d, out);
  return entropy ? (float)(log((double)sum) - moment / (double)sum) : 0.0f;
}

const les_row_kernels les_rows_avx2 = {
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
