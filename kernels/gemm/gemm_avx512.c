/* Integer products with AVX-512 and VNNI: tiles of 4 rows of 2 vectors of 16, whose products are summed in
 * one instruction. F32 products take the AVX2 path. */
#include "gemm/gemm.h"
#include "gemm/gemv.h"
#include "gemm/panel_avx2.h"

#include <immintrin.h>

/* A tile's sums of floats. */
typedef struct tile_sums {
  __m512 left[TILE_ROWS], right[TILE_ROWS];
} tile_sums;

/* The integer sums of one group. steps: dwords of a column in it. */
#define SUM_GROUP(multiply_add, x, w, steps, left, right)                                                    \
  LES_UNROLL for (int i = 0; i < TILE_ROWS; i++)(left)[i] = (right)[i] = _mm512_setzero_si512();             \
  for (int s = 0; s < (steps); s++) {                                                                        \
    __m512i w0 = _mm512_load_si512((w)[s]), w1 = _mm512_load_si512((w)[s] + 16);                             \
    LES_UNROLL for (int i = 0; i < TILE_ROWS; i++) {                                                         \
      __m512i a = _mm512_set1_epi32((x)[s][i]);                                                              \
      (left)[i] = multiply_add((left)[i], w0, a);                                                            \
      (right)[i] = multiply_add((right)[i], w1, a);                                                          \
    }                                                                                                        \
  }

static inline void add_group(const __m512i left[TILE_ROWS], const __m512i right[TILE_ROWS],
                             const float *scale, tile_sums *p) {
  __m512 s0 = _mm512_load_ps(scale), s1 = _mm512_load_ps(scale + 16);
  LES_UNROLL for (int i = 0; i < TILE_ROWS; i++) {
    p->left[i] = _mm512_fmadd_ps(s0, _mm512_cvtepi32_ps(left[i]), p->left[i]);
    p->right[i] = _mm512_fmadd_ps(s1, _mm512_cvtepi32_ps(right[i]), p->right[i]);
  }
}

static inline void add_minima(int64_t groups, const float min[][PANEL_COLS_WIDE],
                              const float sums[][TILE_ROWS], tile_sums *p) {
  for (int64_t g = 0; g < groups; g++) {
    __m512 m0 = _mm512_load_ps(min[g]), m1 = _mm512_load_ps(min[g] + 16);
    LES_UNROLL for (int i = 0; i < TILE_ROWS; i++) {
      __m512 sum = _mm512_set1_ps(sums[g][i]);
      p->left[i] = _mm512_fnmadd_ps(m0, sum, p->left[i]);
      p->right[i] = _mm512_fnmadd_ps(m1, sum, p->right[i]);
    }
  }
}

static inline void add_chunk(const tile_sums *p, const float step[TILE_ROWS], float *out) {
  LES_UNROLL for (int i = 0; i < TILE_ROWS; i++, out += PANEL_COLS_WIDE) {
    __m512 row_step = _mm512_set1_ps(step[i]);
    _mm512_store_ps(out, _mm512_fmadd_ps(row_step, p->left[i], _mm512_load_ps(out)));
    _mm512_store_ps(out + 16, _mm512_fmadd_ps(row_step, p->right[i], _mm512_load_ps(out + 16)));
  }
}

static inline tile_sums zero_sums(void) {
  tile_sums p;
  LES_UNROLL for (int i = 0; i < TILE_ROWS; i++) p.left[i] = p.right[i] = _mm512_setzero_ps();
  return p;
}

static inline void multiply_int16_of(int group, const les_weight_kind *kind, const tile_int16 *t,
                                     const panel_int16_wide *w, int64_t n, float *out) {
  tile_sums p = zero_sums();
  for (int64_t g = 0; g < n / group; g++) {
    __m512i left[TILE_ROWS], right[TILE_ROWS];
    int64_t k = g * group / 2;
    SUM_GROUP(_mm512_dpwssd_epi32, t->x + k, w->w + k, group / 2, left, right);
    add_group(left, right, w->scale[g], &p);
  }
  if (kind->quant->has_min) add_minima(n / group, w->min, t->sums, &p);
  add_chunk(&p, t->step, out);
}

static void multiply_int16(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                           float *sums) {
  if (kind->quant->group == 32)
    multiply_int16_of(32, kind, tile, panel, n, sums);
  else
    multiply_int16_of(16, kind, tile, panel, n, sums);
}

static inline void multiply_int8_of(int group, const les_weight_kind *kind, const tile_int8 *t,
                                    const panel_int8_wide *w, int64_t n, float *out) {
  tile_sums p = zero_sums();
  for (int64_t g = 0; g < n / group; g++) {
    __m512i left[TILE_ROWS], right[TILE_ROWS];
    int64_t k = g * group / 4;
    SUM_GROUP(_mm512_dpbusd_epi32, t->x + k, w->w + k, group / 4, left, right);
    if (!kind->quant->has_min) LES_UNROLL for (int i = 0; i < TILE_ROWS; i++) {
        left[i] = _mm512_sub_epi32(left[i], _mm512_set1_epi32(t->offsets[g][i]));
        right[i] = _mm512_sub_epi32(right[i], _mm512_set1_epi32(t->offsets[g][i]));
      }
    add_group(left, right, w->scale[g], &p);
  }
  if (kind->quant->has_min) add_minima(n / group, w->min, t->sums, &p);
  add_chunk(&p, t->step, out);
}

static void multiply_int8(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                          float *sums) {
  if (kind->quant->group == 32)
    multiply_int8_of(32, kind, tile, panel, n, sums);
  else
    multiply_int8_of(16, kind, tile, panel, n, sums);
}

static const les_gemm_paths PATHS = {
    .modes =
        {
            [LES_COMPUTE_F32] = {TILE_ROWS, PANEL_COLS_F32, sizeof(tile_f32), sizeof(panel_f32),
                                 les_pack_tile_f32_avx2, les_pack_panel_f32_avx2, les_multiply_f32_avx2},
            [LES_COMPUTE_INT16] = {TILE_ROWS, PANEL_COLS_WIDE, sizeof(tile_int16), sizeof(panel_int16_wide),
                                   les_pack_tile_int16_avx2, les_pack_panel_int16_wide_avx2, multiply_int16},
            [LES_COMPUTE_INT8] = {TILE_ROWS, PANEL_COLS_WIDE, sizeof(tile_int8), sizeof(panel_int8_wide),
                                  les_pack_tile_int8_avx2, les_pack_panel_int8_wide_avx2, multiply_int8},
        },
    .gemv = &les_gemv_avx512,
    .gemv_f32 = les_gemv_f32_avx2,
};

void les_gemm_avx512(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute,
                     int threads, void *scratch) {
  les_gemm_along(&PATHS, w, x, m, y, compute, threads, scratch);
}
