/* config.json: whatever the bytes, a configuration or an error, no crash. */
#include "model/config_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[] = "/tmp/lesion-fuzz-XXXXXX", link_path[64];

static void remove_folder(void) {
  unlink(link_path);
  rmdir(folder);
}

/* A folder whose config.json is the memory file. */
static int open_memory_file(void) {
  char target[64];
  int fd = memfd_create("config", 0);
  if (fd < 0 || !mkdtemp(folder)) return -1;
  snprintf(target, sizeof target, "/proc/self/fd/%d", fd);
  snprintf(link_path, sizeof link_path, "%s/config.json", folder);
  atexit(remove_folder);
  return symlink(target, link_path) == 0 ? fd : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static int fd = -2;
  enum { MAX_LAYERS = 1000 };
  if (fd == -2) fd = open_memory_file();
  if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n) return 0;
  les_config config;
  les_config_read_json(&config, folder, MAX_LAYERS);
  les_config_free(&config);
  return 0;
}
