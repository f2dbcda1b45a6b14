#include "base/sha256.h"

#include "base/file.h"
#include "base/mapping.h"
#include "base/path.h"

#include <ctype.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX = LES_SHA256_HEX };

struct les_sha256_stream {
  EVP_MD_CTX *context;
  bool failed;
};

static les_status cannot_digest(void) {
  return les_fail(LES_FAILED, "SHA-256 could not be computed by the OpenSSL library");
}

les_status les_sha256_open(les_sha256_stream **out) {
  les_sha256_stream *s = *out = calloc(1, sizeof *s);
  if (!s) return les_no_memory("a SHA-256");
  s->context = EVP_MD_CTX_new();
  if (s->context && EVP_DigestInit_ex(s->context, EVP_sha256(), NULL)) return LES_OK;
  les_sha256_close(out);
  return cannot_digest();
}

void les_sha256_add(les_sha256_stream *s, const void *data, size_t n) {
  s->failed = s->failed || !EVP_DigestUpdate(s->context, data, n);
}

les_status les_sha256_finish(les_sha256_stream *s, uint8_t digest[LES_SHA256_BYTES]) {
  return !s->failed && EVP_DigestFinal_ex(s->context, digest, NULL) ? LES_OK : cannot_digest();
}

les_status les_sha256_finish_hex(les_sha256_stream *s, char hex[LES_SHA256_HEX + 1]) {
  uint8_t digest[LES_SHA256_BYTES];
  hex[0] = 0;
  LES_TRY(les_sha256_finish(s, digest));
  for (int i = 0; i < LES_SHA256_BYTES; i++) sprintf(hex + 2 * i, "%02x", digest[i]);
  return LES_OK;
}

void les_sha256_close(les_sha256_stream **s) {
  if (!*s) return;
  EVP_MD_CTX_free((*s)->context);
  free(*s);
  *s = NULL;
}

les_status les_sha256(const void *data, size_t n, char hex[LES_SHA256_HEX + 1]) {
  les_sha256_stream *s;
  hex[0] = 0;
  LES_TRY(les_sha256_open(&s));
  les_sha256_add(s, data, n);
  les_status status = les_sha256_finish_hex(s, hex);
  les_sha256_close(&s);
  return status;
}

/* ---- files, and the cache of their digests ---- */

/* The key of a cache entry, which precedes the digest: path, size and time of the file. Malloc'ed; NULL if
 * there is no such file, or no memory. */
static char *describe(const char *path) {
  char *full = realpath(path, NULL), *text = NULL;
  struct stat st;
  if (full && stat(full, &st) == 0 &&
      asprintf(&text, "%s\n%lld %lld.%09ld\n", full, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
               st.st_mtim.tv_nsec) < 0)
    text = NULL;
  free(full);
  return text;
}

/* The file of a cache entry, named by the digest of the key's first line. Malloc'ed; NULL: out of memory. */
static char *entry_path(const char *cache_dir, const char *description) {
  char id[HEX + 1], *path;
  if (les_sha256(description, strcspn(description, "\n"), id) != LES_OK) return NULL;
  return asprintf(&path, "%s/sha256-%.16s", cache_dir, id) < 0 ? NULL : path;
}

static bool recall(const char *entry, const char *description, char hex[65]) {
  char *text;
  size_t n, m = strlen(description);
  if (access(entry, R_OK) != 0 || les_file_read(entry, &text, &n) != LES_OK) return false;
  bool found = n == m + HEX && !memcmp(text, description, m);
  for (size_t i = m; found && i < n; i++) found = isxdigit((unsigned char)text[i]);
  if (found) memcpy(hex, text + m, HEX + 1);
  free(text);
  return found;
}

/* Makes the folder and its parent. */
static void make_folder(const char *cache_dir) {
  char *above = les_path_folder(cache_dir);
  if (above) mkdir(above, 0777);
  mkdir(cache_dir, 0777);
  free(above);
}

static void keep(const char *entry, const char *description, const char *hex) {
  char *text;
  int n = asprintf(&text, "%s%s", description, hex);
  if (n < 0) return;
  (void)les_file_write(entry, text, (size_t)n);
  free(text);
}

/* Locks the cache: of ranks that open a model at once, the first computes, the others wait and find the
 * entry. A descriptor to close; -1: no lock. */
static int lock(const char *cache_dir) {
  make_folder(cache_dir);
  int fd = open(cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) flock(fd, LOCK_EX);
  return fd;
}

static les_status compute(const char *path, char hex[65]) {
  les_mapping file;
  LES_TRY(les_mapping_init(&file, path));
  les_status status = les_sha256(file.data, file.size, hex);
  les_mapping_free(&file);
  return status;
}

static les_status recall_or_compute(const char *path, const char *cache_dir, const char *description,
                                    const char *entry, char hex[65]) {
  if (recall(entry, description, hex)) return LES_OK;
  int fd = lock(cache_dir);
  les_status status = LES_OK;
  if (fd < 0 || !recall(entry, description, hex)) {
    status = compute(path, hex);
    if (status == LES_OK) keep(entry, description, hex);
  }
  if (fd >= 0) close(fd);
  return status;
}

les_status les_sha256_file(const char *path, const char *cache_dir, char hex[65]) {
  char *description = cache_dir ? describe(path) : NULL;
  char *entry = description ? entry_path(cache_dir, description) : NULL;
  les_status status =
      entry ? recall_or_compute(path, cache_dir, description, entry, hex) : compute(path, hex);
  free(entry);
  free(description);
  return status;
}
