#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "token/chat.h"
#include "token/jinja.h"

#include "unit.h"

#define CHAT TEST_DATA "/chat/"

static cJSON *golden, *conversations;

static int set_up(void **state) {
  (void)state;
  return les_json_read(&golden, CHAT "golden.json") == LES_OK &&
                 les_json_read(&conversations, CHAT "conversations.json") == LES_OK
             ? 0
             : -1;
}

static int tear_down(void **state) {
  (void)state;
  cJSON_Delete(golden);
  cJSON_Delete(conversations);
  return 0;
}

static const cJSON *get(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* Renders a template; *out is malloc'ed. */
static les_status render(const char *template, const cJSON *variables, char **out) {
  les_jinja *t;
  les_buffer text = {0};
  *out = NULL;
  LES_TRY(les_jinja_open(&t, template, strlen(template)));
  les_buffer_append(&text, "", 0);
  les_status status = les_jinja_render(t, variables, &text);
  les_jinja_close(&t);
  if (status == LES_OK)
    *out = text.data;
  else
    les_buffer_free(&text);
  return status;
}

/* What Jinja renders, so do we, to the byte; where it fails, so do we. */
static void snippets_are_as_in_jinja(void **state) {
  (void)state;
  const cJSON *item;
  int n = 0;
  cJSON_ArrayForEach(item, get(golden, "snippets")) {
    const char *template = get(item, "template")->valuestring,
               *want = cJSON_GetStringValue(get(item, "text"));
    char *text;
    les_status status = render(template, get(golden, "variables"), &text);
    if ((status == LES_OK) != (want != NULL)) fail_msg("%s: %s", template, want ? les_message() : text);
    if (want && strcmp(text, want) != 0) fail_msg("%s gives\n'%s', not\n'%s'", template, text, want);
    free(text);
    n++;
  }
  assert_true(n > 100);
}

/* A model's folder that has the tests' tokenizer and a template. */
static les_status open_folder(les_tokenizer **tok, const char *template) {
  char folder[64], path[128], config[128], jinja[128], *from = les_path_join(CHAT "templates", template);
  static const char text[] = "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\"},"
                             " \"chat_template\": \"that of the file goes before this\"}";
  assert_int_equal(scratch_open(folder), 0);
  assert_int_equal(scratch_write(folder, "tokenizer_config.json", text, strlen(text), config), 0);
  snprintf(path, sizeof path, "%s/tokenizer.json", folder);
  snprintf(jinja, sizeof jinja, "%s/chat_template.jinja", folder);
  assert_int_equal(symlink(CHAT "tokenizer.json", path), 0);
  assert_int_equal(symlink(from, jinja), 0);
  les_status status = les_tokenizer_open_folder(tok, folder);
  unlink(path), unlink(config), unlink(jinja), rmdir(folder), free(from);
  return status;
}

static void compare(const les_chat *chat, const char *name, const cJSON *messages, const cJSON *want) {
  les_tokens tokens;
  les_buffer text = {0};
  les_status status = les_chat_render(chat, messages, &text);
  if (get(want, "error")) {
    assert_int_equal(status, LES_FAILED);
    assert_message(get(want, "error")->valuestring);
    les_buffer_free(&text);
    return;
  }
  if (status != LES_OK) fail_msg("%s, %s: %s", name, messages->string, les_message());
  if (strcmp(text.data, get(want, "text")->valuestring) != 0)
    fail_msg("%s, %s gives\n'%s', not\n'%s'", name, messages->string, text.data,
             get(want, "text")->valuestring);
  les_buffer_free(&text);
  assert_int_equal(les_chat_encode(chat, messages, &tokens), LES_OK);
  const cJSON *id = get(want, "tokens")->child;
  for (int i = 0; i < tokens.n; i++, id = id->next)
    if (!id || id->valueint != tokens.ids[i]) fail_msg("%s, %s: token %d", name, messages->string, i);
  assert_null(id);
  les_tokens_free(&tokens);
}

/* Text and tokens of the templates of models, each with each conversation, are those of transformers. */
static void templates_are_as_in_transformers(void **state) {
  (void)state;
  const cJSON *template, *messages;
  int n = 0;
  cJSON_ArrayForEach(template, get(golden, "templates")) {
    char file[128];
    les_tokenizer *tok;
    les_chat *chat;
    snprintf(file, sizeof file, "%s.jinja", template->string);
    if (open_folder(&tok, file) != LES_OK) fail_msg("%s: %s", file, les_message());
    if (les_chat_open(&chat, tok) != LES_OK) fail_msg("%s: %s", file, les_message());
    assert_int_equal(strlen(les_chat_sha256(chat)), 64);
    cJSON_ArrayForEach(messages, conversations) {
      compare(chat, template->string, messages, get(template, messages->string));
      n++;
    }
    les_chat_close(&chat);
    les_tokenizer_close(&tok);
  }
  assert_true(n >= 100);
}

static void unknown_constructs_are_named(void **state) {
  (void)state;
  static const struct {
    const char *template, *words;
  } cases[] = {
      {"a\n{{ 'x' | frobnicate }}", "line 2 of the chat template: the filter 'frobnicate' is not supported"},
      {"\n\n{% include 'x' %}", "line 3 of the chat template: the tag 'include' is not supported"},
      {"{{ 1 is frobnicated }}", "the test 'frobnicated' is not supported"},
      {"{{ 'a'.zfill(2) }}", "the method 'zfill' of a string is not supported"},
      {"{{ 2 ** 3 }}", "the operator ** is not supported"},
      {"{% for x in [1] recursive %}{% endfor %}", "recursive is not supported"},
      {"{{ 'a' | trim('x', 'y') }}", "the filter 'trim' has an argument that is not supported"},
      {"{{ f(*x) }}", "arguments with * are not supported"},
      {"{{ cycler('a') }}", "'cycler' is not supported"},
      {"{{ words | map('upper') }}", "a generator cannot be written as text"},
      {"{{ words | select | length }}", "a generator has no length"},
      {"{% set g = words | map('upper') %}{{ g | join }}{{ g | join }}", "gone through twice"},
      {"{{ raise_exception('Only one turn!') }}", "refuses the conversation: Only one turn!"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text;
    assert_int_equal(render(cases[i].template, get(golden, "variables"), &text), LES_FAILED);
    assert_message(cases[i].words);
  }
}

/* Templates come with models and are not trusted. */
static void hostile_templates_end(void **state) {
  (void)state;
  static const struct {
    const char *template, *words;
  } cases[] = {
      {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nested too deep"},
      {"{% for a in range(999999) %}{% for b in range(999999) %}{% endfor %}{% endfor %}", "more than"},
      {"{% set n = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
       "more than"},
      {"{% set n = namespace(l=[]) %}{% for i in range(9999) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l }}",
       "nested too deep"},
      {"{{ 'ab' * 9999999999 }}", "more than"},
      {"{{ 9223372036854775807 + 1 }}", "out of range"},
      {"{{ 1 // 0 }}", "division by zero"},
      {"{{ '\\0' }}", "null character"},
      {"{{ '\\ud800' }}", "is no character"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text;
    assert_int_equal(render(cases[i].template, get(golden, "variables"), &text), LES_FAILED);
    assert_message(cases[i].words);
  }
  char deep[5000] = "{{ ", *text;
  memset(deep + 3, '(', 2000);
  memset(deep + 2003, ')', 2000);
  strcpy(deep + 4003, " }}");
  assert_int_equal(render(deep, get(golden, "variables"), &text), LES_FAILED);
  assert_message("nested too deep");
}

/* Of several templates the one named default; a system message and what a chat may not be. */
static void conversations_are_checked(void **state) {
  (void)state;
  static const struct {
    const char *messages, *words;
  } cases[] = {
      {"[]", "has to be a list"},
      {"{}", "has to be a list"},
      {"[{\"role\": \"user\"}]", "a message needs a 'role' and a 'content'"},
      {"[{\"role\": \"user\", \"content\": [1]}]", "both strings"},
      {"[{\"role\": \"user\", \"content\": \"x\", \"reasoning\": \"y\"}]", "'reasoning' is not supported"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cJSON *messages = cJSON_Parse(cases[i].messages);
    assert_int_equal(les_chat_check(messages), LES_FAILED);
    assert_message(cases[i].words);
    cJSON_Delete(messages);
  }
  cJSON *made;
  assert_int_equal(les_chat_make(&made, "Be brief.", "Hi\xff", 2), LES_OK);
  assert_int_equal(cJSON_GetArraySize(made), 2);
  assert_string_equal(get(made->child->next, "content")->valuestring, "Hi");
  cJSON_Delete(made);
  assert_int_equal(les_chat_make(&made, NULL, "Hi\xff", 3), LES_FAILED);
}

static void named_templates_have_a_default(void **state) {
  (void)state;
  static const char *const configs[] = {("{\"chat_template\": [{\"name\": \"rag\", \"template\": \"r\"}, "
                                         "{\"name\": \"default\", \"template\": \"d\"}]}"),
                                        "{\"chat_template\": \"d\", \"bos_token\": \"<s>\"}",
                                        "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"r\"}]}"};
  char folder[64], config[128];
  assert_int_equal(scratch_open(folder), 0);
  for (int i = 0; i < 3; i++) {
    les_tokenizer *tok;
    les_chat *chat;
    les_buffer text = {0};
    assert_int_equal(scratch_write(folder, "tokenizer_config.json", configs[i], strlen(configs[i]), config),
                     0);
    assert_int_equal(les_tokenizer_open_json(&tok, CHAT "tokenizer.json", config), LES_OK);
    assert_int_equal(les_chat_open(&chat, tok), i < 2 ? LES_OK : LES_FAILED);
    if (chat) {
      assert_int_equal(les_chat_render(chat, conversations->child, &text), LES_OK);
      assert_string_equal(text.data, "d");
    } else {
      assert_message("brings no chat template");
    }
    les_buffer_free(&text);
    les_chat_close(&chat);
    les_tokenizer_close(&tok);
    unlink(config);
  }
  rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(snippets_are_as_in_jinja),     cmocka_unit_test(templates_are_as_in_transformers),
      cmocka_unit_test(unknown_constructs_are_named), cmocka_unit_test(hostile_templates_end),
      cmocka_unit_test(conversations_are_checked),    cmocka_unit_test(named_templates_have_a_default),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
