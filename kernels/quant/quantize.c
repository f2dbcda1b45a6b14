/* Quantization to GGML's simple formats, step for step as ggml's reference quantizers (ggml-quants.c,
 * quantize_row_*_ref) do it, so that a matrix rounded here equals one rounded there. */
#include "quant/dtype.h"
#include "quant/half.h"

#include <math.h>

static void store_u16(uint8_t *p, uint16_t x) {
  memcpy(p, &x, sizeof x);
}

/* Truncates to an integer within 0..max; NaN becomes 0. */
static uint32_t truncate_to(float x, uint32_t max) {
  if (!(x > 0.0f)) return 0;
  return x < (float)max ? (uint32_t)x : max;
}

static float inverse_of(float d) {
  return d != 0.0f ? 1.0f / d : 0.0f;
}

/* The value of largest magnitude; of equal ones, the first. */
static float extreme_of(const float *x) {
  float largest = 0.0f, value = 0.0f;
  for (int i = 0; i < 32; i++)
    if (fabsf(x[i]) > largest) {
      largest = fabsf(x[i]);
      value = x[i];
    }
  return value;
}

static void range_of(const float *x, float *min, float *max) {
  *min = *max = x[0];
  for (int i = 1; i < 32; i++) {
    if (x[i] < *min) *min = x[i];
    if (x[i] > *max) *max = x[i];
  }
}

static void store_nibbles(const uint32_t *q, uint8_t *out) {
  for (int i = 0; i < 16; i++) out[i] = (uint8_t)((q[i] & 15) | (q[i + 16] & 15) << 4);
}

static void store_fifth_bits(const uint32_t *q, uint8_t *out) {
  uint32_t mask = 0;
  for (int i = 0; i < 32; i++) mask |= (q[i] >> 4) << i;
  memcpy(out, &mask, sizeof mask);
}

/* Signed types: the extreme value is mapped to -levels / 2 exactly. */
static float quantize_signed(const float *x, uint32_t levels, uint32_t *q) {
  float half = (float)(levels / 2), d = extreme_of(x) / -half, inverse = inverse_of(d);
  for (int i = 0; i < 32; i++) q[i] = truncate_to(x[i] * inverse + (half + 0.5f), levels - 1);
  return d;
}

/* Types with a minimum: the range is mapped to 0..levels - 1. */
static float quantize_range(const float *x, uint32_t levels, uint32_t *q, float *min) {
  float max;
  range_of(x, min, &max);
  float d = (max - *min) / (float)(levels - 1), inverse = inverse_of(d);
  for (int i = 0; i < 32; i++) q[i] = truncate_to((x[i] - *min) * inverse + 0.5f, levels - 1);
  return d;
}

static void quantize_q4_0(const float *x, uint8_t *out) {
  uint32_t q[32];
  store_u16(out, f16_of_f32(quantize_signed(x, 16, q)));
  store_nibbles(q, out + 2);
}

static void quantize_q5_0(const float *x, uint8_t *out) {
  uint32_t q[32];
  store_u16(out, f16_of_f32(quantize_signed(x, 32, q)));
  store_fifth_bits(q, out + 2);
  store_nibbles(q, out + 6);
}

static void quantize_q4_1(const float *x, uint8_t *out) {
  uint32_t q[32];
  float min;
  store_u16(out, f16_of_f32(quantize_range(x, 16, q, &min)));
  store_u16(out + 2, f16_of_f32(min));
  store_nibbles(q, out + 4);
}

static void quantize_q5_1(const float *x, uint8_t *out) {
  uint32_t q[32];
  float min;
  store_u16(out, f16_of_f32(quantize_range(x, 32, q, &min)));
  store_u16(out + 2, f16_of_f32(min));
  store_fifth_bits(q, out + 4);
  store_nibbles(q, out + 8);
}

static void quantize_q8_0(const float *x, uint8_t *out) {
  float d = fabsf(extreme_of(x)) / 127.0f, inverse = inverse_of(d);
  store_u16(out, f16_of_f32(d));
  for (int i = 0; i < 32; i++) {
    float rounded = roundf(x[i] * inverse);
    out[2 + i] = fabsf(rounded) <= 127.0f ? (uint8_t)(int8_t)rounded : 0;
  }
}

static void quantize_f16(const float *x, uint8_t *out) {
  store_u16(out, f16_of_f32(*x));
}
static void quantize_bf16(const float *x, uint8_t *out) {
  store_u16(out, bf16_of_f32(*x));
}
static void quantize_f32(const float *x, uint8_t *out) {
  memcpy(out, x, sizeof *x);
}

bool les_quantize(les_dtype type, const float *src, int64_t n, void *dst) {
  void (*quantize)(const float *, uint8_t *) = NULL;
  switch (type) {
  case LES_F32:
    quantize = quantize_f32;
    break;
  case LES_F16:
    quantize = quantize_f16;
    break;
  case LES_BF16:
    quantize = quantize_bf16;
    break;
  case LES_Q4_0:
    quantize = quantize_q4_0;
    break;
  case LES_Q4_1:
    quantize = quantize_q4_1;
    break;
  case LES_Q5_0:
    quantize = quantize_q5_0;
    break;
  case LES_Q5_1:
    quantize = quantize_q5_1;
    break;
  case LES_Q8_0:
    quantize = quantize_q8_0;
    break;
  default:
    return false;
  }
  const les_dtype_info *info = les_dtype_find(type);
  uint8_t *out = dst;
  for (int64_t i = 0; i < n; i += info->block_elements, out += info->block_bytes) quantize(src + i, out);
  return true;
}
