#include "base/status.h"

#include "unit.h"

static void failed_allocations_are_said_in_one_way(void **state) {
  (void)state;
  assert_int_equal(les_no_memory("the logits of %d rows", 3), LES_FAILED);
  assert_string_equal(les_message(), "out of memory for the logits of 3 rows");
  assert_int_equal(les_fail_in(LES_FAILED, "model.gguf"), LES_FAILED);
  assert_string_equal(les_message(), "model.gguf: out of memory for the logits of 3 rows");
}

static void long_messages_are_cut(void **state) {
  (void)state;
  char text[2000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  les_no_memory("%s", text);
  assert_int_equal(strlen(les_message()), 1023);
  les_fail(LES_FAILED, "%s", text);
  assert_int_equal(strlen(les_message()), 1023);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(failed_allocations_are_said_in_one_way),
      cmocka_unit_test(long_messages_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
