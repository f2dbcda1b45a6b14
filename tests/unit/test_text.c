#include "base/text.h"

#include "unit.h"

#include <utf8proc.h>

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

static void utf8_comes_back(void **state) {
  (void)state;
  for (int32_t c = 0; c < 0x110000; c++) {
    if (c >= 0xd800 && c < 0xe000) continue; /* surrogates */
    char bytes[4];
    int32_t back;
    size_t n = les_utf8_encode(bytes, c);
    assert_int_equal(les_utf8_next(bytes, n, &back), n);
    assert_int_equal(back, c);
    assert_int_equal(les_utf8_back(bytes, n), 0);
  }
  int32_t c;
  assert_int_equal(les_utf8_next("\xe2\x82", SIZE_MAX, &c), 2); /* cut by the end of the string */
  assert_int_equal(c, -1);
}

/* By the properties that Python's definition names. */
static void white_space_is_pythons(void **state) {
  (void)state;
  for (int32_t c = 0; c < 0x110000; c++) {
    const utf8proc_property_t *p = utf8proc_get_property(c);
    bool space = p->category == UTF8PROC_CATEGORY_ZS || p->bidi_class == UTF8PROC_BIDI_CLASS_WS ||
                 p->bidi_class == UTF8PROC_BIDI_CLASS_B || p->bidi_class == UTF8PROC_BIDI_CLASS_S;
    if (les_is_python_space(c) != space) fail_msg("U+%04X", (unsigned)c);
    assert_int_equal(les_is_white_space(c), space && (c < 0x1c || c > 0x1f));
  }
}

static void white_space_at_the_ends(void **state) {
  (void)state;
  static const char text[] = "\u3000 \x1c a\u00e9 b\u2003\n";
  size_t n = strlen(text);
  assert_int_equal(les_text_leading(text, n, les_is_white_space), 4);
  assert_int_equal(les_text_leading(text, SIZE_MAX, les_is_python_space), 6);
  assert_int_equal(les_text_trailing(text, n, les_is_white_space), 4);
  assert_int_equal(les_text_leading(" \n", 2, les_is_white_space), 2);
  assert_int_equal(les_text_trailing(" \n", 2, les_is_white_space), 2);
  assert_int_equal(les_text_trailing("", 0, les_is_white_space), 0);
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
      cmocka_unit_test(utf8_comes_back),
      cmocka_unit_test(white_space_is_pythons),
      cmocka_unit_test(white_space_at_the_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
