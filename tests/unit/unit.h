/* What unit tests share: cmocka with the headers it needs, comparison of doubles, and files that a test
 * writes. */
#ifndef UNIT_H
#define UNIT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Fails unless a is within eps of b. */
#define assert_near(a, b, eps)                                                                               \
  do {                                                                                                       \
    double near_a_ = (a), near_b_ = (b);                                                                     \
    if (!(fabs(near_a_ - near_b_) <= (eps))) fail_msg("%s is %.17g, not %.17g", #a, near_a_, near_b_);       \
  } while (0)

/* Fails unless the last message holds the words. */
#define assert_message(words)                                                                                \
  do {                                                                                                       \
    if (!strstr(les_message(), words)) fail_msg("the message '%s' lacks '%s'", les_message(), words);        \
  } while (0)

/* Makes a folder for a test's files and writes its path to `folder`. */
static inline int scratch_open(char folder[64]) {
  strcpy(folder, "/tmp/lesion-test-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

/* Writes n bytes to NAME in the folder; `path` receives the whole path. */
static inline int scratch_write(const char *folder, const char *name, const void *data, size_t n,
                                char path[128]) {
  snprintf(path, 128, "%s/%s", folder, name);
  FILE *f = fopen(path, "wb");
  if (!f) return -1;
  size_t put = fwrite(data, 1, n, f);
  return fclose(f) == 0 && put == n ? 0 : -1;
}

#endif
