/* Conversion between f32 and the 16-bit formats f16 and bf16; rounds to nearest, ties to even. */
#ifndef LES_QUANT_HALF_H
#define LES_QUANT_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t bits_of_f32(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float f32_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline float f32_of_bf16(uint16_t h) {
  return f32_of_bits((uint32_t)h << 16);
}

static inline uint16_t bf16_of_f32(float x) {
  uint32_t bits = bits_of_f32(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)((bits >> 16) | 0x40); /* keep NaN, make it quiet */
  return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static inline float f32_of_f16(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ff;
  if (exponent == 0) { /* zero and subnormals: fraction * 2^-24 is exact */
    float x = (float)fraction * 0x1p-24f;
    return sign ? -x : x;
  }
  if (exponent == 31) return f32_of_bits(sign | 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0));
  return f32_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static inline uint16_t f16_of_f32(float x) {
  uint32_t bits = bits_of_f32(x), sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x1ff));
  if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* rounds to infinity */
  if (magnitude <
      0x38800000) { /* subnormal: adding 0.5 leaves the rounded multiple of 2^-24 in the low bits */
    return (uint16_t)(sign | (bits_of_f32(f32_of_bits(magnitude) + 0.5f) - 0x3f000000));
  }
  magnitude += 0xfff + ((magnitude >> 13) & 1);
  return (uint16_t)(sign | (magnitude - 0x38000000) >> 13);
}

static inline uint16_t load_u16(const void *p) {
  uint16_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

static inline uint32_t load_u32(const void *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

static inline float load_f16(const void *p) {
  return f32_of_f16(load_u16(p));
}

#endif
