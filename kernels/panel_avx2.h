/* Packing for the AVX2 products: layouts of tiles of activations and panels of weights. */
#ifndef LES_PANEL_AVX2_H
#define LES_PANEL_AVX2_H

#include "gemm.h"

enum { TILE_ROWS = 4, PANEL_COLS_F32 = 24, PANEL_COLS_INT = 16 };

/* F32: one element of every row, then the next: (n, TILE_ROWS). */
typedef struct tile_f32 {
  float x[LES_CHUNK][TILE_ROWS];
} tile_f32;

typedef struct panel_f32 {
  float w[LES_CHUNK][PANEL_COLS_F32];
} panel_f32;

/* INT16: dwords of two, in which the four neighbours 0..3 lie as (0, 2), (1, 3): so the weights' bytes become
 * words by shifts alone. */
typedef struct tile_int16 {
  float step[TILE_ROWS];
  float sums[LES_MAX_GROUPS][TILE_ROWS]; /* of the activations in each group, for the minima */
  uint8_t pad[48];
  int32_t x[LES_CHUNK / 2][TILE_ROWS];
} tile_int16;

typedef struct panel_int16 {
  float scale[LES_MAX_GROUPS][PANEL_COLS_INT];
  float min[LES_MAX_GROUPS][PANEL_COLS_INT];
  int32_t w[LES_CHUNK / 2][PANEL_COLS_INT];
} panel_int16;

/* INT8: dwords of four neighbours; the weights unsigned, q + offset. */
typedef struct tile_int8 {
  float step[TILE_ROWS];
  union {
    float sums[LES_MAX_GROUPS][TILE_ROWS];
    int32_t offsets[LES_MAX_GROUPS][TILE_ROWS]; /* types without minima: offset * sum */
  };
  uint8_t pad[48];
  int32_t x[LES_CHUNK / 4][TILE_ROWS];
} tile_int8;

typedef struct panel_int8 {
  float scale[LES_MAX_GROUPS][PANEL_COLS_INT];
  float min[LES_MAX_GROUPS][PANEL_COLS_INT];
  int32_t w[LES_CHUNK / 4][PANEL_COLS_INT];
} panel_int8;

/* One row's chunk as integers of -limit..limit; its step is returned. n is a multiple of 32. */
float les_quantize_avx2(const float *x, int64_t n, float limit, int32_t *q);

void les_pack_f32_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n,
                       void *tile);
void les_pack_int16_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n,
                         void *tile);
void les_pack_int8_avx2(const les_weight_kind *kind, const float *x, int64_t stride, int rows, int64_t n,
                        void *tile);

void les_unpack_f32_avx2(const les_panel_source *source, void *panel);
void les_unpack_int16_avx2(const les_panel_source *source, void *panel);
void les_unpack_int8_avx2(const les_panel_source *source, void *panel);

#endif
