/* Job files and prompt files: whatever the bytes, an answer or an error, no crash. */
#include "data/prompts.h"
#include "job/job.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  les_job *job;
  les_prompts prompts;
  int fd = memfd_create("job", 0);
  if (fd < 0 || write(fd, data, n) != (ssize_t)n) return 0;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (les_job_open(&job, path) == LES_OK) les_job_close(&job);
  if (les_prompts_read(&prompts, path) == LES_OK) les_prompts_free(&prompts);
  close(fd);
  return 0;
}
