#include "data/prompts.h"

#include "unit.h"

static char folder[64];

static int set_up(void **state) {
  (void)state;
  return scratch_open(folder);
}

static int tear_down(void **state) {
  (void)state;
  return rmdir(folder);
}

static les_status read_text(const char *text, les_prompts *p) {
  char path[128];
  assert_int_equal(scratch_write(folder, "p.jsonl", text, strlen(text), path), 0);
  les_status s = les_prompts_read(p, path);
  unlink(path);
  return s;
}

static void lines_are_read(void **state) {
  (void)state;
  les_prompts p;
  assert_int_equal(
      read_text("{\"id\": \"a\", \"domain\": \"facts\", \"prompt\": \"The sun\", \"note\": 1}\r\n"
                "\n"
                "{\"id\": \"b\", \"domain\": \"logic\", \"prompt\": \"\", \"answer\": \"4\"}",
                &p),
      LES_OK);
  assert_int_equal(p.n, 2);
  assert_string_equal(p.items[0].text, "The sun");
  assert_null(p.items[0].answer);
  assert_string_equal(p.items[1].domain, "logic");
  assert_string_equal(p.items[1].text, "");
  assert_string_equal(p.items[1].answer, "4");
  assert_int_equal(strlen(p.sha256), 64);
  les_prompts_free(&p);
}

static void errors_name_file_and_line(void **state) {
  (void)state;
#define GOOD "{\"id\": \"a\", \"domain\": \"d\", \"prompt\": \"x\"}\n"
  static const struct {
    const char *text, *words;
  } cases[] = {
      {"", "holds no prompt"},
      {"\n\n", "holds no prompt"},
      {GOOD "{\"id\": \"b\"", "p.jsonl:2:11: not valid JSON"},
      {GOOD "\n{\"id\": \"b\", \"prompt\": \"x\"}\n", "p.jsonl:3: a prompt needs a string 'domain'"},
      {GOOD "{\"id\": 7, \"domain\": \"d\", \"prompt\": \"x\"}", ":2: a prompt needs a string 'id'"},
      {GOOD "{\"id\": \"\", \"domain\": \"d\", \"prompt\": \"x\"}", ":2: 'id' is empty"},
      {GOOD GOOD, "'a' is there twice"},
      {GOOD "[1]", ":2: a line has to be an object"},
      {GOOD "{\"id\": \"b\", \"domain\": \"d\", \"prompt\": \"\x80\"}", ":2:39: not valid UTF-8"},
      {GOOD "{\"id\": \"b\", \"domain\": \"d\", \"prompt\": \"\\ud800\"}", ":2:39: not valid JSON"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_prompts p;
    assert_int_equal(read_text(cases[i].text, &p), LES_FAILED);
    assert_null(p.items);
    assert_message(cases[i].words);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_read),
      cmocka_unit_test(errors_name_file_and_line),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
