/* Whole files: read; written so that a crash leaves the old or the new one. */
#ifndef LES_BASE_FILE_H
#define LES_BASE_FILE_H

#include "base/status.h"

#include <stddef.h>

/* Reads a file into malloc'ed memory, which is the caller's, with a null byte after its n bytes. Errors name
 * the file. */
les_status les_file_read(const char *path, char **data, size_t *n);

/* LES_FAILED if the folder that `path` lies in does not exist. For what is written later, so that this is
 * known before the work. */
les_status les_file_check_folder(const char *path);

/* Writes n bytes to a file beside `path`, syncs it, and renames it to `path`. */
les_status les_file_write(const char *path, const void *data, size_t n);

#endif
