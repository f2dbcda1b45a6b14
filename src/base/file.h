/* Whole files: read, written so that a crash leaves the old or the new one, and their digest. */
#ifndef LES_BASE_FILE_H
#define LES_BASE_FILE_H

#include "base/status.h"

#include <stddef.h>

/* Reads a regular file into malloc'ed memory with a null byte behind its n bytes; the caller's. Errors name
 * the file. */
les_status les_file_read(const char *path, char **data, size_t *n);

/* Writes n bytes to a file beside `path`, syncs it, and renames it to `path`. */
les_status les_file_write(const char *path, const void *data, size_t n);

/* SHA-256 in hex of n bytes. */
les_status les_sha256(const void *data, size_t n, char hex[65]);

#endif
