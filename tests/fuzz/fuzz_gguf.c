/* GGUF files, whole models with their vocabulary: whatever the bytes, a model or an error, no crash. */
#include "fuzz.h"
#include "model/load.h"
#include "model/model.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  les_model *model;
  int fd = fuzz_file(data, n, path);
  if (les_model_open(&model, path, &(les_model_options){.no_sha256 = true}) == LES_OK) {
    fuzz_taken++;
    les_model_close(&model);
  }
  close(fd);
  return 0;
}
