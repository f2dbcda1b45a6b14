/* Integer GEMV with AVX-512 and VNNI, sixteen rows of W at a time with a lane each. A 16-bit activation is
 * split into a signed high byte and an unsigned low byte. vpdpbusd multiplies each with four bytes of
 * weights; it wants one unsigned and one signed factor, so for the high byte 128 is added to signed weights,
 * and 128 times the sum of the high bytes subtracted again. Q6_K's six bits are used unsigned, and 32 times
 * the sum of the activations is subtracted. All these sums are exact. */
#include "gemm/gemv.h"
#include "gemm/panel_avx2.h"
#include "gemm/rows8_avx2.h"

#include <string.h>

/* A row of activations in one chunk. */
typedef struct chunk {
  _Alignas(64) union { /* as bytes, and as dwords of four */
    int8_t high[LES_CHUNK];
    int32_t highs[LES_CHUNK / 4];
  };
  union {
    uint8_t low[LES_CHUNK];
    int32_t lows[LES_CHUNK / 4];
  };
  float sums[LES_MAX_GROUPS];
  int32_t high_start[LES_MAX_GROUPS], low_start[LES_MAX_GROUPS]; /* where the sums of products begin */
  float step;
} chunk;

static void quantize(const les_weight_kind *kind, const float *x, int64_t n, float limit, void *to) {
  chunk *out = to;
  int32_t q[LES_CHUNK];
  int group = kind->quant->group;
  out->step = les_quantize_avx2(x, n, limit, q);
  for (int64_t k = 0; k < n; k++) {
    out->high[k] = (int8_t)(q[k] >> 8);
    out->low[k] = (uint8_t)q[k];
  }
  for (int64_t g = 0; g < n / group; g++) {
    int32_t high = 0, low = 0;
    for (int64_t k = g * group; k < (g + 1) * group; k++) {
      high += out->high[k];
      low += out->low[k];
    }
    out->sums[g] = (float)(256 * high + low);
    out->high_start[g] = kind->quant->has_min ? 0 : kind->type == LES_Q6_K ? -32 * high : -128 * high;
    out->low_start[g] = kind->type == LES_Q6_K ? -32 * low : 0;
  }
}

