/* Decoders of the formats in quant_codebook.c; parameters as in les_quant. */
#ifndef LES_QUANT_QUANT_CODEBOOK_H
#define LES_QUANT_QUANT_CODEBOOK_H

#include <stdint.h>

void les_decode_iq1_s(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_iq1_m(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_iq2_xxs(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_iq2_xs(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_iq2_s(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_iq3_xxs(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_iq3_s(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_iq4_nl(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_iq4_xs(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_mxfp4(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_tq1_0(const uint8_t *block, int8_t *q, float *scale, float *min);
void les_decode_tq2_0(const uint8_t *block, int8_t *q, float *scale, float *min);

#endif
