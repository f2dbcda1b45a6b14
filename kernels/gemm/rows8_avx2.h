/* Eight rows of a quantized weight matrix in one chunk, side by side: what GEMV works on, and what the panels
 * of GEMM are packed from. */
#ifndef LES_GEMM_ROWS8_AVX2_H
#define LES_GEMM_ROWS8_AVX2_H

#include "gemm/path.h"
#include <immintrin.h>

enum { LES_ROWS8 = 8 };

typedef struct les_rows8 {
  const uint8_t
      *src[LES_ROWS8]; /* the chunk in the matrix's own layout: set by the caller, and all else from it */
  __m256 scale[LES_MAX_GROUPS], min[LES_MAX_GROUPS]; /* of each group, a lane per row */
  int8_t q[LES_ROWS8][LES_CHUNK];                    /* of types that les_rows8_bytes does not know */
} les_rows8;

/* Sets the scales and minima of a chunk of n elements, and q where it is used. */
void les_rows8_prepare(const les_weight_kind *kind, int64_t n, les_rows8 *w);

/* 16 bytes as 32 nibbles: the low ones first. */
static inline __m256i les_nibbles(const uint8_t *p) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)p);
  __m256i both = _mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes);
  return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/* 32 bytes, of each the `bits` from bit `from` on. */
static inline __m256i les_bits(const uint8_t *p, int from, int bits) {
  __m256i bytes = _mm256_loadu_si256((const __m256i *)p);
  return _mm256_and_si256(_mm256_srli_epi16(bytes, from), _mm256_set1_epi8((char)((1 << bits) - 1)));
}

/* The integers of row i from the chunk's element 32 j on; LES_F32 stands for the types that are decoded. */
static inline __m256i les_rows8_bytes(les_dtype type, const les_rows8 *w, int i, int64_t j) {
  const uint8_t *src = w->src[i];
  switch (type) {
  case LES_Q8_0:
    return _mm256_loadu_si256((const __m256i *)(src + 34 * j + 2));
  case LES_Q4_0:
    return _mm256_sub_epi8(les_nibbles(src + 18 * j + 2), _mm256_set1_epi8(8));
  case LES_Q4_1:
    return les_nibbles(src + 20 * j + 4);
  case LES_Q4_K:
    return les_bits(src + 16 + j / 2 * 32, (int)(j % 2) * 4, 4);
  case LES_Q5_K: {
    __m256i fifth = les_bits(src + 16, (int)j, 1);
    return _mm256_or_si256(les_bits(src + 48 + j / 2 * 32, (int)(j % 2) * 4, 4), _mm256_slli_epi16(fifth, 4));
  }
  case LES_Q6_K: {
    __m256i low = les_bits(src + j / 4 * 64 + j % 2 * 32, (int)(j % 4 / 2) * 4, 4);
    __m256i high = les_bits(src + 128 + j / 4 * 32, (int)(j % 4) * 2, 2);
    return _mm256_sub_epi8(_mm256_or_si256(low, _mm256_slli_epi16(high, 4)), _mm256_set1_epi8(32));
  }
  default:
    return _mm256_loadu_si256((const __m256i *)(w->q[i] + 32 * j));
  }
}

/* CALL(type, group, has_min) with constants, for inlining; types with minima have unsigned integers. */
#define LES_ROWS8_DISPATCH(kind, CALL)                                                                       \
  do {                                                                                                       \
    switch ((kind)->type) {                                                                                  \
    case LES_Q8_0:                                                                                           \
      CALL(LES_Q8_0, 32, false);                                                                             \
      break;                                                                                                 \
    case LES_Q4_0:                                                                                           \
      CALL(LES_Q4_0, 32, false);                                                                             \
      break;                                                                                                 \
    case LES_Q4_1:                                                                                           \
      CALL(LES_Q4_1, 32, true);                                                                              \
      break;                                                                                                 \
    case LES_Q4_K:                                                                                           \
      CALL(LES_Q4_K, 32, true);                                                                              \
      break;                                                                                                 \
    case LES_Q5_K:                                                                                           \
      CALL(LES_Q5_K, 32, true);                                                                              \
      break;                                                                                                 \
    case LES_Q6_K:                                                                                           \
      CALL(LES_Q6_K, 16, false);                                                                             \
      break;                                                                                                 \
    default:                                                                                                 \
      if ((kind)->quant->group == 32 && (kind)->quant->has_min)                                              \
        CALL(LES_F32, 32, true);                                                                             \
      else if ((kind)->quant->group == 32)                                                                   \
        CALL(LES_F32, 32, false);                                                                            \
      else if ((kind)->quant->has_min)                                                                       \
        CALL(LES_F32, 16, true);                                                                             \
      else                                                                                                   \
        CALL(LES_F32, 16, false);                                                                            \
    }                                                                                                        \
  } while (0)

#endif
