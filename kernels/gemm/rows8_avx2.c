#include "gemm/rows8_avx2.h"

#include "gemm/transpose_avx2.h"
#include "quant/half.h"

/* Eight halves, one of each row, `offset` bytes into it. */
static __m256 halves_at(const les_rows8 *w, int64_t offset) {
#define HALF(i) ((short)load_u16(w->src[i] + offset))
  return _mm256_cvtph_ps(
      _mm_setr_epi16(HALF(0), HALF(1), HALF(2), HALF(3), HALF(4), HALF(5), HALF(6), HALF(7)));
#undef HALF
}

static void prepare_q8_0(int64_t n, les_rows8 *w) {
  for (int64_t g = 0; g < n / 32; g++) w->scale[g] = halves_at(w, 34 * g);
}

static void prepare_q4_0(int64_t n, les_rows8 *w) {
  for (int64_t g = 0; g < n / 32; g++) w->scale[g] = halves_at(w, 18 * g);
}

static void prepare_q4_1(int64_t n, les_rows8 *w) {
  for (int64_t g = 0; g < n / 32; g++) {
    w->scale[g] = halves_at(w, 20 * g);
    w->min[g] = _mm256_xor_ps(halves_at(w, 20 * g + 2), _mm256_set1_ps(-0.0f));
  }
}

/* Low halves of eight dwords as floats. */
static __m256 halves_to_floats(__m256i x) {
  __m256i low = _mm256_and_si256(x, _mm256_set1_epi32(0xffff));
  __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
  return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}

/* d times each byte of eight dwords: four groups. */
static void scale_bytes(__m256 d, __m256i bytes, __m256 out[4]) {
  for (int j = 0; j < 4; j++) {
    __m256i byte = _mm256_and_si256(_mm256_srli_epi32(bytes, 8 * j), _mm256_set1_epi32(255));
    out[j] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(byte));
  }
}

/* Four dwords of each row, one after the other. */
static void load_dwords(const les_rows8 *w, int64_t offset, __m256i out[4]) {
  __m256i r[4];
  for (int i = 0; i < 4; i++)
    r[i] = _mm256_set_m128i(_mm_loadu_si128((const __m128i *)(w->src[i + 4] + offset)),
                            _mm_loadu_si128((const __m128i *)(w->src[i] + offset)));
  __m256i a = _mm256_unpacklo_epi32(r[0], r[1]), b = _mm256_unpacklo_epi32(r[2], r[3]);
  __m256i c = _mm256_unpackhi_epi32(r[0], r[1]), d = _mm256_unpackhi_epi32(r[2], r[3]);
  out[0] = _mm256_unpacklo_epi64(a, b);
  out[1] = _mm256_unpackhi_epi64(a, b);
  out[2] = _mm256_unpacklo_epi64(c, d);
  out[3] = _mm256_unpackhi_epi64(c, d);
}

/* Block headers of Q4_K and Q5_K: a dword of two halves, then scales and minima of 6 bits (see quant.c). */
static void prepare_k_scales(les_rows8 *w) {
  __m256i head[4];
  load_dwords(w, 0, head);
  const __m256i six = _mm256_set1_epi8(63), four = _mm256_set1_epi8(15), top = _mm256_set1_epi8(48);
  __m256 scale = halves_to_floats(head[0]), min = halves_to_floats(_mm256_srli_epi32(head[0], 16));
  scale_bytes(scale, _mm256_and_si256(head[1], six), w->scale);
  scale_bytes(min, _mm256_and_si256(head[2], six), w->min);
  __m256i scale_top = _mm256_and_si256(_mm256_srli_epi32(head[1], 2), top);
  __m256i min_top = _mm256_and_si256(_mm256_srli_epi32(head[2], 2), top);
  scale_bytes(scale, _mm256_or_si256(_mm256_and_si256(head[3], four), scale_top), w->scale + 4);
  scale_bytes(min, _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi32(head[3], 4), four), min_top),
              w->min + 4);
}

/* The scales of Q6_K are signed bytes. */
static void prepare_q6_k(les_rows8 *w) {
  __m256i bytes[4];
  __m256 scale = halves_at(w, 208);
  load_dwords(w, 192, bytes);
  for (int g = 0; g < 16; g++) {
    __m256i byte = _mm256_srai_epi32(_mm256_slli_epi32(bytes[g / 4], 24 - 8 * (g % 4)), 24);
    w->scale[g] = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(byte));
  }
}

static void transpose_groups(float rows[LES_ROWS8][LES_MAX_GROUPS], int groups, __m256 *out) {
  for (int g = 0; g < groups; g += 8) {
    __m256i r[8];
    for (int i = 0; i < LES_ROWS8; i++) r[i] = _mm256_loadu_si256((const __m256i *)(rows[i] + g));
    transpose8(r);
    for (int i = 0; i < 8; i++) out[g + i] = _mm256_castsi256_ps(r[i]);
  }
}

static void prepare_decoded(const les_weight_kind *kind, int64_t n, les_rows8 *w) {
  float scale[LES_ROWS8][LES_MAX_GROUPS], min[LES_ROWS8][LES_MAX_GROUPS];
  int groups = (int)(n / kind->quant->group);
  for (int i = 0; i < LES_ROWS8; i++) les_quant_decode(kind->type, w->src[i], n, w->q[i], scale[i], min[i]);
  transpose_groups(scale, groups, w->scale);
  if (kind->quant->has_min) transpose_groups(min, groups, w->min);
}

void les_rows8_prepare(const les_weight_kind *kind, int64_t n, les_rows8 *w) {
  switch (kind->type) {
  case LES_Q8_0:
    return prepare_q8_0(n, w);
  case LES_Q4_0:
    return prepare_q4_0(n, w);
  case LES_Q4_1:
    return prepare_q4_1(n, w);
  case LES_Q4_K:
  case LES_Q5_K:
    return prepare_k_scales(w);
  case LES_Q6_K:
    return prepare_q6_k(w);
  default:
    prepare_decoded(kind, n, w);
  }
}
