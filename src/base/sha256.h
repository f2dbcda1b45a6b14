/* SHA-256: of bytes, of bytes that come in pieces, and of model files, cached by path, size and time. */
#ifndef LES_BASE_SHA256_H
#define LES_BASE_SHA256_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { LES_SHA256_BYTES = 32, LES_SHA256_HEX = 64 };

/* The digest of n bytes, in hex. */
les_status les_sha256(const void *data, size_t n, char hex[LES_SHA256_HEX + 1]);

/* The digest of bytes that are added piece by piece. A failure to add is kept and returned by finish, which
 * is called once. */
typedef struct les_sha256_stream les_sha256_stream;
les_status les_sha256_open(les_sha256_stream **out);
void les_sha256_add(les_sha256_stream *s, const void *data, size_t n);
les_status les_sha256_finish(les_sha256_stream *s, uint8_t digest[LES_SHA256_BYTES]);
les_status les_sha256_finish_hex(les_sha256_stream *s, char hex[LES_SHA256_HEX + 1]);
void les_sha256_close(les_sha256_stream **s);

/* Digest in hex of a file. cache_dir is made if needed; NULL: no cache. A cache that cannot be read or
 * written is no error. */
les_status les_sha256_file(const char *path, const char *cache_dir, char hex[LES_SHA256_HEX + 1]);

#endif
