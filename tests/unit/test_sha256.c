/* Digests of files and the folder that keeps them. */
#include "base/sha256.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

static char folder[64], path[128], cache[160];
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static int open_folder(void **state) {
  (void)state;
  if (scratch_open(folder) != 0) return -1;
  snprintf(cache, sizeof cache, "%s/above/cache", folder);
  return scratch_write(folder, "f", "abc", 3, path);
}

static int close_folder(void **state) {
  (void)state;
  DIR *dir = opendir(cache);
  for (struct dirent *e; dir && (e = readdir(dir));) unlinkat(dirfd(dir), e->d_name, 0);
  if (dir) closedir(dir);
  rmdir(cache);
  *strrchr(cache, '/') = 0;
  rmdir(cache);
  unlink(path);
  return rmdir(folder);
}

/* Other bytes of the same length; the time stays if asked. */
static void rewrite(const char *bytes, bool keep_time) {
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(scratch_write(folder, "f", bytes, strlen(bytes), path), 0);
  struct timespec times[2] = {st.st_atim, st.st_mtim};
  if (!keep_time) times[1].tv_sec += 2;
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void bytes_may_come_in_pieces(void **state) {
  (void)state;
  char hex[65];
  assert_int_equal(les_sha256("abc", 3, hex), LES_OK);
  assert_string_equal(hex, abc);
  les_sha256_stream *s;
  assert_int_equal(les_sha256_open(&s), LES_OK);
  les_sha256_add(s, "a", 1);
  les_sha256_add(s, NULL, 0);
  les_sha256_add(s, "bc", 2);
  assert_int_equal(les_sha256_finish_hex(s, hex), LES_OK);
  assert_string_equal(hex, abc);
  les_sha256_close(&s);
  les_sha256_close(&s);
}

static void computes_without_a_cache(void **state) {
  (void)state;
  char hex[65];
  assert_int_equal(les_sha256_file(path, NULL, hex), LES_OK);
  assert_string_equal(hex, abc);
  assert_int_equal(les_sha256_file("/no/such/file", NULL, hex), LES_FAILED);
  assert_message("/no/such/file");
}

static void recalls_by_path_size_and_time(void **state) {
  (void)state;
  char hex[65];
  assert_int_equal(les_sha256_file(path, cache, hex), LES_OK);
  assert_string_equal(hex, abc);
  rewrite("abd", true); /* cannot be told apart: the kept digest comes */
  assert_int_equal(les_sha256_file(path, cache, hex), LES_OK);
  assert_string_equal(hex, abc);
  rewrite("abd", false);
  assert_int_equal(les_sha256_file(path, cache, hex), LES_OK);
  assert_string_not_equal(hex, abc);
  rewrite("abcd", true);
  assert_int_equal(les_sha256_file(path, cache, hex), LES_OK);
  assert_string_equal(hex, "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589");
}

static void does_without_a_cache_that_cannot_be_written(void **state) {
  (void)state;
  char hex[65];
  assert_int_equal(les_sha256_file(path, "/dev/null/cache", hex), LES_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_may_come_in_pieces),
      cmocka_unit_test(computes_without_a_cache),
      cmocka_unit_test(recalls_by_path_size_and_time),
      cmocka_unit_test(does_without_a_cache_that_cannot_be_written),
  };
  return cmocka_run_group_tests(tests, open_folder, close_folder);
}
