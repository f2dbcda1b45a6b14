/* The exponential function, as polynomials of our own instead of libm's, so that every instruction set gives
 * the same bytes. Cody-Waite reduction to |r| <= ln(2) / 2, minimax polynomial (relative error 2e-9 before
 * rounding in f32, 3e-18 in f64), scaling by 2^n. The vector versions do the same operations in the same
 * order. */
#ifndef LES_ROWS_EXP_H
#define LES_ROWS_EXP_H

#include "quant/half.h"
#include <math.h>

/* Adding and subtracting this rounds to an integer; in between, the low bits hold it. */
#define EXP_F32_ROUND    0x1.8p23f
#define EXP_F32_LOG2E    0x1.715476p+0f
#define EXP_F32_LN2_HIGH 0x1.62e4p-1f
#define EXP_F32_LN2_LOW  0x1.7f7d1cp-20f
/* Beyond these the result is infinity or 0. */
#define EXP_F32_MAX 89.0f
#define EXP_F32_MIN -104.0f
#define EXP_F32_C6  1.3836835744e-3f
#define EXP_F32_C5  8.3748240306e-3f
#define EXP_F32_C4  4.1668226188e-2f
#define EXP_F32_C3  1.6666420072e-1f
#define EXP_F32_C2  4.9999992075e-1f

#define EXP_F64_ROUND    0x1.8p52
#define EXP_F64_LOG2E    0x1.71547652b82fep+0
#define EXP_F64_LN2_HIGH 0x1.62e42fefa39efp-1
#define EXP_F64_LN2_LOW  0x1.abc9e3b39803fp-56
/* Below it the result is 0: sums of exponentials of which one is 1 do not see the difference. */
#define EXP_F64_MIN -708.0
#define EXP_F64_MAX 709.0
#define EXP_F64_C11 0x1.ad661bba42f09p-26
#define EXP_F64_C10 0x1.28b31c3ffe609p-22
#define EXP_F64_C9  0x1.71df45343d1cap-19
#define EXP_F64_C8  0x1.a01992c5c0808p-16
#define EXP_F64_C7  0x1.a01a011044a25p-13
#define EXP_F64_C6  0x1.6c16c187853c5p-10
#define EXP_F64_C5  0x1.1111111130e33p-7
#define EXP_F64_C4  0x1.555555554f35cp-5
#define EXP_F64_C3  0x1.55555555554a2p-3
#define EXP_F64_C2  0x1.0000000000010p-1

static inline float exp_f32(float x) {
  x = EXP_F32_MAX < x ? EXP_F32_MAX : x; /* NaN stays */
  x = EXP_F32_MIN > x ? EXP_F32_MIN : x;
  float shifted = fmaf(x, EXP_F32_LOG2E, EXP_F32_ROUND), n = shifted - EXP_F32_ROUND;
  float r = fmaf(n, -EXP_F32_LN2_LOW, fmaf(n, -EXP_F32_LN2_HIGH, x));
  float p = fmaf(EXP_F32_C6, r, EXP_F32_C5);
  p = fmaf(p, r, EXP_F32_C4);
  p = fmaf(p, r, EXP_F32_C3);
  p = fmaf(p, r, EXP_F32_C2);
  p = fmaf(p, r, 1.0f);
  p = fmaf(p, r, 1.0f);
  /* 2^n in two factors, since n may be below the smallest exponent */
  int32_t i = (int32_t)(bits_of_f32(shifted) - bits_of_f32(EXP_F32_ROUND)), half = i >> 1;
  p *= f32_of_bits((uint32_t)(half + 127) << 23);
  return p * f32_of_bits((uint32_t)(i - half + 127) << 23);
}

static inline double f64_of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint64_t bits_of_f64(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double exp_f64(double x) {
  if (x < EXP_F64_MIN) return 0.0;
  x = EXP_F64_MAX < x ? EXP_F64_MAX : x; /* NaN stays */
  double shifted = fma(x, EXP_F64_LOG2E, EXP_F64_ROUND), n = shifted - EXP_F64_ROUND;
  double r = fma(n, -EXP_F64_LN2_LOW, fma(n, -EXP_F64_LN2_HIGH, x));
  double p = fma(EXP_F64_C11, r, EXP_F64_C10);
  p = fma(p, r, EXP_F64_C9);
  p = fma(p, r, EXP_F64_C8);
  p = fma(p, r, EXP_F64_C7);
  p = fma(p, r, EXP_F64_C6);
  p = fma(p, r, EXP_F64_C5);
  p = fma(p, r, EXP_F64_C4);
  p = fma(p, r, EXP_F64_C3);
  p = fma(p, r, EXP_F64_C2);
  p = fma(p, r, 1.0);
  p = fma(p, r, 1.0);
  return p * f64_of_bits((bits_of_f64(shifted) << 52) + 0x3ff0000000000000);
}

/* gelu(x) = x (1 + tanh(u)) / 2 = x / (1 + exp(-2 u)), where 2 u = x (GELU_LINEAR + GELU_CUBIC x^2):
 * 2 sqrt(2 / pi), and that times 0.044715. */
#define GELU_LINEAR 1.5957691216f
#define GELU_CUBIC  0.0713548163f

static inline float gelu_erf(float x) {
  return 0.5f * x * (1.0f + erff(x * 0.70710678f));
}

#endif
