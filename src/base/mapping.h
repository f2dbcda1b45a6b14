/* A file mapped read-only, shared with every other process that maps it. */
#ifndef LES_BASE_MAPPING_H
#define LES_BASE_MAPPING_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct les_mapping {
  const uint8_t *data; /* NULL: nothing is mapped */
  size_t size;
} les_mapping;

/* Maps a regular file that is not empty. On failure *out is {NULL, 0} and the message names the file. */
les_status les_mapping_init(les_mapping *out, const char *path);

/* Unmaps; *m becomes {NULL, 0}. Accepts one that is not mapped. */
void les_mapping_free(les_mapping *m);

#endif
