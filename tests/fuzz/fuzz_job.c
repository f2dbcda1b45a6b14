/* Job files and prompt files: whatever the bytes, an answer or an error, no crash. */
#include "data/prompts.h"
#include "fuzz.h"
#include "job/job.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  char path[64];
  les_job *job;
  les_prompts prompts;
  int fd = fuzz_file(data, n, path);
  if (les_job_open(&job, path) == LES_OK) {
    fuzz_taken++;
    les_job_close(&job);
  }
  if (les_prompts_read(&prompts, path) == LES_OK) {
    fuzz_taken++;
    les_prompts_free(&prompts);
  }
  close(fd);
  return 0;
}
