#include "gemm.h"
#include <math.h>

les_compute les_gemm_mode(les_dtype type, les_compute compute) {
  if (!les_quant_find(type) || compute == LES_COMPUTE_F32) return LES_COMPUTE_F32;
  bool four_bits = type == LES_Q4_0 || type == LES_Q4_1 || type == LES_Q4_K;
  return compute == LES_COMPUTE_INT8 && four_bits ? LES_COMPUTE_INT8 : LES_COMPUTE_INT16;
}

float les_gemm_step(const float *x, int64_t n, float limit, float *inverse) {
  float largest = 0.0f;
  bool finite = true;
  for (int64_t i = 0; i < n; i++) {
    finite &= isfinite(x[i]) != 0;
    if (fabsf(x[i]) > largest) largest = fabsf(x[i]);
  }
  *inverse = finite && largest >= 0x1p-100f ? limit / largest : 0.0f;
  if (!finite) return NAN;
  return *inverse > 0.0f ? largest / limit : 0.0f;
}

size_t les_gemm_scratch(int64_t m, int64_t k, int threads) {
  size_t rows = ((size_t)m + 7) / 8 * 8, chunks = ((size_t)k + LES_CHUNK - 1) / LES_CHUNK;
  size_t activations = rows * chunks * (LES_CHUNK * sizeof(float) + 256);
  size_t tile = 64 * 1024 + rows * 1024;
  return activations + (size_t)threads * tile;
}
