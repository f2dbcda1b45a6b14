#include "gemm/panel_avx2.h"

#include "gemm/rows8_avx2.h"
#include "gemm/transpose_avx2.h"

#include <math.h>
#include <string.h>

/* ---- activations ---- */

/* Interleaves four streams of n dwords. */
static void interleave4(const uint32_t *const src[4], int64_t n, uint32_t *dst) {
  int64_t k = 0;
  for (; k + 4 <= n; k += 4, dst += 16) {
    __m128i r[4];
    for (int i = 0; i < 4; i++) r[i] = _mm_loadu_si128((const __m128i *)(src[i] + k));
    __m128i a = _mm_unpacklo_epi32(r[0], r[1]), b = _mm_unpackhi_epi32(r[0], r[1]);
    __m128i c = _mm_unpacklo_epi32(r[2], r[3]), d = _mm_unpackhi_epi32(r[2], r[3]);
    _mm_storeu_si128((__m128i *)dst, _mm_unpacklo_epi64(a, c));
    _mm_storeu_si128((__m128i *)dst + 1, _mm_unpackhi_epi64(a, c));
    _mm_storeu_si128((__m128i *)dst + 2, _mm_unpacklo_epi64(b, d));
    _mm_storeu_si128((__m128i *)dst + 3, _mm_unpackhi_epi64(b, d));
  }
  for (; k < n; k++)
    for (int i = 0; i < 4; i++) *dst++ = src[i][k];
}

void les_pack_tile_f32_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n,
                            void *tile) {
  (void)kind;
  static const float ZEROS[LES_CHUNK];
  const uint32_t *src[TILE_ROWS];
  for (int i = 0; i < TILE_ROWS; i++) src[i] = (const uint32_t *)(i < rows ? x + i * stride : ZEROS);
  interleave4(src, n, tile);
}

static float step_of(const float *x, int64_t n, float limit, float *inverse) {
  __m256i largest = _mm256_setzero_si256(), magnitude = _mm256_set1_epi32(0x7fffffff);
  for (int64_t k = 0; k < n; k += 8) /* as integers: infinity and NaN are the largest */
    largest =
        _mm256_max_epi32(largest, _mm256_and_si256(magnitude, _mm256_loadu_si256((const __m256i *)(x + k))));
  float lanes[8];
  _mm256_storeu_si256((__m256i *)lanes, largest);
  return les_gemm_step(lanes, 8, limit, inverse);
}

float les_quantize_avx2(const float *x, int64_t n, float limit, int32_t *q) {
  float inverse, step = step_of(x, n, limit, &inverse);
  if (!(inverse > 0.0f)) {
    memset(q, 0, (size_t)n * sizeof *q);
    return step;
  }
  for (int64_t k = 0; k < n; k += 8)
    _mm256_storeu_si256((__m256i *)(q + k),
                        _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_set1_ps(inverse), _mm256_loadu_ps(x + k))));
  return step;
}

static int32_t sum_of(const int32_t *q, int n) {
  int32_t sum = 0;
  for (int i = 0; i < n; i++) sum += q[i];
  return sum;
}

/* Words, each four in the order 0, 2, 1, 3; n is a multiple of 32. */
static void narrow_to_words(const int32_t *q, int64_t n, uint32_t *out) {
  const __m256i order = _mm256_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15, //
                                         0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
  for (int64_t k = 0; k < n; k += 16, q += 16, out += 8) {
    __m256i words = _mm256_packs_epi32(_mm256_loadu_si256((const __m256i *)q),
                                       _mm256_loadu_si256((const __m256i *)q + 1));
    words = _mm256_permute4x64_epi64(words, 0xd8);
    _mm256_storeu_si256((__m256i *)out, _mm256_shuffle_epi8(words, order));
  }
}

