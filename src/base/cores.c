#include "base/cores.h"

#include <sched.h>
#include <unistd.h>

int les_cores_available(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : les_cores_online();
}

int les_cores_online(void) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (int)n : 1;
}
