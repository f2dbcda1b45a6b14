/* SHA-256 of model files, cached in a folder by path, size and time. */
#ifndef LES_BASE_SHA256_H
#define LES_BASE_SHA256_H

#include "base/status.h"

/* Digest in hex of a file. cache_dir is made if needed; NULL: no cache. A cache that cannot be read or
 * written is no error. */
les_status les_sha256_file(const char *path, const char *cache_dir, char hex[65]);

#endif
