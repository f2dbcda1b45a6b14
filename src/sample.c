#include "sample.h"

#include "kernels.h"

int32_t les_sample(const float *logits, int n, const les_sampling *how, uint64_t key, int pos) {
  (void)how, (void)key, (void)pos;
  return (int32_t)les_argmax(logits, n);
}
