#include "quant/half.h"
#include "quant/quant.h"

static void dequantize_blocks(const les_quant *quant, const les_dtype_info *info, const uint8_t *src,
                              int64_t n, float *dst) {
  int8_t q[LES_CHUNK];
  float scale[LES_CHUNK / 16], min[LES_CHUNK / 16] = {0};
  int block = info->block_elements;
  for (int64_t k = 0; k < n; k += block, src += info->block_bytes) {
    quant->decode(src, q, scale, min);
    for (int i = 0; i < block; i++) {
      int g = i / quant->group;
      dst[k + i] = (float)q[i] * scale[g] - min[g];
    }
  }
}

void les_dequantize(les_dtype type, const void *src, int64_t n, float *dst) {
  const uint8_t *bytes = src;
  const les_quant *quant = les_quant_find(type);
  if (quant) {
    dequantize_blocks(quant, les_dtype_find(type), src, n, dst);
  } else if (type == LES_F16) {
    for (int64_t i = 0; i < n; i++) dst[i] = load_f16(bytes + 2 * i);
  } else if (type == LES_BF16) {
    for (int64_t i = 0; i < n; i++) dst[i] = f32_of_bf16(load_u16(bytes + 2 * i));
  } else {
    memcpy(dst, src, (size_t)n * sizeof *dst);
  }
}
