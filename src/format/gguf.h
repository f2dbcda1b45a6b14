/* Reader of GGUF files, versions 2 and 3: metadata and a table of tensors, mapped read-only. Every length is
 * checked against the file before it is used. Split files (NAME-00001-of-0000N.gguf) are opened through their
 * first part. */
#ifndef LES_FORMAT_GGUF_H
#define LES_FORMAT_GGUF_H

#include "format/gguf_type.h"
#include "format/tensors.h"

typedef struct les_gguf les_gguf;

les_status les_gguf_open(les_gguf **out, const char *path);
void les_gguf_close(les_gguf **g);

/* Metadata by key: false if the key is missing or its value does not fit the type asked for (every integer
 * type fits an integer in range; every number fits a double). */
bool les_gguf_int(const les_gguf *g, const char *key, int64_t *value);
bool les_gguf_double(const les_gguf *g, const char *key, double *value);
bool les_gguf_bool(const les_gguf *g, const char *key, bool *value);
/* *text points into the mapped file: n bytes, not null-terminated. */
bool les_gguf_string(const les_gguf *g, const char *key, const char **text, size_t *n);

/* True if there is such a key, of any type. */
bool les_gguf_has(const les_gguf *g, const char *key);

/* Arrays: the number of elements, or -1 if the key is no array; element i by the same rules, in constant
 * time.
 */
int64_t les_gguf_array_length(const les_gguf *g, const char *key);
bool les_gguf_array_int(const les_gguf *g, const char *key, int64_t i, int64_t *value);
bool les_gguf_array_double(const les_gguf *g, const char *key, int64_t i, double *value);
bool les_gguf_array_string(const les_gguf *g, const char *key, int64_t i, const char **text, size_t *n);

/* The keys in alphabetical order, and the raw bytes of a value, for copies: its type, then its content. */
int les_gguf_n_keys(const les_gguf *g);
const char *les_gguf_key_at(const les_gguf *g, int i);
const void *les_gguf_raw_at(const les_gguf *g, int i, size_t *n);

/* The table of all parts' tensors, ready for les_tensors_find; owned by g. */
const les_tensors *les_gguf_tensors(const les_gguf *g);

/* The files behind g: one, or the parts of a split model in order. */
int les_gguf_n_parts(const les_gguf *g);
const char *les_gguf_part_path(const les_gguf *g, int i);

#endif
