/* Data files of tasks: whatever the bytes, documents or an error, no crash. */
#include "data/task.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  int fd = memfd_create("task", 0);
  if (fd < 0 || write(fd, data, n) != (ssize_t)n) return 0;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int n_tasks = 0;
  while (les_task_name(n_tasks)) n_tasks++;
  les_task *task; /* one of them for each input, so that a run is short */
  if (les_task_open(&task, les_task_name((int)(n % (size_t)n_tasks)), path, 0) == LES_OK)
    les_task_close(&task);
  close(fd);
  return 0;
}
