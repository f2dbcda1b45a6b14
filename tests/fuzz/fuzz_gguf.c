/* GGUF files, whole models with their vocabulary: whatever the bytes, a model or an error, no crash. */
#include "model/load.h"
#include "model/model.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  les_model *model;
  int fd = memfd_create("model", 0);
  if (fd < 0 || write(fd, data, n) != (ssize_t)n) return 0;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (les_model_open(&model, path, &(les_model_options){.no_sha256 = true}) == LES_OK)
    les_model_close(&model);
  close(fd);
  return 0;
}
