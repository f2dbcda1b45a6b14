#include "format/model_files.h"

#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_gguf(const char *path) {
  return !is_folder(path) && !les_path_has_suffix(path, ".safetensors");
}

les_status les_model_files_init(les_model_files *out, const char *path) {
  les_status status;
  *out = (les_model_files){.folder = is_folder(path) ? strdup(path) : les_path_folder(path)};
  if (!out->folder) return les_no_memory("the folder of %s", path);
  if (is_gguf(path)) {
    LES_GOTO(status, les_gguf_open(&out->gguf, path), done);
    out->tensors = les_gguf_tensors(out->gguf);
  } else {
    LES_GOTO(status, les_safetensors_open(&out->safetensors, path), done);
    out->tensors = les_safetensors_tensors(out->safetensors);
  }
done:
  if (status != LES_OK) les_model_files_free(out);
  return status;
}

void les_model_files_free(les_model_files *files) {
  les_gguf_close(&files->gguf);
  les_safetensors_close(&files->safetensors);
  free(files->folder);
  *files = (les_model_files){0};
}

int les_model_files_n_files(const les_model_files *files) {
  return files->gguf ? les_gguf_n_parts(files->gguf) : les_safetensors_n_files(files->safetensors);
}

const char *les_model_files_file(const les_model_files *files, int i) {
  return files->gguf ? les_gguf_part_path(files->gguf, i) : les_safetensors_file_path(files->safetensors, i);
}

les_status les_model_files_sha256(const les_model_files *files, const char *cache_dir, char hex[65]) {
  enum { HEX = 64 };
  int n = les_model_files_n_files(files);
  char *all = malloc((size_t)n * HEX + 1);
  if (!all) return les_no_memory("the digest of %s", les_model_files_file(files, 0));
  les_status status = LES_OK;
  for (int i = 0; i < n; i++)
    LES_GOTO(status, les_sha256_file(les_model_files_file(files, i), cache_dir, all + i * HEX), done);
  if (n == 1)
    memcpy(hex, all, HEX + 1);
  else
    status = les_sha256(all, (size_t)n * HEX, hex);
done:
  free(all);
  return status;
}
