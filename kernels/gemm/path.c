#include "gemm/path.h"

#include <math.h>

const les_int8 *les_int8_find(les_dtype type) {
  static const les_int8 TYPES[] = {
      {LES_Q4_0, 8, 8},
      {LES_Q4_1, 0, 8},
      {LES_Q4_K, 0, 8},
      {LES_Q6_K, 32, 2},
  };
  for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
    if (TYPES[i].type == type) return &TYPES[i];
  return NULL;
}

les_weight_kind les_weight_kind_of(les_dtype type) {
  return (les_weight_kind){type, les_quant_find(type), les_int8_find(type)};
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
