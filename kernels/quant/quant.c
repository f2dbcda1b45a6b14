/* Layouts of GGML's block formats, as gguf-py's quants.py states them. */
#include "quant/quant.h"

#include "quant/half.h"
#include "quant/quant_codebook.h"

static void decode_q4_0(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  *scale = load_f16(block);
  for (int i = 0; i < 16; i++) {
    q[i] = (int8_t)((block[2 + i] & 15) - 8);
    q[i + 16] = (int8_t)((block[2 + i] >> 4) - 8);
  }
}

static void decode_q4_1(const uint8_t *block, int8_t *q, float *scale, float *min) {
  *scale = load_f16(block);
  *min = -load_f16(block + 2);
  for (int i = 0; i < 16; i++) {
    q[i] = block[4 + i] & 15;
    q[i + 16] = (int8_t)(block[4 + i] >> 4);
  }
}

/* 32 values of 5 bits: nibbles, and a mask of the fifth bits. */
static void decode_five_bits(const uint8_t *high, const uint8_t *low, int offset, int8_t *q) {
  uint32_t mask = load_u32(high);
  for (int i = 0; i < 16; i++) {
    q[i] = (int8_t)(((low[i] & 15) | (mask >> i & 1) << 4) - (uint32_t)offset);
    q[i + 16] = (int8_t)((low[i] >> 4 | (mask >> (i + 16) & 1) << 4) - (uint32_t)offset);
  }
}

static void decode_q5_0(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  *scale = load_f16(block);
  decode_five_bits(block + 2, block + 6, 16, q);
}

static void decode_q5_1(const uint8_t *block, int8_t *q, float *scale, float *min) {
  *scale = load_f16(block);
  *min = -load_f16(block + 2);
  decode_five_bits(block + 4, block + 8, 0, q);
}

static void decode_q8_0(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  *scale = load_f16(block);
  memcpy(q, block + 2, 32);
}

static void decode_q2_k(const uint8_t *block, int8_t *q, float *scale, float *min) {
  const uint8_t *scales = block, *low = block + 16;
  float d = load_f16(block + 80), dmin = load_f16(block + 82);
  for (int g = 0; g < 16; g++) {
    scale[g] = d * (float)(scales[g] & 15);
    min[g] = dmin * (float)(scales[g] >> 4);
  }
  for (int i = 0; i < 256; i++) q[i] = low[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
}

static void decode_q3_k(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  const uint8_t *high = block, *low = block + 32, *scales = block + 96;
  float d = load_f16(block + 108);
  for (int g = 0; g < 16; g++) {
    int low_bits = scales[g % 8] >> (g / 8 * 4) & 15, high_bits = scales[8 + g % 4] >> (g / 4 * 2) & 3;
    scale[g] = d * (float)((low_bits | high_bits << 4) - 32);
  }
  for (int i = 0; i < 256; i++) { /* 4 is subtracted where the high bit is clear */
    int high_bit = high[i % 32] >> (i / 32) & 1;
    q[i] = (int8_t)((low[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3) - (high_bit ? 0 : 4));
  }
}

/* Eight 6-bit scales and minima in 12 bytes, times the block's scale and minimum. */
static void decode_k_scales(const uint8_t *block, float *scale, float *min) {
  const uint8_t *s = block + 4;
  float d = load_f16(block), dmin = load_f16(block + 2);
  for (int g = 0; g < 4; g++) {
    scale[g] = d * (float)(s[g] & 63);
    min[g] = dmin * (float)(s[g + 4] & 63);
    scale[g + 4] = d * (float)((s[g + 8] & 15) | (s[g] >> 6) << 4);
    min[g + 4] = dmin * (float)(s[g + 8] >> 4 | (s[g + 4] >> 6) << 4);
  }
}

static void decode_q4_k(const uint8_t *block, int8_t *q, float *scale, float *min) {
  decode_k_scales(block, scale, min);
  const uint8_t *low = block + 16;
  for (int i = 0; i < 256; i++) q[i] = low[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
}

static void decode_q5_k(const uint8_t *block, int8_t *q, float *scale, float *min) {
  decode_k_scales(block, scale, min);
  const uint8_t *high = block + 16, *low = block + 48;
  for (int i = 0; i < 256; i++) {
    int low_bits = low[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
    q[i] = (int8_t)(low_bits | (high[i % 32] >> (i / 32) & 1) << 4);
  }
}

static void decode_q6_k(const uint8_t *block, int8_t *q, float *scale, float *min) {
  (void)min;
  const uint8_t *low = block, *high = block + 128;
  const int8_t *scales = (const int8_t *)block + 192;
  float d = load_f16(block + 208);
  for (int g = 0; g < 16; g++) scale[g] = d * (float)scales[g];
  for (int i = 0; i < 256; i++) {
    int low_bits = low[i / 128 * 64 + i % 64] >> (i / 64 % 2 * 4) & 15;
    int high_bits = high[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
    q[i] = (int8_t)((low_bits | high_bits << 4) - 32);
  }
}

static const struct {
  les_dtype type;
  les_quant quant;
} QUANTS[] = {
    {LES_Q4_0, {decode_q4_0, 32, false}},
    {LES_Q4_1, {decode_q4_1, 32, true}},
    {LES_Q5_0, {decode_q5_0, 32, false}},
    {LES_Q5_1, {decode_q5_1, 32, true}},
    {LES_Q8_0, {decode_q8_0, 32, false}},
    {LES_Q2_K, {decode_q2_k, 16, true}},
    {LES_Q3_K, {decode_q3_k, 16, false}},
    {LES_Q4_K, {decode_q4_k, 32, true}},
    {LES_Q5_K, {decode_q5_k, 32, true}},
    {LES_Q6_K, {decode_q6_k, 16, false}},
    {LES_IQ1_S, {les_decode_iq1_s, 32, false}},
    {LES_IQ1_M, {les_decode_iq1_m, 16, false}},
    {LES_IQ2_XXS, {les_decode_iq2_xxs, 32, false}},
    {LES_IQ2_XS, {les_decode_iq2_xs, 16, false}},
    {LES_IQ2_S, {les_decode_iq2_s, 16, false}},
    {LES_IQ3_XXS, {les_decode_iq3_xxs, 32, false}},
    {LES_IQ3_S, {les_decode_iq3_s, 32, false}},
    {LES_IQ4_NL, {les_decode_iq4_nl, 32, false}},
    {LES_IQ4_XS, {les_decode_iq4_xs, 32, false}},
    {LES_MXFP4, {les_decode_mxfp4, 32, false}},
    {LES_TQ1_0, {les_decode_tq1_0, 32, false}},
    {LES_TQ2_0, {les_decode_tq2_0, 32, false}},
};

const les_quant *les_quant_find(les_dtype type) {
  for (size_t i = 0; i < sizeof QUANTS / sizeof *QUANTS; i++)
    if (QUANTS[i].type == type) return &QUANTS[i].quant;
  return NULL;
}

void les_quant_decode(les_dtype type, const uint8_t *src, int64_t n, int8_t *q, float *scale, float *min) {
  const les_quant *quant = les_quant_find(type);
  const les_dtype_info *info = les_dtype_find(type);
  int groups = info->block_elements / quant->group;
  for (int64_t k = 0; k < n; k += info->block_elements, src += info->block_bytes) {
    quant->decode(src, q + k, scale, min);
    scale += groups;
    min += groups;
  }
}
