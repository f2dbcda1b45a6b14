#include "format/model_files.h"

#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_gguf(const char *path) {
  return !is_folder(path) && !les_path_has_suffix(path, ".safetensors");
}

/* ---- what is not there --------------------------------------------------------------------------------- */

/* The last two parts of a path if they may be a repository of the hub, OWNER/NAME: nothing is there, not even
 * the folder OWNER. Else NULL. */
static const char *hub_id(const char *path) {
  char *folder = les_path_folder(path);
  const char *name = strrchr(path, '/');
  bool possible = name && name[1] && folder && !is_folder(folder);
  free(folder);
  if (!possible) return NULL;
  const char *owner = name;
  while (owner > path && owner[-1] != '/') owner--;
  return owner < name && owner[0] != '.' && owner[0] != '~' ? owner : NULL;
}

les_status les_model_files_check(const char *path) {
  if (access(path, F_OK) == 0) return LES_OK;
  if (errno != ENOENT && errno != ENOTDIR)
    return les_fail(LES_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
  const char *id = hub_id(path);
  if (!id || les_path_has_suffix(path, ".gguf") || les_path_has_suffix(path, ".safetensors"))
    return les_fail(LES_FAILED, "%s: cannot be opened: there is no such file or folder", path);
  return les_fail(
      LES_FAILED,
      "%s: cannot be opened: there is no such file or folder; a model of the Hugging Face hub has to be "
      "fetched first: "
      "`hf download %s --local-dir %s` (before huggingface_hub 0.34: huggingface-cli download), and "
      "then its folder given; `lesion synth` writes a random model to try with",
      path, id, strrchr(id, '/') + 1);
}

static int is_weights(const struct dirent *e) {
  static const char *const suffixes[] = {".gguf", ".safetensors", ".bin", ".pth", ".pt"};
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
    if (les_path_has_suffix(e->d_name, suffixes[i])) return 1;
  return 0;
}

/* A folder without the files of a safetensors model: says what is there instead, and what to do about it. */
static les_status explain_folder(const char *path) {
  struct dirent **files;
  int n = scandir(path, &files, is_weights, alphasort), n_readable = 0;
  char first[256] = "", torch[256] = "";
  if (n < 0) return les_fail(LES_FAILED, "%s: cannot be read: %s", path, strerror(errno));
  for (int i = 0; i < n; i++) {
    const char *name = files[i]->d_name;
    if (!les_path_has_suffix(name, ".gguf") && !les_path_has_suffix(name, ".safetensors"))
      snprintf(torch, sizeof torch, "%s", name);
    else if (n_readable++ == 0)
      snprintf(first, sizeof first, "%s", name);
    free(files[i]);
  }
  free(files);
  if (n_readable == 1) return les_fail(LES_FAILED, "%s: is a folder; give the file %s in it", path, first);
  if (n_readable > 1)
    return les_fail(
        LES_FAILED,
        "%s: is a folder with %d files of weights; give one of them, such as %s (of a split model "
        "the first part)",
        path, n_readable, first);
  if (*torch)
    return les_fail(
        LES_FAILED,
        "%s: its weights are in %s, a Python pickle, which is not read; convert them: `python3 -c "
        "\"from transformers import AutoModelForCausalLM as M; "
        "M.from_pretrained('%s').save_pretrained('%s-safetensors')\"`, and copy tokenizer.json over",
        path, torch, path, path);
  return les_fail(
      LES_FAILED,
      "%s: holds neither model.safetensors nor model.safetensors.index.json; give a model's folder "
      "or a .gguf file",
      path);
}

static les_status check_folder(const char *path) {
  static const char *const names[] = {"model.safetensors", "model.safetensors.index.json"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *file = les_path_join(path, names[i]);
    if (!file) return les_no_memory("%s", path);
    bool there = access(file, F_OK) == 0;
    free(file);
    if (there) return LES_OK;
  }
  return explain_folder(path);
}

/* ---- opening ------------------------------------------------------------------------------------------- */

les_status les_model_files_init(les_model_files *out, const char *path) {
  les_status status;
  *out = (les_model_files){0};
  LES_TRY(les_model_files_check(path));
  if (is_folder(path)) LES_TRY(check_folder(path));
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
