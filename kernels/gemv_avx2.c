/* Products with a few rows of activations, in the integer modes: bound by reading the weights, so these are
 * read once, in the order in which they lie, eight rows of W at a time. The sums of integers are exact, so
 * they may be taken along the rows; the float operations are those of gemm.h, in their order. */
#include "half.h"
#include "panel_avx2.h"
#include "quant_avx2.h"
#include "transpose_avx2.h"

enum { ROWS = 8, ITEM = 4 * ROWS }; /* rows of W that are worked on, and that a thread takes, at a time */

/* A row of activations in one chunk. */
typedef struct chunk {
  _Alignas(64) int16_t x[LES_CHUNK];
  float sums[LES_MAX_GROUPS];
  float step;
} chunk;

/* ROWS rows of weights in one chunk: q[i] + g * stride are row i's integers of group g. */
typedef struct weights {
  const int8_t *q[ROWS];
  int64_t stride;
  __m256 scale[LES_MAX_GROUPS], min[LES_MAX_GROUPS]; /* a lane per row */
  int8_t decoded[ROWS][LES_CHUNK];
} weights;

static void quantize_chunk(const les_quant *quant, const float *x, int64_t n, float limit, chunk *out) {
  int32_t q[LES_CHUNK];
  out->step = les_quantize_avx2(x, n, limit, q);
  for (int64_t g = 0; g < n / quant->group; g++) {
    int32_t sum = 0;
    for (int64_t k = g * quant->group; k < (g + 1) * quant->group; k++) sum += q[k];
    out->sums[g] = (float)sum;
  }
  for (int64_t k = 0; k < n; k++) out->x[k] = (int16_t)q[k];
}

/* Q8_0 is used where it lies. */
static void view_q8_0(const uint8_t *const src[ROWS], int64_t n, weights *w) {
  enum { BLOCK = 34 };
  w->stride = BLOCK;
  for (int i = 0; i < ROWS; i++) w->q[i] = (const int8_t *)src[i] + 2;
  for (int64_t g = 0; g < n / 32; g++) {
    uint16_t d[ROWS];
    for (int i = 0; i < ROWS; i++) d[i] = load_u16(src[i] + g * BLOCK);
    w->scale[g] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)d));
  }
}

static void transpose_groups(float rows[ROWS][LES_MAX_GROUPS], int groups, __m256 *out) {
  for (int g = 0; g < groups; g += 8) {
    __m256i r[8];
    for (int i = 0; i < ROWS; i++) r[i] = _mm256_loadu_si256((const __m256i *)(rows[i] + g));
    transpose8(r);
    for (int i = 0; i < 8; i++) out[g + i] = _mm256_castsi256_ps(r[i]);
  }
}

static void decode_rows(les_dtype type, const les_quant *quant, const uint8_t *const src[ROWS], int64_t n,
                        weights *w) {
  float scale[ROWS][LES_MAX_GROUPS], min[ROWS][LES_MAX_GROUPS];
  int groups = (int)(n / quant->group);
  for (int i = 0; i < ROWS; i++) {
    les_quant_decode_avx2(type, src[i], n, w->decoded[i], scale[i], min[i]);
    w->q[i] = w->decoded[i];
  }
  w->stride = quant->group;
  transpose_groups(scale, groups, w->scale);
  if (quant->has_min) transpose_groups(min, groups, w->min);
}

/* The sums of the eight elements of each vector. */
static inline __m256i fold8(const __m256i s[ROWS]) {
  __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]), _mm256_hadd_epi32(s[2], s[3]));
  __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(s[4], s[5]), _mm256_hadd_epi32(s[6], s[7]));
  return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
}

static inline __m256i madd16(const int8_t *q, const int16_t *x) {
  __m256i words = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)q));
  return _mm256_madd_epi16(words, _mm256_loadu_si256((const __m256i *)x));
}

