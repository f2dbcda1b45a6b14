/* Opening a model: files, configuration, weights, tokenizer. */
#ifndef LES_MODEL_LOAD_H
#define LES_MODEL_LOAD_H

#include "model/model.h"

typedef struct les_model_options {
  bool no_tokenizer;     /* do not load the tokenizer */
  bool no_sha256;        /* leave sha256 empty, for commands that neither print nor store it */
  const char *cache_dir; /* folder where digests are cached; NULL: none */
} les_model_options;

/* Opens a .gguf file (the first part of a split one), a safetensors directory or a .safetensors file beside
 * its config.json. The files are mapped read-only: matrices keep the file's layout, norms and biases are
 * converted to f32. Every length in the file is checked. Digests are cached by path, size and time. Errors
 * name the file, what is wrong and what to do. *out is NULL on failure. */
les_status les_model_open(les_model **out, const char *path, const les_model_options *options);

/* Frees the model and unmaps its files; *m becomes NULL. Accepts NULL. */
void les_model_close(les_model **m);

#endif
