/* exp_f32 and exp_f64 of exp.h for eight floats and four doubles: the same steps in the same order. */
#ifndef LES_ROWS_EXP_AVX2_H
#define LES_ROWS_EXP_AVX2_H

#include "rows/exp.h"
#include <immintrin.h>

static inline __m256 exp8(__m256 x) {
  x = _mm256_min_ps(_mm256_set1_ps(EXP_F32_MAX), x); /* NaN stays: the second operand wins */
  x = _mm256_max_ps(_mm256_set1_ps(EXP_F32_MIN), x);
  const __m256 round = _mm256_set1_ps(EXP_F32_ROUND), one = _mm256_set1_ps(1.0f);
  __m256 shifted = _mm256_fmadd_ps(x, _mm256_set1_ps(EXP_F32_LOG2E), round),
         n = _mm256_sub_ps(shifted, round);
  __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(-EXP_F32_LN2_HIGH), x);
  r = _mm256_fmadd_ps(n, _mm256_set1_ps(-EXP_F32_LN2_LOW), r);
  __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(EXP_F32_C6), r, _mm256_set1_ps(EXP_F32_C5));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_F32_C4));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_F32_C3));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_F32_C2));
  p = _mm256_fmadd_ps(p, r, one);
  p = _mm256_fmadd_ps(p, r, one);
  __m256i i = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_castps_si256(round));
  __m256i half = _mm256_srai_epi32(i, 1), rest = _mm256_sub_epi32(i, half), bias = _mm256_set1_epi32(127);
  p = _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23)));
  return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23)));
}

static inline __m256d exp4(__m256d x) {
  const __m256d round = _mm256_set1_pd(EXP_F64_ROUND), one = _mm256_set1_pd(1.0);
  __m256d too_small = _mm256_cmp_pd(x, _mm256_set1_pd(EXP_F64_MIN), _CMP_LT_OQ);
  x = _mm256_min_pd(_mm256_set1_pd(EXP_F64_MAX), x); /* NaN stays */
  __m256d shifted = _mm256_fmadd_pd(x, _mm256_set1_pd(EXP_F64_LOG2E), round),
          n = _mm256_sub_pd(shifted, round);
  __m256d r = _mm256_fmadd_pd(n, _mm256_set1_pd(-EXP_F64_LN2_HIGH), x);
  r = _mm256_fmadd_pd(n, _mm256_set1_pd(-EXP_F64_LN2_LOW), r);
  __m256d p = _mm256_fmadd_pd(_mm256_set1_pd(EXP_F64_C11), r, _mm256_set1_pd(EXP_F64_C10));
  p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(EXP_F64_C9));
  p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(EXP_F64_C8));
  p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(EXP_F64_C7));
  p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(EXP_F64_C6));
  p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(EXP_F64_C5));
  p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(EXP_F64_C4));
  p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(EXP_F64_C3));
  p = _mm256_fmadd_pd(p, r, _mm256_set1_pd(EXP_F64_C2));
  p = _mm256_fmadd_pd(p, r, one);
  p = _mm256_fmadd_pd(p, r, one);
  __m256i power =
      _mm256_add_epi64(_mm256_slli_epi64(_mm256_castpd_si256(shifted), 52), _mm256_castpd_si256(one));
  return _mm256_andnot_pd(too_small, _mm256_mul_pd(p, _mm256_castsi256_pd(power)));
}

#endif
