/* Runs a fuzz target where libFuzzer is not at hand: on every file of a folder as it is, then on random
 * changes of them, the same in every run. Usage: fuzz_NAME FOLDER RUNS. With -DLES_FUZZ=ON (clang) targets
 * are linked to libFuzzer instead. */
#include "base/rng.h"
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SEEDS = 256, MOST_BYTES = 1 << 20 };

typedef struct seed {
  uint8_t *data;
  size_t n;
} seed;

static uint32_t draw(uint64_t run, uint32_t step, uint32_t below) {
  uint32_t counter[4] = {(uint32_t)run, step, 0, 0}, key[2] = {1, 2}, out[4];
  les_philox(counter, key, out);
  return out[0] % below;
}

/* One change in place: a byte, a bit, a piece left out, a piece copied over another, the end cut off. */
static size_t change(uint8_t *data, size_t n, uint64_t run, uint32_t step) {
  static const uint8_t bytes[] = {0,   1,   0x7f, 0x80, 0xff, '"', '\\', '{',
                                  '}', '[', ']',  ',',  ':',  '-', '9',  '\n'};
  if (n == 0) return 0;
  uint32_t at = draw(run, step, (uint32_t)n), room = (uint32_t)(n - at), value = draw(run, step + 2, 1 << 16);
  uint32_t piece = 1 + value % room, from = draw(run, step + 3, (uint32_t)n);
  if (piece > n - from) piece = (uint32_t)(n - from);
  switch (draw(run, step + 1, 5)) {
  case 0:
    data[at] = bytes[value % sizeof bytes];
    return n;
  case 1:
    data[at] ^= (uint8_t)(1 << value % 8);
    return n;
  case 2:
    piece = 1 + value % (room < 16 ? room : 16);
    memmove(data + at, data + at + piece, room - piece);
    return n - piece;
  case 3:
    memmove(data + at, data + from, piece < room ? piece : room);
    return n;
  default:
    return value % 4 ? n : at;
  }
}

static int read_seeds(const char *folder, seed seeds[MOST_SEEDS]) {
  int n = 0;
  char path[4096];
  DIR *dir = opendir(folder);
  for (struct dirent *e; dir && n < MOST_SEEDS && (e = readdir(dir));) {
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "rb");
    if (!f) continue;
    seeds[n].data = malloc(MOST_BYTES);
    if (seeds[n].data) seeds[n].n = fread(seeds[n].data, 1, MOST_BYTES, f);
    n += seeds[n].data != NULL;
    fclose(f);
  }
  if (dir) closedir(dir);
  return n;
}

int main(int argc, char **argv) {
  seed seeds[MOST_SEEDS];
  int n_seeds = argc == 3 ? read_seeds(argv[1], seeds) : 0;
  uint8_t *data = malloc(MOST_BYTES);
  if (n_seeds == 0 || !data) return fprintf(stderr, "usage: %s FOLDER RUNS\n", argv[0]), 2;
  for (int i = 0; i < n_seeds; i++) LLVMFuzzerTestOneInput(seeds[i].data, seeds[i].n);
  if (fuzz_taken == 0) return fprintf(stderr, "%s: not one file is valid input\n", argv[1]), 1;
  for (uint64_t run = 0, runs = strtoull(argv[2], NULL, 10); run < runs; run++) {
    const seed *s = &seeds[draw(run, 0, (uint32_t)n_seeds)];
    size_t n = s->n;
    memcpy(data, s->data, n);
    for (uint32_t step = 4, end = 4 * (2 + draw(run, 1, 8)); step < end; step += 4)
      n = change(data, n, run, step);
    LLVMFuzzerTestOneInput(data, n);
  }
  for (int i = 0; i < n_seeds; i++) free(seeds[i].data);
  free(data);
  return 0;
}
