#include "quant/dtype.h"

#include <strings.h>

static const les_dtype_info TYPES[] = {
    {LES_F32, "F32", 1, 4},
    {LES_F16, "F16", 1, 2},
    {LES_Q4_0, "Q4_0", 32, 18},
    {LES_Q4_1, "Q4_1", 32, 20},
    {LES_Q5_0, "Q5_0", 32, 22},
    {LES_Q5_1, "Q5_1", 32, 24},
    {LES_Q8_0, "Q8_0", 32, 34},
    {LES_Q2_K, "Q2_K", 256, 84},
    {LES_Q3_K, "Q3_K", 256, 110},
    {LES_Q4_K, "Q4_K", 256, 144},
    {LES_Q5_K, "Q5_K", 256, 176},
    {LES_Q6_K, "Q6_K", 256, 210},
    {LES_IQ2_XXS, "IQ2_XXS", 256, 66},
    {LES_IQ2_XS, "IQ2_XS", 256, 74},
    {LES_IQ3_XXS, "IQ3_XXS", 256, 98},
    {LES_IQ1_S, "IQ1_S", 256, 50},
    {LES_IQ4_NL, "IQ4_NL", 32, 18},
    {LES_IQ3_S, "IQ3_S", 256, 110},
    {LES_IQ2_S, "IQ2_S", 256, 82},
    {LES_IQ4_XS, "IQ4_XS", 256, 136},
    {LES_IQ1_M, "IQ1_M", 256, 56},
    {LES_BF16, "BF16", 1, 2},
    {LES_TQ1_0, "TQ1_0", 256, 54},
    {LES_TQ2_0, "TQ2_0", 256, 66},
    {LES_MXFP4, "MXFP4", 32, 17},
};
enum { N_TYPES = sizeof TYPES / sizeof *TYPES };

const les_dtype_info *les_dtype_find(uint32_t id) {
  for (int i = 0; i < N_TYPES; i++)
    if ((uint32_t)TYPES[i].type == id) return &TYPES[i];
  return NULL;
}

const les_dtype_info *les_dtype_by_name(const char *name) {
  for (int i = 0; i < N_TYPES; i++)
    if (strcasecmp(TYPES[i].name, name) == 0) return &TYPES[i];
  return NULL;
}

size_t les_dtype_bytes(les_dtype type, int64_t n) {
  const les_dtype_info *info = les_dtype_find(type);
  return (size_t)(n / info->block_elements) * (size_t)info->block_bytes;
}
