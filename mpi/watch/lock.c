#include "watch/lock.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct les_lock {
  int fd;
  char *path;
};

/* Open file description locks: not dropped when another descriptor of the file is closed, and not mistaken
 * for the flock() of HDF5's readers. */
static bool set_lock(int fd, short type) {
  struct flock range = {.l_type = type, .l_whence = SEEK_SET};
  return fcntl(fd, F_OFD_SETLK, &range) == 0;
}

static bool unsupported(int error) {
  return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL;
}

/* The name may have got a new file since `fd` was opened: the last sweep took its lock away. */
static bool still_named(int fd, const char *path) {
  struct stat a, b;
  return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static les_status lock_open(les_lock **out, const char *path) {
  les_lock *l = calloc(1, sizeof *l);
  if (!l || asprintf(&l->path, "%s.lock", path) < 0)
    return free(l), *out = NULL, les_no_memory("the lock of %s", path);
  l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  *out = l;
  if (l->fd >= 0) return LES_OK;
  les_status status = les_fail(LES_FAILED, "%s cannot be written: %s", l->path, strerror(errno));
  les_lock_close(out, false);
  return status;
}

les_status les_lock_take(les_lock **out, const char *path, double seconds) {
  for (double end = les_now() + seconds;;) {
    LES_TRY(lock_open(out, path));
    bool got = set_lock((*out)->fd, F_WRLCK);
    if (!got && unsupported(errno)) return LES_OK;
    if (got && still_named((*out)->fd, (*out)->path)) {
      set_lock((*out)->fd, F_RDLCK);
      return LES_OK;
    }
    les_lock_close(out, false);
    if (!got && les_now() > end) break;
    les_sleep(0.05);
  }
  return les_fail(LES_FAILED, "%s: another sweep is writing there; wait for it, or give another --output",
                  path);
}

les_status les_lock_join(les_lock **out, const char *path) {
  LES_TRY(lock_open(out, path));
  if (set_lock((*out)->fd, F_RDLCK) || unsupported(errno)) return LES_OK;
  les_lock_close(out, false);
  return les_fail(LES_FAILED, "%s: the lock of this sweep is held by another one", path);
}

void les_lock_close(les_lock **lock, bool remove) {
  les_lock *l = *lock;
  if (!l) return;
  if (remove) unlink(l->path);
  if (l->fd >= 0) close(l->fd);
  free(l->path);
  free(l);
  *lock = NULL;
}
