/* Integer GEMV, eight rows of W at a time. Integer sums are exact, so they may be taken along the rows; the
 * floating-point operations are those of path.h, in their order, with a lane per row of W. */
#include "gemm/gemv.h"
#include "gemm/panel_avx2.h"
#include "gemm/rows8_avx2.h"

#include <string.h>

/* A row of activations in one chunk. Of every 32 elements the even ones come before the odd ones: the order
 * in which the weights' bytes become words by shifts alone. */
typedef struct chunk {
  _Alignas(64) int16_t x[LES_CHUNK];
  float sums[LES_MAX_GROUPS];
  float step;
} chunk;

static void quantize(const les_weight_kind *kind, const float *x, int64_t n, float limit, void *to) {
  chunk *out = to;
  int32_t q[LES_CHUNK];
  out->step = les_quantize_avx2(x, n, limit, q);
  for (int64_t g = 0; g < n / kind->quant->group; g++) {
    int32_t sum = 0;
    for (int64_t k = g * kind->quant->group; k < (g + 1) * kind->quant->group; k++) sum += q[k];
    out->sums[g] = (float)sum;
  }
  for (int64_t k = 0; k < n; k++) out->x[k / 32 * 32 + k % 2 * 16 + k % 32 / 2] = (int16_t)q[k];
}

/* ---- sums of integers ---- */

/* Products of 32 elements in eight sums; the upper half of the vector has the upper 16 of them. */
static inline __m256i multiply32(__m256i bytes, bool is_unsigned, const int16_t *x) {
  __m256i even = is_unsigned ? _mm256_and_si256(bytes, _mm256_set1_epi16(255))
                             : _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
  __m256i odd = is_unsigned ? _mm256_srli_epi16(bytes, 8) : _mm256_srai_epi16(bytes, 8);
  const __m256i *v = (const __m256i *)x;
  return _mm256_add_epi32(_mm256_madd_epi16(even, _mm256_load_si256(v)),
                          _mm256_madd_epi16(odd, _mm256_load_si256(v + 1)));
}

/* In each half, the sums of the four elements of each of four vectors. */
static inline __m256i fold4(const __m256i s[4]) {
  return _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]), _mm256_hadd_epi32(s[2], s[3]));
}

/* p = fma(scale, sum, p) for the groups of 32 elements: one group, or two of 16. */
static inline __m256 add_groups(les_dtype type, int group, bool is_unsigned, const les_rows8 *w,
                                const chunk *a, int64_t j, __m256 p) {
  __m256i folded[2];
  LES_UNROLL for (int half = 0; half < 2; half++) {
    __m256i s[4];
    LES_UNROLL for (int i = 0; i < 4; i++) s[i] =
        multiply32(les_rows8_bytes(type, w, 4 * half + i, j), is_unsigned, a->x + 32 * j);
    folded[half] = fold4(s);
  }
  __m256i lower = _mm256_permute2x128_si256(folded[0], folded[1], 0x20);
  __m256i upper = _mm256_permute2x128_si256(folded[0], folded[1], 0x31);
  if (group == 32) return _mm256_fmadd_ps(w->scale[j], _mm256_cvtepi32_ps(_mm256_add_epi32(lower, upper)), p);
  p = _mm256_fmadd_ps(w->scale[2 * j], _mm256_cvtepi32_ps(lower), p);
  return _mm256_fmadd_ps(w->scale[2 * j + 1], _mm256_cvtepi32_ps(upper), p);
}

/* What one chunk adds to the outputs of LES_ROWS8 rows, not yet times the step. Four steps of 32 at a time,
 * so that shifts and masks are constants. */
static inline __m256 dot_chunk(les_dtype type, int group, bool has_min, const les_rows8 *w, const chunk *a,
                               int64_t n, les_read_ahead *ahead, size_t share) {
  __m256 p = _mm256_setzero_ps();
  int64_t j = 0;
  for (; 32 * (j + 4) <= n; j += 4) {
    LES_UNROLL for (int u = 0; u < 4; u++) p = add_groups(type, group, has_min, w, a, j + u, p);
    les_prefetch_next(ahead, share);
  }
  for (; 32 * j < n; j++) p = add_groups(type, group, has_min, w, a, j, p);
  for (int64_t g = 0; has_min && g < n / group; g++)
    p = _mm256_fnmadd_ps(w->min[g], _mm256_set1_ps(a->sums[g]), p);
  return p;
}

static void multiply(const les_weight_kind *kind, const uint8_t *const *src, int64_t n, const char *chunks,
                     size_t stride, int64_t m, float *sums, les_read_ahead *ahead, size_t share) {
  les_rows8 w;
  memcpy(w.src, src, sizeof w.src);
  les_rows8_prepare(kind, n, &w);
  for (int64_t r = 0; r < m; r++, chunks += stride, sums += LES_ROWS8) {
    const chunk *a = (const chunk *)chunks;
    __m256 p;
#define DOT(type, group, has_min) p = dot_chunk(type, group, has_min, &w, a, n, ahead, r == 0 ? share / 2 : 0)
    LES_ROWS8_DISPATCH(kind, DOT);
#undef DOT
    _mm256_store_ps(sums, _mm256_fmadd_ps(_mm256_set1_ps(a->step), p, _mm256_load_ps(sums)));
  }
}

const les_gemv_path les_gemv_avx2 = {LES_ROWS8, sizeof(chunk), quantize, multiply};
