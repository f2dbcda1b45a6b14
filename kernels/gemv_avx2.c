/* Products with a few rows of activations, in the integer modes: bound by reading the weights, so these are
 * read once, in the order in which they lie, eight rows of W at a time. The sums of integers are exact, so
 * they may be taken along the rows; the float operations are those of gemm.h, in their order, with a lane per
 * row of W. */
#include "gemv.h"
#include "half.h"
#include "panel_avx2.h"
#include "quant_avx2.h"
#include "transpose_avx2.h"

enum { ROWS = 8 }; /* rows of W that are worked on at a time */

/* A row of activations in one chunk. Of 32 neighbours the even ones lie before the odd ones, since the bytes
 * of weights become words in that order by shifts alone. */
typedef struct chunk {
  _Alignas(64) int16_t x[LES_CHUNK];
  float sums[LES_MAX_GROUPS];
  float step;
} chunk;

/* ROWS rows of W in one chunk. */
typedef struct weights {
  const uint8_t *src[ROWS];
  __m256 scale[LES_MAX_GROUPS], min[LES_MAX_GROUPS]; /* a lane per row */
  int8_t q[ROWS][LES_CHUNK];                         /* types that are not used as they lie */
} weights;

static void quantize_chunk(const les_quant *quant, const float *x, int64_t n, float limit, chunk *out) {
  int32_t q[LES_CHUNK];
  out->step = les_quantize_avx2(x, n, limit, q);
  for (int64_t g = 0; g < n / quant->group; g++) {
    int32_t sum = 0;
    for (int64_t k = g * quant->group; k < (g + 1) * quant->group; k++) sum += q[k];
    out->sums[g] = (float)sum;
  }
  for (int64_t k = 0; k < n; k++) out->x[k / 32 * 32 + k % 2 * 16 + k % 32 / 2] = (int16_t)q[k];
}

/* ---- scales and minima ---- */

static void transpose_groups(float rows[ROWS][LES_MAX_GROUPS], int groups, __m256 *out) {
  for (int g = 0; g < groups; g += 8) {
    __m256i r[8];
    for (int i = 0; i < ROWS; i++) r[i] = _mm256_loadu_si256((const __m256i *)(rows[i] + g));
    transpose8(r);
    for (int i = 0; i < 8; i++) out[g + i] = _mm256_castsi256_ps(r[i]);
  }
}

static void prepare_q8_0(int64_t n, weights *w) {
  for (int64_t g = 0; g < n / 32; g++) {
    uint16_t d[ROWS];
    for (int i = 0; i < ROWS; i++) d[i] = load_u16(w->src[i] + 34 * g);
    w->scale[g] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)d));
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

/* Block headers of Q4_K and Q5_K, all rows at once: a dword of two halves, then scales and minima of 6 bits
 * (see quant.c). */
