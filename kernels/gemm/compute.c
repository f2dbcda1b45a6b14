#include "gemm/matrix.h"

#include <string.h>

static const char *const names[] = {[LES_COMPUTE_AUTO] = "auto",
                                    [LES_COMPUTE_F32] = "f32",
                                    [LES_COMPUTE_INT16] = "int16",
                                    [LES_COMPUTE_INT8] = "int8"};

const char *les_compute_name(les_compute compute) {
  return names[compute];
}

int les_compute_find(const char *name) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(names[i], name)) return (int)i;
  return -1;
}
