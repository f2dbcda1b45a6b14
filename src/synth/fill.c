#include "synth/fill.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 1024, MAX_BLOCK = 256 }; /* elements */

static void draw(uint64_t seed, uint32_t tensor, uint64_t index, uint32_t bits[4]) {
  uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), tensor, LES_FOR_MODELS};
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  les_philox(counter, key, bits);
}

/* n is a multiple of 4 but at a tensor's end. */
static void fill_f32(uint64_t seed, uint32_t tensor, int64_t first, int64_t n, float mean, float deviation,
                     float *dst) {
  const float width = deviation * 2 * sqrtf(3); /* of the uniform distribution */
  for (int64_t i = 0; i < n; i += 4) {
    uint32_t bits[4];
    draw(seed, tensor, (uint64_t)(first + i) / 4, bits);
    for (int k = 0; k < 4 && i + k < n; k++)
      dst[i + k] = mean + width * ((float)(bits[k] >> 8) * 0x1p-24f - 0.5f);
  }
}

/* Where a block keeps its half-precision scale, and that of its minima (-1: it has none), which is `ratio`
 * times as large so that values lie around 0. */
typedef struct scales {
  les_dtype type;
  int scale, min;
  float ratio;
} scales;

static const scales *find_scales(les_dtype type) {
  static const scales table[] = {{LES_Q2_K, 80, 82, 1.5f}, {LES_Q3_K, 108, -1, 0}, {LES_Q4_K, 0, 2, 7.5f},
                                 {LES_Q5_K, 0, 2, 15.5f},  {LES_Q6_K, 208, -1, 0}, {LES_IQ2_XXS, 0, -1, 0},
                                 {LES_IQ2_XS, 0, -1, 0},   {LES_IQ2_S, 0, -1, 0},  {LES_IQ3_XXS, 0, -1, 0},
                                 {LES_IQ3_S, 0, -1, 0},    {LES_IQ1_S, 0, -1, 0},  {LES_IQ4_NL, 0, -1, 0},
                                 {LES_IQ4_XS, 0, -1, 0},   {LES_TQ1_0, 52, -1, 0}, {LES_TQ2_0, 64, -1, 0}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].type == type) return &table[i];
  return NULL;
}

static void put_half(float value, uint8_t *at) {
  les_quantize(LES_F16, &value, 1, at);
}

/* Gives a block of random bits the scale `d`. MXFP4 has an exponent of two instead, and IQ1_M spreads the
 * half over the top bits of its last four 16-bit words. */
static void set_scale(les_dtype type, size_t bytes, float d, uint8_t *block) {
  const scales *s = find_scales(type);
  if (s) {
    put_half(d, block + s->scale);
    if (s->min >= 0) put_half(d * s->ratio, block + s->min);
  } else if (type == LES_MXFP4) {
    int exponent;
    frexpf(d, &exponent);
    block[0] = (uint8_t)(exponent + 126);
  } else {
    uint8_t half[2];
    put_half(d, half);
    for (size_t i = 0; i < 4; i++) {
      uint8_t *top = block + bytes - 8 + 2 * i + 1;
      *top = (uint8_t)((*top & 0x0f) | (half[i / 2] >> (4 * (i % 2)) & 0xf) << 4);
    }
  }
}

static void fill_block(const les_dtype_info *info, uint64_t seed, uint32_t tensor, uint64_t block,
                       float deviation, uint8_t *dst) {
  size_t bytes = (size_t)info->block_bytes;
  uint64_t draws = (bytes + 15) / 16;
  for (uint64_t i = 0; i < draws; i++) {
    uint32_t bits[4];
    draw(seed, tensor, block * draws + i, bits);
    memcpy(dst + 16 * i, bits, i + 1 < draws ? 16 : bytes - 16 * i);
  }
  float values[MAX_BLOCK];
  set_scale(info->type, bytes, 1, dst);
  les_dequantize(info->type, dst, info->block_elements, values);
  double rms = sqrt(les_dot(values, values, info->block_elements) / info->block_elements);
  set_scale(info->type, bytes, rms > 0 ? (float)(deviation / rms) : 0, dst);
}

void les_fill(les_dtype type, uint64_t seed, uint32_t tensor, int64_t first, int64_t n, float mean,
              float deviation, void *dst) {
  const les_dtype_info *info = les_dtype_find(type);
  bool blocks = type == LES_MXFP4 || type == LES_IQ1_M || find_scales(type);
  uint8_t *out = dst;
  for (int64_t i = 0; i < n;) {
    float values[CHUNK];
    int64_t step = blocks ? info->block_elements : n - i < CHUNK ? n - i : CHUNK;
    if (blocks) {
      fill_block(info, seed, tensor, (uint64_t)((first + i) / step), deviation, out);
    } else {
      fill_f32(seed, tensor, first + i, step, mean, deviation, values);
      les_quantize(type, values, step, out);
    }
    out += les_dtype_bytes(type, step);
    i += step;
  }
}
