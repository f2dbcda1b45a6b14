/* Decoding of quantized weights with AVX2. */
#ifndef LES_QUANT_AVX2_H
#define LES_QUANT_AVX2_H

#include "quant.h"

/* As les_quant_decode. */
void les_quant_decode_avx2(les_dtype type, const uint8_t *src, int64_t n, int8_t *q, float *scale,
                           float *min);

/* The sixteen scales of a block of Q6_K. */
void les_q6_k_scales_avx2(const uint8_t *block, float *scale);

#endif
