#include "watch/process.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* State letter and parent of a process; false if there is none of that id. */
static bool read_stat(int pid, char *state, int *parent) {
  char path[32], line[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *f = fopen(path, "r");
  if (!f) return false;
  size_t n = fread(line, 1, sizeof line - 1, f);
  fclose(f);
  line[n] = 0;
  const char *rest = strrchr(line, ')'); /* the name before it may hold anything */
  return rest && sscanf(rest + 1, " %c %d", state, parent) == 2;
}

static les_process_state meaning(char state) {
  if (state == 'Z' || state == 'X') return LES_PROCESS_GONE;
  return state == 'T' || state == 't' ? LES_PROCESS_STOPPED : LES_PROCESS_RUNS;
}

les_process_state les_process_state_of(int pid) {
  char state;
  int parent;
  if (read_stat(pid, &state, &parent)) return meaning(state);
  return kill(pid, 0) == 0 ? LES_PROCESS_RUNS : LES_PROCESS_GONE; /* /proc may not be there */
}

int les_process_children(int pid) {
  DIR *processes = opendir("/proc");
  int n = 0, parent;
  char state;
  for (const struct dirent *e; processes && (e = readdir(processes));) {
    int child = atoi(e->d_name);
    if (child > 0 && read_stat(child, &state, &parent) && parent == pid)
      n += meaning(state) != LES_PROCESS_GONE;
  }
  if (processes) closedir(processes);
  return n;
}
