/* Element types of stored weights, and their values. */
#ifndef LES_QUANT_DTYPE_H
#define LES_QUANT_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types of stored weights; the values are GGML's type ids, as they stand in a GGUF file. */
typedef enum les_dtype {
  LES_F32 = 0,
  LES_F16 = 1,
  LES_Q4_0 = 2,
  LES_Q4_1 = 3,
  LES_Q5_0 = 6,
  LES_Q5_1 = 7,
  LES_Q8_0 = 8,
  LES_Q2_K = 10,
  LES_Q3_K = 11,
  LES_Q4_K = 12,
  LES_Q5_K = 13,
  LES_Q6_K = 14,
  LES_IQ2_XXS = 16,
  LES_IQ2_XS = 17,
  LES_IQ3_XXS = 18,
  LES_IQ1_S = 19,
  LES_IQ4_NL = 20,
  LES_IQ3_S = 21,
  LES_IQ2_S = 22,
  LES_IQ4_XS = 23,
  LES_IQ1_M = 29,
  LES_BF16 = 30,
  LES_TQ1_0 = 34,
  LES_TQ2_0 = 35,
  LES_MXFP4 = 39,
} les_dtype;

typedef struct les_dtype_info {
  les_dtype type;
  const char *name;   /* as GGML writes it: "Q8_0" */
  int block_elements; /* elements in a block; rows hold whole blocks */
  int block_bytes;
} les_dtype_info;

/* The type with GGML's id `id`; NULL if it is not one that we can read. */
const les_dtype_info *les_dtype_find(uint32_t id);

/* The type of that name, upper or lower case; NULL if there is none. */
const les_dtype_info *les_dtype_by_name(const char *name);

/* Bytes of `n` elements; n must be a multiple of the type's block_elements. */
size_t les_dtype_bytes(les_dtype type, int64_t n);

/* Writes the values of `n` elements (whole blocks) to dst, exactly as ggml's reference dequantizes them. */
void les_dequantize(les_dtype type, const void *src, int64_t n, float *dst);

/* Rounds `n` elements (whole blocks) to F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0 or Q5_1 as ggml's reference
 * does. Returns false, and writes nothing, for another type. */
bool les_quantize(les_dtype type, const float *src, int64_t n, void *dst);

#endif
