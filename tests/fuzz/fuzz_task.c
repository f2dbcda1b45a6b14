/* Data files of tasks: whatever the bytes, documents or an error, no crash. */
#include "data/task.h"
#include "fuzz.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  int fd = fuzz_file(data, n, path);
  int n_tasks = 0;
  while (les_task_name(n_tasks)) n_tasks++;
  les_task *task; /* one of them for each input, so that a run is short */
  if (les_task_open(&task, les_task_name((int)(n % (size_t)n_tasks)), path, 0) == LES_OK) {
    fuzz_taken++;
    les_task_close(&task);
  }
  close(fd);
  return 0;
}
