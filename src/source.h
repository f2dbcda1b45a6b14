/* The files of a model, of either format, before anything is known of the architecture. */
#ifndef LES_SOURCE_H
#define LES_SOURCE_H

#include "config.h"
#include "gguf.h"
#include "safetensors.h"

typedef struct les_source {
  les_gguf *gguf; /* one of the two is set */
  les_safetensors *safetensors;
  char *folder; /* where the files lie: config.json and tokenizer.json are looked for here */
  const les_weights *weights;
} les_source;

/* Opens a .gguf file, a safetensors directory or a .safetensors file. On failure nothing is left to close. */
les_status les_source_open(les_source *out, const char *path);
void les_source_close(les_source *s);

/* Reads the configuration: of the GGUF file's metadata, or config.json. Free it with les_config_free, after
 * failure too. */
les_status les_source_config(const les_source *s, const char *path, les_config *out);

/* The weights files, in order. */
int les_source_n_files(const les_source *s);
const char *les_source_file(const les_source *s, int i);

/* SHA-256 of the one weights file, or of the digests of several, in order. See les_sha256_file. */
les_status les_source_sha256(const les_source *s, const char *cache_dir, char hex[65]);

#endif
