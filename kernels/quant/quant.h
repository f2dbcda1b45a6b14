/* Quantized weights as integers. Every quantized type of GGML is, within groups of 16 or 32 consecutive
 * elements, w[i] = q[i] * scale - min with 8-bit integers q and an f32 scale and minimum for the group:
 * dequantizing is this with one rounding for the product and one for the difference, and the integer modes of
 * the matrix product sum over q. */
#ifndef LES_QUANT_QUANT_H
#define LES_QUANT_QUANT_H

#include "quant/dtype.h"

/* Columns in which products are blocked: activations have one scale per row and chunk. A multiple of every
 * type's block. The last chunk of a row may be shorter. */
#define LES_CHUNK 256

typedef struct les_quant {
  /* One block: q (block_elements), scale (block_elements / group), min (the same; untouched if !has_min). */
  void (*decode)(const uint8_t *block, int8_t *q, float *scale, float *min);
  int group; /* 16 or 32 */
  bool has_min;
} les_quant;

/* How `type` is decoded; NULL for F32, F16 and BF16. */
const les_quant *les_quant_find(les_dtype type);

/* Decodes a run of n elements (whole blocks): q (n), scale and min (n / group). */
void les_quant_decode(les_dtype type, const uint8_t *src, int64_t n, int8_t *q, float *scale, float *min);

#endif
