/* config.json: whatever the bytes, a configuration or an error, no crash. */
#include "fuzz.h"
#include "model/config_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/lesion-fuzz-XXXXXX", link_path[64];

static void remove_folder(void) {
  unlink(link_path);
  rmdir(folder);
}

/* A folder whose config.json is a file in memory, empty at first; its descriptor. */
static int open_config(void) {
  char target[64];
  int fd = fuzz_file(NULL, 0, target);
  bool made = mkdtemp(folder) != NULL;
  snprintf(link_path, sizeof link_path, "%s/config.json", folder);
  if (!made || symlink(target, link_path) != 0) {
    perror(link_path);
    abort();
  }
  atexit(remove_folder);
  return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static int fd = -1;
  enum { MAX_LAYERS = 1000 };
  if (fd < 0) fd = open_config();
  if (ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n) abort();
  les_config config;
  fuzz_taken += les_config_read_json(&config, folder, MAX_LAYERS) == LES_OK;
  les_config_free(&config);
  return 0;
}
