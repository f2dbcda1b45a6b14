/* Products with a few rows of activations, in the integer modes: bound by reading the weights, so these are
 * read once, in the order in which they lie, eight rows of W at a time. The sums of integers are exact, so
 * they may be taken along the rows; the float operations are those of gemm.h, in their order, with a lane per
 * row of W. */
#include "gemv.h"
#include "octet_avx2.h"
#include "panel_avx2.h"

/* A row of activations in one chunk. Of 32 neighbours the even ones lie before the odd ones, since the bytes
 * of weights become words in that order by shifts alone. */
typedef struct chunk {
  _Alignas(64) int16_t x[LES_CHUNK];
  float sums[LES_MAX_GROUPS];
  float step;
} chunk;

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

/* ---- sums of integers ---- */

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
static inline __m256 add_groups(les_dtype type, int group, bool is_unsigned, const les_octet *w,
                                const chunk *a, int64_t j, __m256 p) {
  __m256i folded[2];
  LES_UNROLL for (int half = 0; half < 2; half++) {
    __m256i s[4];
    LES_UNROLL for (int i = 0; i < 4; i++) s[i] =
        multiply32(les_octet_bytes(type, w, 4 * half + i, j), is_unsigned, a->x + 32 * j);
    folded[half] = fold4(s);
  }
  __m256i lower = _mm256_permute2x128_si256(folded[0], folded[1], 0x20);
  __m256i upper = _mm256_permute2x128_si256(folded[0], folded[1], 0x31);
  if (group == 32) return _mm256_fmadd_ps(w->scale[j], _mm256_cvtepi32_ps(_mm256_add_epi32(lower, upper)), p);
  p = _mm256_fmadd_ps(w->scale[2 * j], _mm256_cvtepi32_ps(lower), p);
  return _mm256_fmadd_ps(w->scale[2 * j + 1], _mm256_cvtepi32_ps(upper), p);
}

/* What one chunk adds to the outputs of LES_OCTET rows, not yet times the step. Two steps of 32 at a time, so
 * that which nibble it is is known when this is compiled. */
static inline __m256 dot_chunk(les_dtype type, int group, bool has_min, const les_octet *w, const chunk *a,
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
static __m256 dot_chunk_of(const les_weight_kind *kind, const les_octet *w, const chunk *a, int64_t n) {
  switch (kind->type) {
  case LES_Q8_0:
    return dot_chunk(LES_Q8_0, 32, false, w, a, n);
  case LES_Q4_0:
    return dot_chunk(LES_Q4_0, 32, false, w, a, n);
  case LES_Q4_1:
    return dot_chunk(LES_Q4_1, 32, true, w, a, n);
  case LES_Q4_K:
    return dot_chunk(LES_Q4_K, 32, true, w, a, n);
  case LES_Q5_K:
    return dot_chunk(LES_Q5_K, 32, true, w, a, n);
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

/* The outputs first..first + LES_OCTET - 1 of each row of activations. */
static void multiply_rows(const void *arg, int64_t first, const les_read_ahead *ahead) {
  const job *j = arg;
  __m256 sums[LES_GEMV_ROWS];
  for (int64_t r = 0; r < j->m; r++) sums[r] = _mm256_setzero_ps();
  size_t offset = 0;
  for (int64_t c = 0; c < j->chunks; c++) {
    int64_t left = j->w->cols - c * LES_CHUNK, n = left < LES_CHUNK ? left : LES_CHUNK;
    les_octet w;
    for (int i = 0; i < LES_OCTET; i++) { /* past the end: the last row again, not stored later */
      int64_t row = first + i < j->w->rows ? first + i : j->w->rows - 1;
      w.src[i] = (const uint8_t *)j->w->data + (size_t)row * j->row_bytes + offset;
    }
    les_prefetch_share(ahead, c, j->chunks);
    les_octet_prepare(&j->kind, n, &w);
    for (int64_t r = 0; r < j->m; r++) {
      const chunk *a = &j->a[r * j->chunks + c];
      sums[r] = _mm256_fmadd_ps(_mm256_set1_ps(a->step), dot_chunk_of(&j->kind, &w, a, n), sums[r]);
    }
    offset += les_dtype_bytes(j->w->type, n);
  }
  for (int64_t r = 0; r < j->m; r++) {
    float lanes[LES_OCTET];
    _mm256_storeu_ps(lanes, sums[r]);
    for (int64_t i = 0; i < LES_OCTET && first + i < j->w->rows; i++)
      j->y[r * j->w->rows + first + i] = lanes[i];
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
  les_for_row_blocks(w, LES_OCTET, threads, multiply_rows, &j);
}
