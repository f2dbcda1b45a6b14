/* The files of a model in either format, before its configuration is read. */
#ifndef LES_FORMAT_MODEL_FILES_H
#define LES_FORMAT_MODEL_FILES_H

#include "format/gguf.h"
#include "format/safetensors.h"

typedef struct les_model_files {
  les_gguf *gguf; /* one of the two is set */
  les_safetensors *safetensors;
  char *folder; /* where config.json and tokenizer.json are looked for */
  const les_tensors *tensors;
} les_model_files;

/* LES_FAILED if nothing is at `path`: how to fetch it if that may be a repository of the Hugging Face hub. */
les_status les_model_files_check(const char *path);

/* Maps a .gguf file, a safetensors directory or a .safetensors file. A folder without such weights is an
 * error that says what is there instead. On failure nothing is left to free. */
les_status les_model_files_init(les_model_files *out, const char *path);
void les_model_files_free(les_model_files *files);

/* The files with the weights, in order. */
int les_model_files_n_files(const les_model_files *files);
const char *les_model_files_file(const les_model_files *files, int i);

/* SHA-256 of the file with the weights; of several, of their digests in order. See les_sha256_file. */
les_status les_model_files_sha256(const les_model_files *files, const char *cache_dir, char hex[65]);

#endif
