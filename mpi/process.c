#include "process.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

les_process_state les_process_state_of(int pid) {
  char path[32], line[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *f = fopen(path, "r");
  if (!f) return kill(pid, 0) == 0 ? LES_PROCESS_RUNS : LES_PROCESS_GONE;
  size_t n = fread(line, 1, sizeof line - 1, f);
  fclose(f);
  line[n] = 0;
  const char *state = strrchr(line, ')'); /* the name before it may hold anything */
  if (!state || !state[1]) return LES_PROCESS_GONE;
  switch (state[2]) {
  case 'Z':
  case 'X':
    return LES_PROCESS_GONE;
  case 'T':
  case 't':
    return LES_PROCESS_STOPPED;
  default:
    return LES_PROCESS_RUNS;
  }
}
