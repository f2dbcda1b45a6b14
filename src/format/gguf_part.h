/* One file of a GGUF model: parsed and checked, values found by key. Only gguf.c, which puts the parts of a
 * split model together, uses this. */
#ifndef LES_FORMAT_GGUF_PART_H
#define LES_FORMAT_GGUF_PART_H

#include "base/mapping.h"
#include "format/gguf_type.h"
#include "format/tensors.h"

/* A key and its value in the mapped file. */
typedef struct les_gguf_value {
  char *key;
  les_gguf_type type;
  les_gguf_type item;   /* of the elements; the type itself if it is no array */
  uint64_t n;           /* elements; 1 if it is no array */
  const uint8_t *begin; /* in the file: the type, followed by the value */
  const uint8_t *end;   /* one past the last element */
  const uint8_t *data;  /* the first element */
  const uint8_t *
      *strings; /* (n) where each element of an array of strings starts, with its length; else NULL */
} les_gguf_value;

typedef struct les_gguf_part {
  char *path;
  les_mapping file;
  les_gguf_value *values; /* (n_values) by key */
  size_t n_values;
  les_tensor *tensors; /* (n_tensors) in the order of the file; names are owned */
  size_t n_tensors;
} les_gguf_part;

/* Maps and parses a file. On failure there is nothing to free and the message names the file. */
les_status les_gguf_part_init(les_gguf_part *out, const char *path);
void les_gguf_part_free(les_gguf_part *p);

/* The value of `key`, or NULL. */
const les_gguf_value *les_gguf_part_find(const les_gguf_part *p, const char *key);

/* Element i of a value: false if there is no such element or it does not fit the type asked for. */
bool les_gguf_value_int(const les_gguf_value *v, uint64_t i, int64_t *out);
bool les_gguf_value_double(const les_gguf_value *v, uint64_t i, double *out);
bool les_gguf_value_string(const les_gguf_value *v, uint64_t i, const char **text, size_t *n);

#endif