/* What one chunk adds to the outputs of ROWS rows, not yet times the step. */
static inline __m256 dot_chunk(int group, bool has_min, const weights *w, const chunk *a, int64_t n) {
  __m256 p = _mm256_setzero_ps();
  for (int64_t g = 0; g < n / group; g++) {
    __m256i s[ROWS];
    for (int i = 0; i < ROWS; i++) {
      const int8_t *q = w->q[i] + g * w->stride;
      s[i] = madd16(q, a->x + g * group);
      if (group == 32) s[i] = _mm256_add_epi32(s[i], madd16(q + 16, a->x + g * group + 16));
    }
    p = _mm256_fmadd_ps(w->scale[g], _mm256_cvtepi32_ps(fold8(s)), p);
  }
  for (int64_t g = 0; has_min && g < n / group; g++)
    p = _mm256_fnmadd_ps(w->min[g], _mm256_set1_ps(a->sums[g]), p);
  return p;
}

static __m256 dot_chunk_of(const les_quant *quant, const weights *w, const chunk *a, int64_t n) {
  if (quant->group == 32)
    return quant->has_min ? dot_chunk(32, true, w, a, n) : dot_chunk(32, false, w, a, n);
  return quant->has_min ? dot_chunk(16, true, w, a, n) : dot_chunk(16, false, w, a, n);
}

/* ROWS outputs from `first` of each of m rows of activations. */
static void multiply_rows(const les_matrix *m, const les_quant *quant, int64_t first, const chunk *a,
                          int64_t n_rows, float *y) {
  __m256 sums[LES_GEMV_ROWS];
  for (int64_t r = 0; r < n_rows; r++) sums[r] = _mm256_setzero_ps();
  size_t row_bytes = les_dtype_bytes(m->type, m->cols);
  int64_t chunks = (m->cols + LES_CHUNK - 1) / LES_CHUNK;
  size_t offset = 0;
  for (int64_t c = 0; c < chunks; c++) {
    int64_t n = m->cols - c * LES_CHUNK < LES_CHUNK ? m->cols - c * LES_CHUNK : LES_CHUNK;
    size_t bytes = les_dtype_bytes(m->type, n);
    const uint8_t *src[ROWS];
    for (int i = 0; i < ROWS; i++) { /* past the end: the last row again, not stored later */
      int64_t row = first + i < m->rows ? first + i : m->rows - 1;
      src[i] = (const uint8_t *)m->data + (size_t)row * row_bytes + offset;
      for (size_t b = 0; b < bytes; b += 64)
        _mm_prefetch((const char *)src[i] + ROWS * row_bytes + b, _MM_HINT_T0);
    }
    offset += bytes;
    weights w;
    if (m->type == LES_Q8_0)
      view_q8_0(src, n, &w);
    else
      decode_rows(m->type, quant, src, n, &w);
    for (int64_t r = 0; r < n_rows; r++) {
      const chunk *row = &a[r * chunks + c];
      sums[r] = _mm256_fmadd_ps(_mm256_set1_ps(row->step), dot_chunk_of(quant, &w, row, n), sums[r]);
    }
  }
  for (int64_t r = 0; r < n_rows; r++) {
    float lanes[ROWS];
    _mm256_storeu_ps(lanes, sums[r]);
    for (int64_t i = 0; i < ROWS && first + i < m->rows; i++) y[r * m->rows + first + i] = lanes[i];
  }
}

void les_gemv_avx2(const les_matrix *w, const float *x, int64_t m, float *y, float limit, int threads,
                   void *scratch) {
  const les_quant *quant = les_quant_find(w->type);
  int64_t chunks = (w->cols + LES_CHUNK - 1) / LES_CHUNK, next = 0;
  chunk *a = scratch; /* (m, chunks) */
  for (int64_t r = 0; r < m; r++)
    for (int64_t c = 0; c < chunks; c++) {
      int64_t k = c * LES_CHUNK;
      quantize_chunk(quant, x + r * w->cols + k, w->cols - k < LES_CHUNK ? w->cols - k : LES_CHUNK, limit,
                     &a[r * chunks + c]);
    }
#pragma omp parallel num_threads(threads)
  for (;;) {
    int64_t first = __atomic_fetch_add(&next, ITEM, __ATOMIC_RELAXED);
    if (first >= w->rows) break;
    for (int64_t row = first; row < first + ITEM && row < w->rows; row += ROWS)
      multiply_rows(w, quant, row, a, m, y);
  }
}
