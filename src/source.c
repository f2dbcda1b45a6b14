#include "source.h"

#include "file.h"
#include "sha256.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_gguf(const char *path) {
  static const char ending[] = ".safetensors";
  size_t n = strlen(path), k = sizeof ending - 1;
  return !is_folder(path) && !(n >= k && !strcmp(path + n - k, ending));
}

static char *find_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  if (is_folder(path)) return strdup(path);
  return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

les_status les_source_open(les_source *out, const char *path) {
  les_status status;
  *out = (les_source){.folder = find_folder(path)};
  if (!out->folder) return les_fail(LES_FAILED, "%s: no memory", path);
  if (is_gguf(path)) {
    LES_GOTO(status, les_gguf_open(&out->gguf, path), done);
    out->weights = les_gguf_weights(out->gguf);
  } else {
    LES_GOTO(status, les_safetensors_open(&out->safetensors, path), done);
    out->weights = les_safetensors_weights(out->safetensors);
  }
done:
  if (status != LES_OK) les_source_close(out);
  return status;
}

void les_source_close(les_source *s) {
  les_gguf_close(&s->gguf);
  les_safetensors_close(&s->safetensors);
  free(s->folder);
  *s = (les_source){0};
}

les_status les_source_config(const les_source *s, const char *path, les_config *out) {
  if (!s->gguf) return les_config_read_json(out, s->folder, s->weights->n);
  les_status status = les_config_read_gguf(out, s->gguf);
  return status == LES_OK ? status : les_fail_in(status, "%s", path);
}

int les_source_n_files(const les_source *s) {
  return s->gguf ? les_gguf_n_parts(s->gguf) : les_safetensors_n_files(s->safetensors);
}

const char *les_source_file(const les_source *s, int i) {
  return s->gguf ? les_gguf_part_path(s->gguf, i) : les_safetensors_file_path(s->safetensors, i);
}

les_status les_source_sha256(const les_source *s, const char *cache_dir, char hex[65]) {
  enum { HEX = 64 };
  int n = les_source_n_files(s);
  char *all = malloc((size_t)n * HEX + 1);
  if (!all) return les_fail(LES_FAILED, "%s: no memory for its digest", les_source_file(s, 0));
  les_status status = LES_OK;
  for (int i = 0; i < n; i++)
    LES_GOTO(status, les_sha256_file(les_source_file(s, i), cache_dir, all + i * HEX), done);
  if (n == 1)
    memcpy(hex, all, HEX + 1);
  else
    status = les_sha256(all, (size_t)n * HEX, hex);
done:
  free(all);
  return status;
}
