#include "base/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

les_status les_mapping_init(les_mapping *out, const char *path) {
  *out = (les_mapping){0};
  struct stat st;
  if (stat(path, &st) != 0) return les_fail(LES_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
  if (!S_ISREG(st.st_mode)) return les_fail(LES_FAILED, "%s: is not a regular file", path);
  if (st.st_size == 0) return les_fail(LES_FAILED, "%s: is empty; copy the file again", path);

  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return les_fail(LES_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
  void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
  int error = errno;
  close(fd);
  if (data == MAP_FAILED)
    return les_fail(LES_FAILED, "%s: cannot be mapped into memory: %s", path, strerror(error));
  *out = (les_mapping){data, (size_t)st.st_size};
  return LES_OK;
}

void les_mapping_free(les_mapping *m) {
  if (m->data) munmap((void *)m->data, m->size);
  *m = (les_mapping){0};
}
