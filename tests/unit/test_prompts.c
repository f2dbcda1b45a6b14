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

static les_status read_named(const char *name, const char *text, les_prompts *p) {
  char path[128];
  assert_int_equal(scratch_write(folder, name, text, strlen(text), path), 0);
  les_status s = les_prompts_read(p, path);
  unlink(path);
  return s;
}

static les_status read_text(const char *text, les_prompts *p) {
  return read_named("p.jsonl", text, p);
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
      {GOOD "\n{\"id\": \"b\", \"domain\": \"x\"}\n",
       "p.jsonl:3: a prompt needs its text as 'prompt', 'text'"},
      {GOOD "{\"id\": [7], \"prompt\": \"x\"}", ":2: 'id' has to be a string or a number"},
      {GOOD "{\"prompt\": 7}", ":2: 'prompt' has to be a string"},
      {GOOD "{\"messages\": [{\"role\": \"user\"}]}", ":2: a message needs a 'role' and a 'content'"},
      {GOOD "{\"id\": \"\", \"domain\": \"d\", \"prompt\": \"x\"}", ":2: 'id' is empty"},
      {GOOD GOOD, "'a' is there twice"},
      {GOOD "[1]", ":2: a row has to be an object"},
      {GOOD "{\"id\": \"b\", \"domain\": \"d\", \"prompt\": \"\x80\"}", ":2: not valid UTF-8"},
      {GOOD "{\"id\": \"b\", \"domain\": \"d\", \"prompt\": \"\\ud800\"}", ":2:39: not valid JSON"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_prompts p;
    assert_int_equal(read_text(cases[i].text, &p), LES_FAILED);
    assert_null(p.items);
    assert_message(cases[i].words);
  }
}

/* Files as people have them: the text under another key, no ids, no domains, numbers. */
static void other_keys_are_read(void **state) {
  (void)state;
  les_prompts p;
  assert_int_equal(read_text("{\"text\": \"A\"}\n\n{\"question\": \"B\", \"id\": 17, \"answer\": 4}\n"
                             "{\"input\": \"C\", \"domain\": \"logic\"}\n"
                             "{\"text\": \"not this\", \"prompt\": \"D\"}",
                             &p),
                   LES_OK);
  static const char *const want[][3] = {
      {"1", "all", "A"}, {"17", "all", "B"}, {"3", "logic", "C"}, {"4", "all", "D"}};
  assert_int_equal(p.n, 4);
  for (int i = 0; i < 4; i++) {
    assert_string_equal(p.items[i].id, want[i][0]);
    assert_string_equal(p.items[i].domain, want[i][1]);
    assert_string_equal(p.items[i].text, want[i][2]);
  }
  assert_string_equal(p.items[1].answer, "4");
  les_prompts_free(&p);
}

static void conversations_are_read(void **state) {
  (void)state;
  les_prompts p;
  assert_int_equal(read_text("{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"},"
                             " {\"role\": \"assistant\", \"content\": \"Ho\"}]}",
                             &p),
                   LES_OK);
  assert_int_equal(cJSON_GetArraySize(p.items[0].messages), 2);
  assert_string_equal(p.items[0].text, "Hi\n\nHo");
  les_prompts_free(&p);
}

/* The same three prompts in each format, with a byte order mark and with either line end. */
static void formats_are_equal(void **state) {
  (void)state;
  static const char *const files[][2] = {
      {"p.jsonl",
       "\ufeff{\"prompt\": \"a, b\", \"id\": \"x\"}\r\n{\"prompt\": \"say \\\"hi\\\"\\ntwice\"}\r\n"
       "{\"prompt\": \" c\", \"answer\": \"4\"}\r\n"},
      {"p.json",
       "\ufeff\r\n[{\"prompt\": \"a, b\", \"id\": \"x\"},\n {\"prompt\": \"say \\\"hi\\\"\\ntwice\"},\n"
       " {\"prompt\": \" c\", \"answer\": \"4\"}]\n"},
      {"p.csv", "\ufeffid,prompt,answer\r\nx,\"a, b\",\r\n,\"say \"\"hi\"\"\ntwice\",\r\n\r\n\"\", c,4\r\n"},
      {"p.csv", "id,prompt,answer\nx,\"a, b\",\n,\"say \"\"hi\"\"\ntwice\",\n, c,\"4\""},
      {"p.tsv", "prompt\tanswer\tid\r\na, b\t\tx\r\n\"say \"\"hi\"\"\ntwice\"\t\t\r\n c\t4\t\r\n"}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    les_prompts p;
    if (read_named(files[i][0], files[i][1], &p) != LES_OK) fail_msg("%s: %s", files[i][0], les_message());
    assert_int_equal(p.n, 3);
    assert_string_equal(p.items[0].id, "x");
    assert_string_equal(p.items[0].text, "a, b");
    assert_null(p.items[0].answer);
    assert_string_equal(p.items[1].id, "2");
    assert_string_equal(p.items[1].text, "say \"hi\"\ntwice");
    assert_string_equal(p.items[2].text, " c");
    assert_string_equal(p.items[2].answer, "4");
    les_prompts_free(&p);
  }
}

static void table_errors_name_the_line(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      {"p.csv", "prompt,id\n\"x\ny\",1\nz\n", "p.csv:4: the row has 1 fields, the header 2"},
      {"p.csv", "prompt,prompt\na,b\n", "p.csv:1: the header has 'prompt' twice"},
      {"p.csv", "prompt\nx\n\"open\n", "p.csv:3: a quote is not closed"},
      {"p.csv", "prompt\nx\nan \"odd\" one\n", "p.csv:3: a quote is not closed, or stands inside of a field"},
      {"p.csv", "prompt,id\n,1\n", "p.csv:2: a prompt needs its text"},
      {"p.csv", "prompt\n", "holds no prompt"},
      {"p.csv", "", "holds no prompt"},
      {"p.csv", "prompt\n\xff\n", "p.csv:2: not valid UTF-8 (byte 0xff at offset 7)"},
      {"p.json", "[{\"prompt\": \"x\"}, {\"id\": \"y\"}]", "p.json:2: a prompt needs its text"},
      {"p.json", "[{\"prompt\": \"x\"},\n", "p.json:2:1: not valid JSON"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_prompts p;
    assert_int_equal(read_named(cases[i][0], cases[i][1], &p), LES_FAILED);
    assert_message(cases[i][2]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_read),      cmocka_unit_test(errors_name_file_and_line),
      cmocka_unit_test(other_keys_are_read), cmocka_unit_test(conversations_are_read),
      cmocka_unit_test(formats_are_equal),   cmocka_unit_test(table_errors_name_the_line),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
