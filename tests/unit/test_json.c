#include "base/json.h"

#include "unit.h"

static void expect_float(float value, const char *text) {
  cJSON *number = les_json_float(value);
  char *printed = cJSON_PrintUnformatted(number);
  assert_string_equal(printed, text);
  free(printed);
  cJSON_Delete(number);
}

static void floats_are_as_short_as_they_can_be(void **state) {
  (void)state;
  expect_float(0.7f, "0.7");
  expect_float(0, "0");
  expect_float(1.0f / 3, "0.33333334");
  expect_float(16777217.0f, "16777216");
  expect_float(NAN, "null");
  expect_float(INFINITY, "null");
}

static void expect_number(double value, const char *text) {
  cJSON *number = les_json_number(value);
  char *printed = cJSON_PrintUnformatted(number);
  assert_string_equal(printed, text);
  free(printed);
  cJSON_Delete(number);
}

static void numbers_have_nine_digits(void **state) {
  (void)state;
  expect_number(2.0 / 3, "0.666666667");
  expect_number(-0.0, "0");
  expect_number(-INFINITY, "null");
}

static void strings_may_hold_what_looks_like_a_null(void **state) {
  (void)state;
  cJSON *doc;
  const char *fine = "{\"a\": \"\\\\u0000\"}", *bad = "{\"a\": \"\\\\\\u0000\"}";
  les_json_source source = {"x.json", 4};
  assert_int_equal(les_json_parse(&doc, fine, strlen(fine), source), LES_OK);
  assert_string_equal(cJSON_GetObjectItem(doc, "a")->valuestring, "\\u0000");
  cJSON_Delete(doc);
  assert_int_equal(les_json_parse(&doc, bad, strlen(bad), source), LES_FAILED);
  assert_message("x.json:4: holds a null character");
}

static void getters_leave_what_is_not_there(void **state) {
  (void)state;
  cJSON *doc = cJSON_Parse("{\"i\": 3, \"x\": 2.5, \"b\": true, \"s\": \"t\"}");
  int i = 7;
  double x = 1;
  bool b = false;
  const char *s = "old";
  assert_int_equal(les_json_get_int(doc, "none", "f", 0, 9, &i), LES_OK);
  assert_int_equal(i, 7);
  assert_int_equal(les_json_get_int(doc, "i", "f", 0, 9, &i), LES_OK);
  assert_int_equal(i, 3);
  assert_int_equal(les_json_get_int(doc, "i", "f", 0, 2, &i), LES_FAILED);
  assert_int_equal(les_json_get_int(doc, "x", "f", 0, 9, &i), LES_FAILED);
  assert_int_equal(les_json_get_number(doc, "x", "f", 0, 9, &x), LES_OK);
  assert_true(x == 2.5);
  assert_int_equal(les_json_get_bool(doc, "i", "f", &b), LES_FAILED);
  assert_int_equal(les_json_get_bool(doc, "b", "f", &b), LES_OK);
  assert_true(b);
  assert_int_equal(les_json_get_string(doc, "b", "f", &s), LES_FAILED);
  assert_int_equal(les_json_get_string(doc, "s", "f", &s), LES_OK);
  assert_string_equal(s, "t");
  cJSON_Delete(doc);
}

static int left; /* allocations before the one that fails */

static void *scarce(size_t n) {
  return left-- == 0 ? NULL : malloc(n);
}

static char *print_nested(void) {
  cJSON *doc = cJSON_CreateObject(), *list = les_json_add_array(doc, "list");
  les_json_add_string(les_json_add_object(list, NULL), "deep", "text");
  les_json_add_number(les_json_add_array(list, NULL), NULL, 3);
  les_json_add(doc, "rounded", les_json_number(0.5));
  les_json_add_null(doc, "null");
  char *text = cJSON_PrintUnformatted(doc);
  cJSON_Delete(doc);
  return text;
}

/* Each allocation fails once: what is missing deep inside must not be left out of what is printed. */
static void a_document_is_whole_or_none(void **state) {
  (void)state;
  cJSON_InitHooks(&(cJSON_Hooks){scarce, free});
  char *text = NULL;
  int n = 0;
  while (!text && n < 100) {
    left = n++;
    text = print_nested();
  }
  cJSON_InitHooks(NULL);
  assert_in_range(n, 15, 40);
  assert_string_equal(text, "{\"list\":[{\"deep\":\"text\"},[3]],\"rounded\":0.5,\"null\":null}");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(floats_are_as_short_as_they_can_be),
      cmocka_unit_test(numbers_have_nine_digits),
      cmocka_unit_test(strings_may_hold_what_looks_like_a_null),
      cmocka_unit_test(a_document_is_whole_or_none),
      cmocka_unit_test(getters_leave_what_is_not_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
