/* Reader of safetensors files: one file, or a directory with model.safetensors or its shards and their index.
 * Mapped read-only; every length is checked against the file before it is used. */
#ifndef LES_FORMAT_SAFETENSORS_H
#define LES_FORMAT_SAFETENSORS_H

#include "format/tensors.h"

typedef struct les_safetensors les_safetensors;

/* path: a .safetensors file, or the directory that holds it. Errors name the file. */
les_status les_safetensors_open(les_safetensors **out, const char *path);
void les_safetensors_close(les_safetensors **s);

/* The tensors of all shards, ready for les_tensors_find. */
const les_tensors *les_safetensors_tensors(const les_safetensors *s);

/* The files behind s, in the order of their names. */
int les_safetensors_n_files(const les_safetensors *s);
const char *les_safetensors_file_path(const les_safetensors *s, int i);

#endif
