/* Layouts of GGML's formats whose values are looked up in lists (IQ, MXFP4) or packed in base 3 (TQ), as
 * gguf-py's quants.py states them. */
#include "quant/quant_codebook.h"

#include "quant/half.h"
#include "quant/iq_tables.h"

#include <stdbool.h>

static const int8_t IQ2_LEVELS[4] = {8, 25, 43, 0};
static const int8_t IQ3_XXS_LEVELS[8] = {4, 12, 20, 28, 36, 44, 52, 62};
static const int8_t IQ3_S_LEVELS[8] = {1, 3, 5, 7, 9, 11, 13, 15};
static const int8_t IQ4_LEVELS[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};
/* OCP microscaling e2m1, doubled */
static const int8_t MXFP4_LEVELS[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static void look_up_nibbles(const int8_t levels[16], const uint8_t *nibbles, int8_t *q) {
  for (int i = 0; i < 16; i++) {
    q[i] = levels[nibbles[i] & 15];
    q[i + 16] = levels[nibbles[i] >> 4];
  }
}

/* Eight magnitudes, and a sign bit for each. */
static void look_up_eight(const int8_t *levels, uint16_t entry, uint8_t signs, int8_t *q) {
  for (int i = 0; i < 8; i++) {
    int8_t magnitude = levels[entry >> (2 * i) & 3];
    q[i] = signs >> i & 1 ? (int8_t)-magnitude : magnitude;
  }
}

static void look_up_four(const int8_t levels[8], uint16_t entry, uint8_t signs, int8_t *q) {
  for (int i = 0; i < 4; i++) {
    int8_t magnitude = levels[entry >> (3 * i) & 7];
    q[i] = signs >> i & 1 ? (int8_t)-magnitude : magnitude;
  }
}

/* Eight signs stored as seven bits: the eighth makes their parity even. */
static uint8_t even_signs(uint32_t seven) {
  seven &= 127;
  uint32_t odd = seven ^ seven >> 4;
  odd ^= odd >> 2;
  odd ^= odd >> 1;
  return (uint8_t)(seven | (odd & 1) << 7);
}

void les_decode_iq2_xxs(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  float d = load_f16(block);
  for (int g = 0; g < 8; g++) {
    const uint8_t *group = block + 2 + 8 * g;
    uint32_t signs = load_u32(group + 4);
    scale[g] = d * (0.5f + (float)(signs >> 28)) * 0.25f;
    for (int i = 0; i < 4; i++)
      look_up_eight(IQ2_LEVELS, les_iq2_xxs_grid[group[i]], even_signs(signs >> 7 * i), q + 32 * g + 8 * i);
  }
}

/* Sixteen scales of 4 bits. */
static void decode_iq2_scales(float d, const uint8_t *scales, float *scale) {
  for (int g = 0; g < 16; g++) scale[g] = d * (0.5f + (float)(scales[g / 2] >> (g % 2 * 4) & 15)) * 0.25f;
}

void les_decode_iq2_xs(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  decode_iq2_scales(load_f16(block), block + 66, scale);
  for (int i = 0; i < 32; i++) {
    uint16_t code = load_u16(block + 2 + 2 * i);
    look_up_eight(IQ2_LEVELS, les_iq2_xs_grid[code & 511], even_signs(code >> 9), q + 8 * i);
  }
}

void les_decode_iq2_s(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  const uint8_t *low = block + 2, *signs = block + 34, *high = block + 66;
  decode_iq2_scales(load_f16(block), block + 74, scale);
  for (int i = 0; i < 32; i++) {
    int code = low[i] | (high[i / 4] >> (i % 4 * 2) & 3) << 8;
    look_up_eight(IQ2_LEVELS, les_iq2_s_grid[code], signs[i], q + 8 * i);
  }
}

void les_decode_iq3_xxs(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  const uint8_t *codes = block + 2;
  float d = load_f16(block);
  for (int g = 0; g < 8; g++) {
    uint32_t packed = load_u32(block + 66 + 4 * g);
    scale[g] = d * (0.5f + (float)(packed >> 28)) * 0.5f;
    for (int i = 0; i < 8; i++) {
      uint8_t signs = (uint8_t)(even_signs(packed >> (i / 2 * 7)) >> (i % 2 * 4));
      look_up_four(IQ3_XXS_LEVELS, les_iq3_xxs_grid[codes[8 * g + i]], signs, q + 32 * g + 4 * i);
    }
  }
}

void les_decode_iq3_s(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  const uint8_t *low = block + 2, *high = block + 66, *signs = block + 74, *scales = block + 106;
  float d = load_f16(block);
  for (int g = 0; g < 8; g++) scale[g] = d * (float)(1 + 2 * (scales[g / 2] >> (g % 2 * 4) & 15));
  for (int i = 0; i < 64; i++) {
    int code = low[i] | (high[i / 8] >> (i % 8) & 1) << 8;
    look_up_four(IQ3_S_LEVELS, les_iq3_s_grid[code], (uint8_t)(signs[i / 2] >> (i % 2 * 4)), q + 4 * i);
  }
}

/* Eight values of -1, 0, 1, shifted by 1/8 up or down; all times eight. */
static void look_up_ternary(uint16_t entry, bool down, int8_t *q) {
  for (int i = 0; i < 8; i++) q[i] = (int8_t)(8 * ((entry >> (2 * i) & 3) - 1) + (down ? -1 : 1));
}

void les_decode_iq1_s(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  const uint8_t *low = block + 2;
  float d = load_f16(block);
  for (int g = 0; g < 8; g++) {
    uint16_t high = load_u16(block + 34 + 2 * g);
    scale[g] = d * (float)(2 * (high >> 12 & 7) + 1) * 0.125f;
    for (int i = 0; i < 4; i++) {
      int code = low[4 * g + i] | (high >> (3 * i) & 7) << 8;
      look_up_ternary(les_iq1_grid[code], high >> 15, q + 32 * g + 8 * i);
    }
  }
}

void les_decode_iq1_m(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  const uint8_t *low = block, *high = block + 32, *scales = block + 48;
  uint32_t half = 0; /* the block's f16 scale lies in the top nibbles of four words */
  for (int i = 0; i < 4; i++) half |= (uint32_t)(load_u16(scales + 2 * i) >> 12) << (4 * i);
  float d = f32_of_f16((uint16_t)half);
  for (int g = 0; g < 16; g++)
    scale[g] = d * (float)(2 * (load_u16(scales + g / 4 * 2) >> (g % 4 * 3) & 7) + 1) * 0.125f;
  for (int i = 0; i < 32; i++) {
    int top = high[i / 2] >> (i % 2 * 4);
    look_up_ternary(les_iq1_grid[low[i] | (top & 7) << 8], top & 8, q + 8 * i);
  }
}

void les_decode_iq4_nl(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  *scale = load_f16(block);
  look_up_nibbles(IQ4_LEVELS, block + 2, q);
}

void les_decode_iq4_xs(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  float d = load_f16(block);
  uint16_t high = load_u16(block + 2);
  const uint8_t *low = block + 4;
  for (int g = 0; g < 8; g++) {
    int bits = (low[g / 2] >> (g % 2 * 4) & 15) | (high >> (2 * g) & 3) << 4;
    scale[g] = d * (float)(bits - 32);
    look_up_nibbles(IQ4_LEVELS, block + 8 + 16 * g, q + 32 * g);
  }
}

void les_decode_mxfp4(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  /* half of 2^(e - 127), since the levels are doubled */
  *scale = f32_of_bits(block[0] < 2 ? 0x00200000u << block[0] : (uint32_t)(block[0] - 1) << 23);
  look_up_nibbles(MXFP4_LEVELS, block + 1, q);
}

/* Base-3 digits, the highest first; a byte holds digits / 243 scaled to 256. */
static void decode_ternary(const uint8_t *bytes, int n, int digits, int8_t *q) {
  static const uint8_t POWERS[5] = {1, 3, 9, 27, 81};
  for (int digit = 0; digit < digits; digit++)
    for (int i = 0; i < n; i++) *q++ = (int8_t)(((uint8_t)(bytes[i] * POWERS[digit]) * 3 >> 8) - 1);
}

void les_decode_tq1_0(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  decode_ternary(block, 32, 5, q);
  decode_ternary(block + 32, 16, 5, q + 160);
  decode_ternary(block + 48, 4, 4, q + 240);
  float d = load_f16(block + 52);
  for (int g = 0; g < 8; g++) scale[g] = d;
}

void les_decode_tq2_0(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  for (int i = 0; i < 256; i++) q[i] = (int8_t)((block[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3) - 1);
  float d = load_f16(block + 64);
  for (int g = 0; g < 8; g++) scale[g] = d;
}
