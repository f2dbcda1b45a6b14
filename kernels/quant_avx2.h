/* Decoding of quantized weights with AVX2. */
#ifndef LES_QUANT_AVX2_H
#define LES_QUANT_AVX2_H

#include "quant.h"

/* As les_quant_decode. */
void les_quant_decode_avx2(les_dtype type, const uint8_t *src, int64_t n, int8_t *q, float *scale,
                           float *min);

#endif
