/* Packing for the AVX2 and AVX-512 products: layouts of tiles of activations and panels of weights. */
#ifndef LES_GEMM_PANEL_AVX2_H
#define LES_GEMM_PANEL_AVX2_H

#include "gemm/path.h"
#include <immintrin.h>

enum { TILE_ROWS = 4, PANEL_COLS_F32 = 24, PANEL_COLS_INT = 16, PANEL_COLS_WIDE = 32 };

/* F32: one element of every row, then the next: (n, TILE_ROWS). */
typedef struct tile_f32 {
  float x[LES_CHUNK][TILE_ROWS];
} tile_f32;

typedef struct panel_f32 {
  float w[LES_CHUNK][PANEL_COLS_F32];
} panel_f32;

/* INT16: dwords of two, in which four consecutive elements lie as (0, 2), (1, 3), so that the weights' bytes
 * become words by shifts alone. */
typedef struct tile_int16 {
  float step[TILE_ROWS];
  float sums[LES_MAX_GROUPS][TILE_ROWS]; /* of the activations in each group, for the minima */
  uint8_t pad[48];
  int32_t x[LES_CHUNK / 2][TILE_ROWS];
} tile_int16;

/* INT8: dwords of four consecutive elements. */
typedef struct tile_int8 {
  float step[TILE_ROWS];
  union {
    float sums[LES_MAX_GROUPS][TILE_ROWS];
    int32_t offsets[LES_MAX_GROUPS][TILE_ROWS]; /* types without minima: offset * sum */
  };
  uint8_t pad[48];
  int32_t x[LES_CHUNK / 4][TILE_ROWS];
} tile_int8;

/* Panels of integers: weights in dwords of as many elements as the activations (INT8: unsigned, q + offset);
 * wide ones for AVX-512. */
#define PANEL(name, cols, per_dword)                                                                         \
  typedef struct name {                                                                                      \
    float scale[LES_MAX_GROUPS][cols];                                                                       \
    float min[LES_MAX_GROUPS][cols];                                                                         \
    int32_t w[LES_CHUNK / per_dword][cols];                                                                  \
  } name
PANEL(panel_int16, PANEL_COLS_INT, 2);
PANEL(panel_int8, PANEL_COLS_INT, 4);
PANEL(panel_int16_wide, PANEL_COLS_WIDE, 2);
PANEL(panel_int8_wide, PANEL_COLS_WIDE, 4);

/* Rounds one row's chunk to integers of -limit..limit; returns their step. n is a multiple of 32. */
float les_quantize_avx2(const float *x, int64_t n, float limit, int32_t *q);

void les_pack_tile_f32_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n,
                            void *tile);
void les_pack_tile_int16_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows,
                              int64_t n, void *tile);
void les_pack_tile_int8_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n,
                             void *tile);

void les_pack_panel_f32_avx2(const les_panel_source *source, void *panel);
void les_pack_panel_int16_avx2(const les_panel_source *source, void *panel);
void les_pack_panel_int8_avx2(const les_panel_source *source, void *panel);
void les_pack_panel_int16_wide_avx2(const les_panel_source *source, void *panel);
void les_pack_panel_int8_wide_avx2(const les_panel_source *source, void *panel);

/* For parts of a kernel whose arrays are registers: a call would spill them. */
#define LES_INLINE inline __attribute__((always_inline))

/* Unrolls small loops early enough for their arrays to become registers. */
#ifdef __clang__
#define LES_UNROLL _Pragma("unroll")
#else
#define LES_UNROLL _Pragma("GCC unroll 16")
#endif

/* 8 elements from k of eight columns of weights that are not quantized. */
static inline void les_load_floats_avx2(les_dtype type, const uint8_t *const cols[8], int64_t k,
                                        __m256i r[8]) {
  LES_UNROLL for (int i = 0; i < 8; i++) {
    if (type == LES_F32) {
      r[i] = _mm256_loadu_si256((const __m256i *)(cols[i] + 4 * k));
    } else {
      __m128i half = _mm_loadu_si128((const __m128i *)(cols[i] + 2 * k));
      r[i] = type == LES_F16 ? _mm256_castps_si256(_mm256_cvtph_ps(half))
                             : _mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16);
    }
  }
}

/* The product of a tile and a panel, on AVX-512 too. */
void les_multiply_f32_avx2(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                           float *sums);

#endif
