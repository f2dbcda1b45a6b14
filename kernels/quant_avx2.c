#include "quant_avx2.h"
#include "half.h"
#include <immintrin.h>

static __m256i load(const uint8_t *p) {
  return _mm256_loadu_si256((const __m256i *)p);
}
static void store(int8_t *p, __m256i x) {
  _mm256_storeu_si256((__m256i *)p, x);
}

/* 16 bytes as 32 nibbles: the low ones first. */
static __m256i nibbles_of(const uint8_t *p) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)p);
  __m256i both = _mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes);
  return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

static void decode_q4_0(const uint8_t *src, int64_t n, int8_t *q, float *scale) {
  for (int64_t k = 0; k < n; k += 32, src += 18) {
    *scale++ = _cvtsh_ss(load_u16(src));
    store(q + k, _mm256_sub_epi8(nibbles_of(src + 2), _mm256_set1_epi8(8)));
  }
}

static void decode_q4_1(const uint8_t *src, int64_t n, int8_t *q, float *scale, float *min) {
  for (int64_t k = 0; k < n; k += 32, src += 20) {
    *scale++ = _cvtsh_ss(load_u16(src));
    *min++ = -_cvtsh_ss(load_u16(src + 2));
    store(q + k, nibbles_of(src + 4));
  }
}

static void decode_q8_0(const uint8_t *src, int64_t n, int8_t *q, float *scale) {
  for (int64_t k = 0; k < n; k += 32, src += 34) {
    *scale++ = _cvtsh_ss(load_u16(src));
    store(q + k, load(src + 2));
  }
}

/* Eight bytes times d, as floats. */
static void store_scaled(float d, __m128i bytes, float *out) {
  _mm256_storeu_ps(out, _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes))));
}

/* The scales and minima of Q4_K and Q5_K: the first four of each as they are, the others as 4 + 2 bits. */
static void decode_k_scales(const uint8_t *src, float *scale, float *min) {
  uint32_t a = load_u32(src + 4), b = load_u32(src + 8), c = load_u32(src + 12);
  uint32_t scale_high = (c & 0x0f0f0f0f) | (a >> 2 & 0x30303030);
  uint32_t min_high = (c >> 4 & 0x0f0f0f0f) | (b >> 2 & 0x30303030);
  store_scaled(_cvtsh_ss(load_u16(src)), _mm_cvtsi64_si128((int64_t)scale_high << 32 | (a & 0x3f3f3f3f)),
               scale);
  store_scaled(_cvtsh_ss(load_u16(src + 2)), _mm_cvtsi64_si128((int64_t)min_high << 32 | (b & 0x3f3f3f3f)),
               min);
}

static void decode_q4_k(const uint8_t *src, int64_t n, int8_t *q, float *scale, float *min) {
  const __m256i mask = _mm256_set1_epi8(15);
  for (int64_t k = 0; k < n; k += 256, src += 144, scale += 8, min += 8) {
    decode_k_scales(src, scale, min);
    for (int i = 0; i < 4; i++) {
      __m256i bytes = load(src + 16 + 32 * i);
      store(q + k + 64 * i, _mm256_and_si256(bytes, mask));
      store(q + k + 64 * i + 32, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask));
    }
  }
}

static void decode_q5_k(const uint8_t *src, int64_t n, int8_t *q, float *scale, float *min) {
  const __m256i mask = _mm256_set1_epi8(15), fifth = _mm256_set1_epi8(16);
  for (int64_t k = 0; k < n; k += 256, src += 176, scale += 8, min += 8) {
    decode_k_scales(src, scale, min);
    __m256i high = load(src + 16); /* bit g of each byte is the fifth bit in group g */
    for (int i = 0; i < 4; i++) {
      __m256i bytes = load(src + 48 + 32 * i), even = _mm256_slli_epi16(high, 4),
              odd = _mm256_slli_epi16(high, 3);
      store(q + k + 64 * i, _mm256_or_si256(_mm256_and_si256(bytes, mask), _mm256_and_si256(even, fifth)));
      store(q + k + 64 * i + 32, _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask),
                                                 _mm256_and_si256(odd, fifth)));
      high = _mm256_srli_epi16(high, 2);
    }
  }
}

void les_q6_k_scales_avx2(const uint8_t *block, float *scale) {
  float d = _cvtsh_ss(load_u16(block + 208));
  __m128i scales = _mm_loadu_si128((const __m128i *)(block + 192));
  store_scaled(d, scales, scale);
  store_scaled(d, _mm_srli_si128(scales, 8), scale + 8);
}

static void decode_q6_k(const uint8_t *src, int64_t n, int8_t *q, float *scale) {
  const __m256i low_mask = _mm256_set1_epi8(15), high_mask = _mm256_set1_epi8(48),
                offset = _mm256_set1_epi8(32);
  for (int64_t k = 0; k < n; k += 256, src += 210, scale += 16) {
    les_q6_k_scales_avx2(src, scale);
    for (int half = 0; half < 2; half++) {
      const uint8_t *low = src + 64 * half;
      int8_t *out = q + k + 128 * half;
      __m256i high = load(src + 128 + 32 * half), a = load(low), b = load(low + 32);
      __m256i low_bits[4] = {a, b, _mm256_srli_epi16(a, 4), _mm256_srli_epi16(b, 4)};
      __m256i high_bits[4] = {_mm256_slli_epi16(high, 4), _mm256_slli_epi16(high, 2), high,
                              _mm256_srli_epi16(high, 2)};
      for (int i = 0; i < 4; i++) {
        __m256i value = _mm256_or_si256(_mm256_and_si256(low_bits[i], low_mask),
                                        _mm256_and_si256(high_bits[i], high_mask));
        store(out + 32 * i, _mm256_sub_epi8(value, offset));
      }
    }
  }
}

void les_quant_decode_avx2(les_dtype type, const uint8_t *src, int64_t n, int8_t *q, float *scale,
                           float *min) {
  switch (type) {
  case LES_Q4_0:
    decode_q4_0(src, n, q, scale);
    break;
  case LES_Q4_1:
    decode_q4_1(src, n, q, scale, min);
    break;
  case LES_Q8_0:
    decode_q8_0(src, n, q, scale);
    break;
  case LES_Q4_K:
    decode_q4_k(src, n, q, scale, min);
    break;
  case LES_Q5_K:
    decode_q5_k(src, n, q, scale, min);
    break;
  case LES_Q6_K:
    decode_q6_k(src, n, q, scale);
    break;
  default:
    les_quant_decode(type, src, n, q, scale, min);
  }
}