/* Sixteen rows of 32 bytes as eight vectors of dwords, a lane per row. */
static LES_INLINE void transpose(const __m256i rows[16], __m512i out[8]) {
  __m512i r[8], pairs[8], quads[8];
  LES_UNROLL for (int i = 0; i < 8; i++) r[i] =
      _mm512_inserti64x4(_mm512_castsi256_si512(rows[i]), rows[i + 8], 1);
  LES_UNROLL for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  LES_UNROLL for (int i = 0; i < 8; i += 4) {
    quads[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    quads[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    quads[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    quads[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  const __m512i lower = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13),
                upper = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
  LES_UNROLL for (int i = 0; i < 4; i++) {
    out[i] = _mm512_permutex2var_epi64(quads[i], lower, quads[i + 4]);
    out[i + 4] = _mm512_permutex2var_epi64(quads[i], upper, quads[i + 4]);
  }
}

/* 32 bytes of each row from the chunk's byte `offset` on. */
static LES_INLINE void load_bytes(const les_rows8 w[2], int64_t offset, __m512i out[8]) {
  __m256i rows[16];
  LES_UNROLL for (int i = 0; i < 16; i++) rows[i] =
      _mm256_loadu_si256((const __m256i *)(w[i / 8].src[i % 8] + offset));
  transpose(rows, out);
}

/* Of each byte the `bits` from bit `from` on. */
static LES_INLINE __m512i bits_of(__m512i bytes, int from, int bits) {
  if (from > 0) bytes = _mm512_srli_epi16(bytes, (unsigned)from);
  return _mm512_and_si512(bytes, _mm512_set1_epi8((char)((1 << bits) - 1)));
}

static LES_INLINE __m512 join(__m256 lower, __m256 upper) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(lower), upper, 1);
}

/* p = fma(scale, sum, p) for the groups of 32 elements, given as dwords of four: one group, or two of 16.
 */
static LES_INLINE __m512 add_groups(const __m512i quads[8], int group, bool is_unsigned, const les_rows8 w[2],
                                    const chunk *a, int64_t j, __m512 p) {
  LES_UNROLL for (int first = 0; first < 8; first += group / 4) {
    int64_t g = (32 * j + 4 * first) / group;
    /* two sums of each kind, so that one need not wait for the other */
    __m512i high[2] = {_mm512_set1_epi32(a->high_start[g]), _mm512_setzero_si512()};
    __m512i low[2] = {_mm512_set1_epi32(a->low_start[g]), _mm512_setzero_si512()};
    LES_UNROLL for (int i = first; i < first + group / 4; i++) {
      __m512i made_unsigned = is_unsigned ? quads[i] : _mm512_xor_si512(quads[i], _mm512_set1_epi8(-128));
      high[i % 2] = _mm512_dpbusd_epi32(high[i % 2], made_unsigned, _mm512_set1_epi32(a->highs[8 * j + i]));
      low[i % 2] = _mm512_dpbusd_epi32(low[i % 2], _mm512_set1_epi32(a->lows[8 * j + i]), quads[i]);
    }
    __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(_mm512_add_epi32(high[0], high[1]), 8),
                                   _mm512_add_epi32(low[0], low[1]));
    p = _mm512_fmadd_ps(join(w[0].scale[g], w[1].scale[g]), _mm512_cvtepi32_ps(sum), p);
  }
  return p;
}

static LES_INLINE __m512 add_32(les_dtype type, int group, bool has_min, const les_rows8 w[2], const chunk *a,
                                int64_t j, __m512 p) {
  __m256i rows[16];
  __m512i quads[8];
  LES_UNROLL for (int i = 0; i < 16; i++) rows[i] = les_rows8_bytes(type, &w[i / 8], i % 8, j);
  transpose(rows, quads);
  return add_groups(quads, group, has_min, w, a, j, p);
}

/* The same for 64 elements of Q4_K, which share bytes: j is even. */
static LES_INLINE __m512 add_64_of_q4_k(const les_rows8 w[2], const chunk *a, int64_t j, __m512 p) {
  __m512i both[8], quads[8];
  load_bytes(w, 16 + 16 * j, both);
  LES_UNROLL for (int i = 0; i < 8; i++) quads[i] = bits_of(both[i], 0, 4);
  p = add_groups(quads, 32, true, w, a, j, p);
  LES_UNROLL for (int i = 0; i < 8; i++) quads[i] = bits_of(both[i], 4, 4);
  return add_groups(quads, 32, true, w, a, j + 1, p);
}

/* The same for 128 elements of Q6_K: j is a multiple of 4. */
static LES_INLINE __m512 add_128_of_q6_k(const les_rows8 w[2], const chunk *a, int64_t j, __m512 p) {
  __m512i low[2][8], high[8], quads[8];
  load_bytes(w, 16 * j, low[0]);
  load_bytes(w, 16 * j + 32, low[1]);
  load_bytes(w, 128 + 8 * j, high);
  LES_UNROLL for (int u = 0; u < 4; u++) {
    LES_UNROLL for (int i = 0; i < 8; i++) quads[i] = _mm512_or_si512(
        bits_of(low[u % 2][i], u / 2 * 4, 4), _mm512_slli_epi16(bits_of(high[i], 2 * u, 2), 4));
    p = add_groups(quads, 16, true, w, a, j + u, p);
  }
  return p;
}

/* What one chunk adds to the outputs, not yet times the step. */
static LES_INLINE __m512 dot_chunk(les_dtype type, int group, bool has_min, const les_rows8 w[2],
                                   const chunk *a, int64_t n, les_read_ahead *ahead, size_t share) {
  __m512 p = _mm512_setzero_ps();
  int64_t j = 0;
  for (; 32 * (j + 4) <= n; j += 4) { /* so that shifts and masks are constants */
    if (type == LES_Q6_K) {
      p = add_128_of_q6_k(w, a, j, p);
    } else if (type == LES_Q4_K) {
      LES_UNROLL for (int u = 0; u < 4; u += 2) p = add_64_of_q4_k(w, a, j + u, p);
    } else {
      LES_UNROLL for (int u = 0; u < 4; u++) p = add_32(type, group, has_min, w, a, j + u, p);
    }
    les_prefetch_next(ahead, share);
  }
  for (; 32 * j < n; j++) p = add_32(type, group, has_min, w, a, j, p);
  for (int64_t g = 0; has_min && g < n / group; g++)
    p = _mm512_fnmadd_ps(join(w[0].min[g], w[1].min[g]), _mm512_set1_ps(a->sums[g]), p);
  return p;
}

static void multiply(const les_weight_kind *kind, const uint8_t *const *src, int64_t n, const char *chunks,
                     size_t stride, int64_t m, float *sums, les_read_ahead *ahead, size_t share) {
  les_rows8 w[2];
  for (int half = 0; half < 2; half++) {
    memcpy(w[half].src, src + half * LES_ROWS8, sizeof w[half].src);
    les_rows8_prepare(kind, n, &w[half]);
  }
  for (int64_t r = 0; r < m; r++, chunks += stride, sums += 2 * LES_ROWS8) {
    const chunk *a = (const chunk *)chunks;
    __m512 p;
#define DOT(type, group, has_min) p = dot_chunk(type, group, has_min, w, a, n, ahead, r == 0 ? share / 2 : 0)
    LES_ROWS8_DISPATCH(kind, DOT);
#undef DOT
    _mm512_store_ps(sums, _mm512_fmadd_ps(_mm512_set1_ps(a->step), p, _mm512_load_ps(sums)));
  }
}

const les_gemv_path les_gemv_avx512 = {2 * LES_ROWS8, sizeof(chunk), quantize, multiply};
