/* The name of the machine that a process runs on. */
#ifndef LES_BASE_HOST_H
#define LES_BASE_HOST_H

#include <unistd.h>

enum { LES_HOST_BYTES = 64 };

/* Cut if it is longer; "" if it has none. */
static inline void les_host_name(char name[LES_HOST_BYTES]) {
  if (gethostname(name, LES_HOST_BYTES) != 0) name[0] = 0;
  name[LES_HOST_BYTES - 1] = 0;
}

#endif