static void prepare_k_scales(weights *w) {
  __m256i r[4], head[4];
  for (int i = 0; i < 4; i++)
    r[i] = _mm256_set_m128i(_mm_loadu_si128((const __m128i *)w->src[i + 4]),
                            _mm_loadu_si128((const __m128i *)w->src[i]));
  __m256i a = _mm256_unpacklo_epi32(r[0], r[1]), b = _mm256_unpacklo_epi32(r[2], r[3]);
  __m256i c = _mm256_unpackhi_epi32(r[0], r[1]), d = _mm256_unpackhi_epi32(r[2], r[3]);
  head[0] = _mm256_unpacklo_epi64(a, b);
  head[1] = _mm256_unpackhi_epi64(a, b);
  head[2] = _mm256_unpacklo_epi64(c, d);
  head[3] = _mm256_unpackhi_epi64(c, d);
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

static void prepare_q6_k(weights *w) {
  float scale[ROWS][LES_MAX_GROUPS];
  for (int i = 0; i < ROWS; i++) les_q6_k_scales_avx2(w->src[i], scale[i]);
  transpose_groups(scale, LES_MAX_GROUPS, w->scale);
}

static void prepare_others(const les_weight_kind *kind, int64_t n, weights *w) {
  float scale[ROWS][LES_MAX_GROUPS], min[ROWS][LES_MAX_GROUPS];
  int groups = (int)(n / kind->quant->group);
  for (int i = 0; i < ROWS; i++) les_quant_decode_avx2(kind->type, w->src[i], n, w->q[i], scale[i], min[i]);
  transpose_groups(scale, groups, w->scale);
  if (kind->quant->has_min) transpose_groups(min, groups, w->min);
}

static void prepare(const les_weight_kind *kind, int64_t n, weights *w) {
  switch (kind->type) {
  case LES_Q8_0:
    prepare_q8_0(n, w);
    break;
  case LES_Q4_K:
    prepare_k_scales(w);
    break;
  case LES_Q6_K:
    prepare_q6_k(w);
    break;
  default:
    prepare_others(kind, n, w);
  }
}

/* ---- sums of integers ---- */

/* 32 weights of row i from the chunk's element 32 j. Types without a case are decoded. */
static inline __m256i bytes_of(les_dtype type, const weights *w, int i, int64_t j) {
  const uint8_t *src = w->src[i];
  switch (type) {
  case LES_Q8_0:
    return _mm256_loadu_si256((const __m256i *)(src + 34 * j + 2));
  case LES_Q4_K: {
    __m256i pair = _mm256_loadu_si256((const __m256i *)(src + 16 + j / 2 * 32));
    return _mm256_and_si256(_mm256_srli_epi16(pair, (int)(j % 2) * 4), _mm256_set1_epi8(15));
  }
  case LES_Q6_K: {
    __m256i low = _mm256_loadu_si256((const __m256i *)(src + j / 4 * 64 + j % 2 * 32));
    __m256i high = _mm256_loadu_si256((const __m256i *)(src + 128 + j / 4 * 32));
    low = _mm256_and_si256(_mm256_srli_epi16(low, (int)(j % 4 / 2) * 4), _mm256_set1_epi8(15));
    high = _mm256_and_si256(_mm256_srli_epi16(high, (int)(j % 4) * 2), _mm256_set1_epi8(3));
    return _mm256_sub_epi8(_mm256_or_si256(low, _mm256_slli_epi16(high, 4)), _mm256_set1_epi8(32));
  }
  default:
    return _mm256_loadu_si256((const __m256i *)(w->q[i] + 32 * j));
  }
}

/* Products of 32 neighbours in eight sums; the upper half of the vector has the upper 16 of them. */
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

/* p = fma(scale, sum, p) for the groups of 32 neighbours: one group, or two of 16. */
static inline __m256 add_groups(les_dtype type, int group, bool is_unsigned, const weights *w, const chunk *a,
                                int64_t j, __m256 p) {
  __m256i folded[2];
  LES_UNROLL for (int half = 0; half < 2; half++) {
    __m256i s[4];
    LES_UNROLL for (int i = 0; i < 4; i++) s[i] =
        multiply32(bytes_of(type, w, 4 * half + i, j), is_unsigned, a->x + 32 * j);
    folded[half] = fold4(s);
  }
  __m256i lower = _mm256_permute2x128_si256(folded[0], folded[1], 0x20);
  __m256i upper = _mm256_permute2x128_si256(folded[0], folded[1], 0x31);
  if (group == 32) return _mm256_fmadd_ps(w->scale[j], _mm256_cvtepi32_ps(_mm256_add_epi32(lower, upper)), p);
  p = _mm256_fmadd_ps(w->scale[2 * j], _mm256_cvtepi32_ps(lower), p);
  return _mm256_fmadd_ps(w->scale[2 * j + 1], _mm256_cvtepi32_ps(upper), p);
}

/* What one chunk adds to the outputs of ROWS rows, not yet times the step. Two steps of 32 at a time, so that
 * which nibble it is is known when this is compiled. */
static inline __m256 dot_chunk(les_dtype type, int group, bool has_min, const weights *w, const chunk *a,
                               int64_t n) {
  __m256 p = _mm256_setzero_ps();
  int64_t j = 0;
  for (; 32 * (j + 4) <= n; j += 4)
    LES_UNROLL for (int u = 0; u < 4; u++) p = add_groups(type, group, has_min, w, a, j + u, p);
  for (; 32 * j < n; j++) p = add_groups(type, group, has_min, w, a, j, p);
  for (int64_t g = 0; has_min && g < n / group; g++)
    p = _mm256_fnmadd_ps(w->min[g], _mm256_set1_ps(a->sums[g]), p);
  return p;
}

/* Types with minima have unsigned integers. */
static __m256 dot_chunk_of(const les_weight_kind *kind, const weights *w, const chunk *a, int64_t n) {
  switch (kind->type) {
  case LES_Q8_0:
    return dot_chunk(LES_Q8_0, 32, false, w, a, n);
  case LES_Q4_K:
    return dot_chunk(LES_Q4_K, 32, true, w, a, n);
  case LES_Q6_K:
    return dot_chunk(LES_Q6_K, 16, false, w, a, n);
  default:
    break;
  }
  if (kind->quant->group == 32)
    return kind->quant->has_min ? dot_chunk(LES_F32, 32, true, w, a, n)
                                : dot_chunk(LES_F32, 32, false, w, a, n);
  return kind->quant->has_min ? dot_chunk(LES_F32, 16, true, w, a, n)
                              : dot_chunk(LES_F32, 16, false, w, a, n);
}

/* ---- the product ---- */

typedef struct job {
  const les_matrix *w;
  les_weight_kind kind;
  const chunk *a; /* (m, chunks) */
  int64_t m, chunks;
  size_t row_bytes;
  float *y;
} job;

/* The outputs first..first + ROWS - 1 of each row of activations. */
static void multiply_rows(const void *arg, int64_t first, const les_read_ahead *ahead) {
  const job *j = arg;
  __m256 sums[LES_GEMV_ROWS];
  for (int64_t r = 0; r < j->m; r++) sums[r] = _mm256_setzero_ps();
  size_t offset = 0;
  for (int64_t c = 0; c < j->chunks; c++) {
    int64_t left = j->w->cols - c * LES_CHUNK, n = left < LES_CHUNK ? left : LES_CHUNK;
    weights w;
    for (int i = 0; i < ROWS; i++) { /* past the end: the last row again, not stored later */
      int64_t row = first + i < j->w->rows ? first + i : j->w->rows - 1;
      w.src[i] = (const uint8_t *)j->w->data + (size_t)row * j->row_bytes + offset;
    }
    les_prefetch_share(ahead, c, j->chunks);
    prepare(&j->kind, n, &w);
    for (int64_t r = 0; r < j->m; r++) {
      const chunk *a = &j->a[r * j->chunks + c];
      sums[r] = _mm256_fmadd_ps(_mm256_set1_ps(a->step), dot_chunk_of(&j->kind, &w, a, n), sums[r]);
    }
    offset += les_dtype_bytes(j->w->type, n);
  }
  for (int64_t r = 0; r < j->m; r++) {
    float lanes[ROWS];
    _mm256_storeu_ps(lanes, sums[r]);
    for (int64_t i = 0; i < ROWS && first + i < j->w->rows; i++) j->y[r * j->w->rows + first + i] = lanes[i];
  }
}

void les_gemv_avx2(const les_matrix *w, const float *x, int64_t m, float *y, float limit, int threads,
                   void *scratch) {
  chunk *a = scratch;
  job j = {.w = w, .a = a, .m = m, .y = y};
  j.kind = (les_weight_kind){w->type, les_quant_find(w->type), les_int8_find(w->type)};
  j.chunks = (w->cols + LES_CHUNK - 1) / LES_CHUNK;
  j.row_bytes = les_dtype_bytes(w->type, w->cols);
  for (int64_t r = 0; r < m; r++)
    for (int64_t k = 0; k < w->cols; k += LES_CHUNK)
      quantize_chunk(j.kind.quant, x + r * w->cols + k, w->cols - k < LES_CHUNK ? w->cols - k : LES_CHUNK,
                     limit, &a[r * j.chunks + k / LES_CHUNK]);
  les_for_row_blocks(w, ROWS, threads, multiply_rows, &j);
}