static void narrow_to_bytes(const int32_t *q, int64_t n, uint32_t *out) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (int64_t k = 0; k < n; k += 32, q += 32, out += 8) {
    const __m256i *v = (const __m256i *)q;
    __m256i low = _mm256_packs_epi32(_mm256_loadu_si256(v), _mm256_loadu_si256(v + 1));
    __m256i high = _mm256_packs_epi32(_mm256_loadu_si256(v + 2), _mm256_loadu_si256(v + 3));
    __m256i bytes = _mm256_packs_epi16(low, high);
    _mm256_storeu_si256((__m256i *)out, _mm256_permutevar8x32_epi32(bytes, order));
  }
}

void les_pack_tile_int16_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows,
                              int64_t n, void *tile) {
  tile_int16 *t = tile;
  int32_t q[LES_CHUNK];
  uint32_t words[TILE_ROWS][LES_CHUNK / 2] = {{0}};
  const uint32_t *src[TILE_ROWS] = {words[0], words[1], words[2], words[3]};
  memset(t->step, 0, sizeof t->step);
  memset(t->sums, 0, sizeof t->sums);
  int group = kind->quant->group;
  for (int i = 0; i < rows; i++) {
    t->step[i] = les_quantize_avx2(x + i * stride, n, 32767.0f, q);
    for (int g = 0; g < n / group; g++) t->sums[g][i] = (float)sum_of(q + g * group, group);
    narrow_to_words(q, n, words[i]);
  }
  interleave4(src, n / 2, (uint32_t *)t->x);
}

void les_pack_tile_int8_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n,
                             void *tile) {
  tile_int8 *t = tile;
  int32_t q[LES_CHUNK];
  uint32_t bytes[TILE_ROWS][LES_CHUNK / 4] = {{0}};
  const uint32_t *src[TILE_ROWS] = {bytes[0], bytes[1], bytes[2], bytes[3]};
  memset(t->step, 0, sizeof t->step);
  memset(t->sums, 0, sizeof t->sums);
  int group = kind->quant->group;
  for (int i = 0; i < rows; i++) {
    t->step[i] = les_quantize_avx2(x + i * stride, n, 127.0f, q);
    for (int g = 0; g < n / group; g++) {
      int32_t sum = sum_of(q + g * group, group);
      if (kind->quant->has_min)
        t->sums[g][i] = (float)sum;
      else
        t->offsets[g][i] = kind->int8->offset * sum;
    }
    narrow_to_bytes(q, n, bytes[i]);
  }
  interleave4(src, n / 4, (uint32_t *)t->x);
}

/* ---- weights ---- */

/* Columns first .. first + 7 of a panel, which are rows of W. */
static void prepare_columns(const les_panel_source *source, int first, les_rows8 *w) {
  memcpy(w->src, source->cols + first, sizeof w->src);
  les_rows8_prepare(source->kind, source->n, w);
}

/* Dwords of four consecutive elements of eight columns, from the chunk's element 32 j on. */
static inline void load_quads(const les_weight_kind *kind, const les_rows8 *w, int64_t j, __m256i r[8]) {
#define LOAD(type, group, has_min)                                                                           \
  do {                                                                                                       \
    LES_UNROLL for (int i = 0; i < 8; i++) r[i] = les_rows8_bytes(type, w, i, j);                            \
  } while (0)
  LES_ROWS8_DISPATCH(kind, LOAD);
#undef LOAD
  transpose8(r);
}

static void pack_dequantized(const les_panel_source *source, int first, panel_f32 *panel) {
  les_rows8 rows;
  const les_quant *quant = source->kind->quant;
  prepare_columns(source, first, &rows);
  for (int64_t j = 0; j < source->n / 32; j++) {
    __m256i r[8];
    load_quads(source->kind, &rows, j, r);
    LES_UNROLL for (int i = 0; i < 8; i++) {
      int64_t g = (32 * j + 4 * i) / quant->group;
      LES_UNROLL for (int byte = 0; byte < 4; byte++) {
        __m256i q = _mm256_srai_epi32(_mm256_slli_epi32(r[i], 24 - 8 * byte), 24);
        __m256 w = _mm256_mul_ps(_mm256_cvtepi32_ps(q), rows.scale[g]);
        if (quant->has_min) w = _mm256_sub_ps(w, rows.min[g]);
        _mm256_store_ps(panel->w[32 * j + 4 * i + byte] + first, w);
      }
    }
  }
}

