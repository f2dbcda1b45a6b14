#include "base/file.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

les_status les_file_read(const char *path, char **data, size_t *n) {
  les_status s = LES_OK;
  *data = NULL;
  *n = 0;
  FILE *f = fopen(path, "rb");
  if (!f) return les_fail(LES_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
  struct stat st;
  size_t cap = 4096;
  if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode)) cap = (size_t)st.st_size + 2;
  char *buffer = malloc(cap);
  for (size_t got; buffer && (got = fread(buffer + *n, 1, cap - *n - 1, f)) > 0;) {
    *n += got;
    if (*n + 1 < cap) continue;
    char *larger = realloc(buffer, cap *= 2); /* a pipe, or the file has grown */
    if (!larger) free(buffer);
    buffer = larger;
  }
  if (!buffer) {
    s = les_no_memory("the %zu bytes of %s", cap, path);
  } else if (ferror(f)) {
    s = les_fail(LES_FAILED, "%s: cannot be read: %s", path, strerror(errno));
    free(buffer);
  } else {
    buffer[*n] = 0;
    *data = buffer;
  }
  fclose(f);
  return s;
}

les_status les_file_check_folder(const char *path) {
  struct stat st;
  char *folder = les_path_folder(path);
  if (!folder) return les_no_memory("the folder of %s", path);
  les_status s = LES_OK;
  if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
    s = les_fail(LES_FAILED, "%s: cannot be written: there is no folder %s; make it with `mkdir -p %s`", path,
                 folder, folder);
  free(folder);
  return s;
}

/* Makes a new name in the folder last through a power cut. A file system that cannot do it is no reason to
 * fail. */
static void sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

static les_status write_all(int fd, const char *data, size_t n) {
  while (n > 0) {
    ssize_t put = write(fd, data, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return LES_FAILED;
    data += put;
    n -= (size_t)put;
  }
  return fsync(fd) == 0 ? LES_OK : LES_FAILED;
}

les_status les_file_write(const char *path, const void *data, size_t n) {
  char *aside = malloc(strlen(path) + 32), *folder = les_path_folder(path);
  les_status s = LES_FAILED;
  if (!aside || !folder) LES_GOTO(s, les_no_memory("the name of a file beside %s", path), done);
  LES_GOTO(s, les_file_check_folder(path), done);
  s = LES_FAILED;
  sprintf(aside, "%s.%ld.tmp", path, (long)getpid());
  int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd >= 0) {
    s = write_all(fd, data, n);
    if (close(fd) != 0) s = LES_FAILED;
    if (s == LES_OK && rename(aside, path) != 0) s = LES_FAILED;
    int error = errno;
    if (s != LES_OK) unlink(aside);
    errno = error;
  }
  if (s == LES_OK)
    sync_folder(folder);
  else
    les_fail(s, "%s: cannot be written: %s", path, strerror(errno));
done:
  free(folder);
  free(aside);
  return s;
}
