#include "base/file.h"

#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>

static char folder[64];

static int set_up(void **state) {
  (void)state;
  return scratch_open(folder);
}

static int tear_down(void **state) {
  (void)state;
  return rmdir(folder);
}

static void what_is_written_is_read(void **state) {
  (void)state;
  char path[128], *data;
  size_t n;
  snprintf(path, sizeof path, "%s/a", folder);
  for (int again = 0; again < 2; again++) { /* the second time over the first */
    assert_int_equal(les_file_write(path, "a\0b", 3), LES_OK);
    assert_int_equal(les_file_read(path, &data, &n), LES_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(data, "a\0b", 4);
    free(data);
  }
  unlink(path); /* tear_down fails if anything else was left */
}

static void an_empty_file(void **state) {
  (void)state;
  char path[128], *data;
  size_t n;
  assert_int_equal(scratch_write(folder, "e", "", 0, path), 0);
  assert_int_equal(les_file_read(path, &data, &n), LES_OK);
  assert_true(n == 0 && *data == 0);
  free(data);
  unlink(path);
}

static void a_file_larger_than_its_size_says(void **state) {
  (void)state;
  char *data;
  size_t n;
  assert_int_equal(les_file_read("/proc/self/maps", &data, &n), LES_OK);
  assert_true(n > 100); /* its size is said to be 0 */
  free(data);
}

static void failures_name_the_file_and_leave_the_old_one(void **state) {
  (void)state;
  char path[128], *data;
  size_t n;
  assert_int_equal(les_file_read("/nowhere/x", &data, &n), LES_FAILED);
  assert_message("/nowhere/x");
  assert_int_equal(les_file_read("/tmp", &data, &n), LES_FAILED);
  assert_int_equal(les_file_write("/nowhere/x", "a", 1), LES_FAILED);
  assert_message("/nowhere/x");
  snprintf(path, sizeof path, "%s/d", folder);
  assert_int_equal(mkdir(path, 0777), 0);
  assert_int_equal(les_file_write(path, "a", 1), LES_FAILED); /* a folder stands there */
  rmdir(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read),
      cmocka_unit_test(an_empty_file),
      cmocka_unit_test(a_file_larger_than_its_size_says),
      cmocka_unit_test(failures_name_the_file_and_leave_the_old_one),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