static void pack_floats(const les_panel_source *source, int first, panel_f32 *panel) {
  int64_t k = 0;
  size_t element = source->bytes / (size_t)source->n;
  for (; k + 8 <= source->n; k += 8) {
    __m256i r[8];
    les_load_floats_avx2(source->kind->type, source->cols + first, k, r);
    transpose8(r);
    for (int i = 0; i < 8; i++) _mm256_storeu_si256((__m256i *)(panel->w[k + i] + first), r[i]);
  }
  for (; k < source->n; k++)
    for (int i = first; i < first + 8; i++)
      les_dequantize(source->kind->type, source->cols[i] + (size_t)k * element, 1, &panel->w[k][i]);
}

void les_pack_panel_f32_avx2(const les_panel_source *source, void *panel) {
  for (int first = 0; first < PANEL_COLS_F32; first += 8)
    if (source->kind->quant)
      pack_dequantized(source, first, panel);
    else
      pack_floats(source, first, panel);
}

/* Copies the scales and minima of eight rows of W to their columns of the panel. */
static inline void place_groups(const les_panel_source *source, const les_rows8 *w, int cols, float *scale,
                                float *min) {
  int64_t groups = source->n / source->kind->quant->group;
  for (int64_t g = 0; g < groups; g++) _mm256_store_ps(scale + g * cols, w->scale[g]);
  for (int64_t g = 0; source->kind->quant->has_min && g < groups; g++)
    _mm256_store_ps(min + g * cols, w->min[g]);
}

static inline void pack_int16(const les_panel_source *source, int cols, float *scale, float *min,
                              int32_t *w) {
  for (int first = 0; first < cols; first += 8) {
    les_rows8 rows;
    prepare_columns(source, first, &rows);
    place_groups(source, &rows, cols, scale + first, min + first);
    for (int64_t j = 0; j < source->n / 32; j++) {
      __m256i r[8];
      load_quads(source->kind, &rows, j, r);
      LES_UNROLL for (int i = 0; i < 8; i++) {
        int32_t *out = w + (16 * j + 2 * i) * cols + first;
        _mm256_store_si256((__m256i *)out, _mm256_srai_epi16(_mm256_slli_epi16(r[i], 8), 8));
        _mm256_store_si256((__m256i *)(out + cols), _mm256_srai_epi16(r[i], 8));
      }
    }
  }
}

static inline void pack_int8(const les_panel_source *source, int cols, float *scale, float *min, int32_t *w) {
  __m256i offset = _mm256_set1_epi8((char)source->kind->int8->offset);
  for (int first = 0; first < cols; first += 8) {
    les_rows8 rows;
    prepare_columns(source, first, &rows);
    place_groups(source, &rows, cols, scale + first, min + first);
    for (int64_t j = 0; j < source->n / 32; j++) {
      __m256i r[8];
      load_quads(source->kind, &rows, j, r);
      LES_UNROLL for (int i = 0; i < 8; i++)
          _mm256_store_si256((__m256i *)(w + (8 * j + i) * cols + first), _mm256_add_epi8(r[i], offset));
    }
  }
}

void les_pack_panel_int16_avx2(const les_panel_source *source, void *panel) {
  panel_int16 *p = panel;
  pack_int16(source, PANEL_COLS_INT, p->scale[0], p->min[0], p->w[0]);
}

void les_pack_panel_int8_avx2(const les_panel_source *source, void *panel) {
  panel_int8 *p = panel;
  pack_int8(source, PANEL_COLS_INT, p->scale[0], p->min[0], p->w[0]);
}

void les_pack_panel_int16_wide_avx2(const les_panel_source *source, void *panel) {
  panel_int16_wide *p = panel;
  pack_int16(source, PANEL_COLS_WIDE, p->scale[0], p->min[0], p->w[0]);
}

void les_pack_panel_int8_wide_avx2(const les_panel_source *source, void *panel) {
  panel_int8_wide *p = panel;
  pack_int8(source, PANEL_COLS_WIDE, p->scale[0], p->min[0], p->w[0]);
}
