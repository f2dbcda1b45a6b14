#include "base/text.h"

#include "unit.h"

static void words_are_split_at_unicode_space_and_lowered(void **state) {
  (void)state;
  les_words w;
  assert_int_equal(les_words_make(&w, " The\tCAT\u00a0the\u2003\u00c9t\u00c9 cat\x1c"
                                      "dog\n"),
                   LES_OK);
  const char *expected[] = {"cat", "dog", "the", "\u00e9t\u00e9"};
  assert_int_equal(w.n, 4);
  for (int i = 0; i < 4; i++) assert_string_equal(w.items[i], expected[i]);
  les_words_free(&w);
}

static void words_of_nothing(void **state) {
  (void)state;
  const char *texts[] = {"", " \t\n", "\u3000"};
  for (int i = 0; i < 3; i++) {
    les_words w;
    assert_int_equal(les_words_make(&w, texts[i]), LES_OK);
    assert_int_equal(w.n, 0);
    les_words_free(&w);
  }
}

static void zero_width_space_is_part_of_a_word(void **state) {
  (void)state;
  les_words w;
  assert_int_equal(les_words_make(&w, "a\u200bb"), LES_OK);
  assert_int_equal(w.n, 1);
  les_words_free(&w);
}

static void broken_bytes_become_replacement_characters(void **state) {
  (void)state;
  char text[65];
  memset(text, 0xff, 64);
  text[64] = 0;
  les_words w;
  assert_int_equal(les_words_make(&w, text), LES_OK);
  assert_int_equal(w.n, 1);
  assert_int_equal(strlen(w.items[0]), 3 * 64);
  les_words_free(&w);
}

/* U+023A has 2 bytes, its lower case U+2C65 has 3. */
static void lower_case_may_be_longer(void **state) {
  (void)state;
  les_words w;
  assert_int_equal(les_words_make(&w, "\u023a\u023a\u023a\u023a"), LES_OK);
  assert_string_equal(w.items[0], "\u2c65\u2c65\u2c65\u2c65");
  les_words_free(&w);
}

static void valid_utf8(void **state) {
  (void)state;
  assert_int_equal(les_text_valid("a\u00e9\U0001f600", 7), 7);
  assert_int_equal(les_text_valid("ab\xc3", 3), 2);        /* cut */
  assert_int_equal(les_text_valid("\xc0\x80", 2), 0);      /* overlong */
  assert_int_equal(les_text_valid("x\xed\xa0\x80", 4), 1); /* surrogate */
  assert_int_equal(les_text_valid("x\0y", 3), 1);
}

static void nearest_name(void **state) {
  (void)state;
  const char *names[] = {"model", "prompts", "measures"};
  assert_string_equal(les_text_nearest("modle", names, 3), "model");
  assert_string_equal(les_text_nearest("prompt", names, 3), "prompts");
  assert_null(les_text_nearest("xyz", names, 3));
  assert_null(les_text_nearest("", names, 3));
  char longest[200];
  memset(longest, 'm', 199);
  longest[199] = 0;
  assert_null(les_text_nearest(longest, names, 3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_split_at_unicode_space_and_lowered),
      cmocka_unit_test(words_of_nothing),
      cmocka_unit_test(zero_width_space_is_part_of_a_word),
      cmocka_unit_test(broken_bytes_become_replacement_characters),
      cmocka_unit_test(lower_case_may_be_longer),
      cmocka_unit_test(valid_utf8),
      cmocka_unit_test(nearest_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
