#include "base/file.h"
#include "token/chat.h"
#include "token/tokenizer.h"
#include "unit.h"

#include <cjson/cJSON.h>
#include <stdio.h>

static const char model[] = TEST_DATA "/models/stories260K/";

static cJSON *read_json(const char *name) {
  char path[256], *text;
  size_t n;
  snprintf(path, sizeof path, "%s%s", model, name);
  assert_int_equal(les_file_read(path, &text, &n), LES_OK);
  cJSON *doc = cJSON_Parse(text);
  free(text);
  assert_non_null(doc);
  return doc;
}

static les_status open_path(les_tokenizer **tok, const char *path) {
  les_gguf *g;
  *tok = NULL;
  LES_TRY(les_gguf_open(&g, path));
  les_status status = les_tokenizer_open_gguf(tok, g);
  les_gguf_close(&g);
  return status;
}

static les_tokenizer *open_stories(void) {
  char path[256];
  les_tokenizer *tok;
  snprintf(path, sizeof path, "%sstories260K.gguf", model);
  if (open_path(&tok, path) != LES_OK) fail_msg("%s", les_message());
  return tok;
}

static int read_ids(const cJSON *list, int32_t ids[256]) {
  int n = 0;
  const cJSON *id;
  cJSON_ArrayForEach(id, list) {
    assert_true(n < 256);
    ids[n++] = id->valueint;
  }
  return n;
}

static void expect_tokens(const les_tokenizer *tok, const char *text, les_encode_options how,
                          const int32_t *want, int n) {
  les_tokens t;
  assert_int_equal(les_encode(tok, text, strlen(text), &how, &t), LES_OK);
  if (t.n != n || (n && memcmp(t.ids, want, (size_t)n * sizeof *want)))
    fail_msg("'%s' has other tokens", text);
  les_tokens_free(&t);
}

static void golden_texts(void **state) {
  (void)state;
  les_tokenizer *tok = open_stories();
  cJSON *doc = read_json("golden.json");
  const cJSON *s;
  cJSON_ArrayForEach(s, cJSON_GetObjectItem(doc, "sequences")) {
    int32_t ids[256];
    int n = read_ids(cJSON_GetObjectItem(s, "tokens"), ids);
    const char *text = cJSON_GetObjectItem(s, "text")->valuestring;
    expect_tokens(tok, text, (les_encode_options){.bos = true}, ids, n);
    char *back;
    les_decode_options how = {.document = true};
    assert_int_equal(les_decode_with(tok, ids, n, &how, &back, NULL), LES_OK);
    assert_string_equal(back, text);
    free(back);
  }
  cJSON_Delete(doc);
  les_tokenizer_close(&tok);
}

/* A continuation is no start of a document: its space stays. */
static void golden_continuations(void **state) {
  (void)state;
  les_tokenizer *tok = open_stories();
  cJSON *doc = read_json("sweep_golden.json");
  const cJSON *c;
  cJSON_ArrayForEach(c, cJSON_GetObjectItem(doc, "cells")) {
    int32_t ids[256];
    int n = read_ids(cJSON_GetObjectItem(c, "lesioned_tokens"), ids);
    char *text;
    assert_int_equal(les_decode(tok, ids, n, &text), LES_OK);
    assert_string_equal(text, cJSON_GetObjectItem(c, "lesioned_text")->valuestring);
    free(text);
  }
  cJSON_Delete(doc);
  les_tokenizer_close(&tok);
}

static void continuations_have_no_null_characters(void **state) {
  (void)state;
  les_tokenizer *tok = open_stories();
  static const int32_t ids[] = {3, 403, 3}; /* <0x00>, "Once", <0x00> */
  char *text;
  assert_int_equal(les_decode(tok, ids, 3, &text), LES_OK);
  assert_string_equal(text, "\ufffd Once\ufffd");
  free(text);
  les_tokenizer_close(&tok);
}

static void special_tokens_count_if_asked_for(void **state) {
  (void)state;
  les_tokenizer *tok = open_stories();
  static const int32_t special[] = {1, 1, 410, 410, 259}; /* the third: the space put in front of a text */
  static const int32_t none[] = {1};
  assert_int_equal(les_tokenizer_bos(tok), 1);
  assert_int_equal(les_tokenizer_find(tok, "</s>"), 2);
  assert_int_equal(les_tokenizer_find(tok, "</s>s"), -1);
  expect_tokens(tok, "", (les_encode_options){.bos = true}, none, 1);
  expect_tokens(tok, "", (les_encode_options){0}, none, 0);
  expect_tokens(tok, "<s>", (les_encode_options){.special = true}, special, 1);
  expect_tokens(tok, "<s>  t", (les_encode_options){.bos = true, .special = true}, special, 5);
  char *text;
  assert_int_equal(les_decode_with(tok, special, 2, &(les_decode_options){.special = true}, &text, NULL),
                   LES_OK);
  assert_string_equal(text, "<s><s>");
  free(text);
  assert_int_equal(les_decode(tok, special, 2, &text), LES_OK);
  assert_string_equal(text, "");
  free(text);
  les_tokenizer_close(&tok);
}

static void ids_outside_are_errors(void **state) {
  (void)state;
  les_tokenizer *tok = open_stories();
  static const int32_t outside[] = {512, -1};
  char *text;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(les_decode(tok, outside + i, 1, &text), LES_FAILED);
    assert_null(text);
    assert_message("not in the vocabulary of 512");
  }
  les_chat *chat;
  assert_int_equal(les_chat_open(&chat, tok), LES_FAILED);
  assert_message("brings no chat template");
  les_tokenizer_close(&tok);
}

/* Bytes that no merge covers come back too, and broken ones as U+FFFD: one for each maximal subpart. */
static void bytes_fall_back(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"東京 \U0001f642", "東京 \U0001f642"},
                                         {" a", " a"},
                                         {"▁a", " a"},
                                         {"\xff\xfe", "\ufffd\ufffd"},
                                         {"\xe6\x9d", "\ufffd"},
                                         {"\xe6z", "\ufffdz"},
                                         {"\n", "\n"}};
  les_tokenizer *tok = open_stories();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_tokens t;
    char *text;
    assert_int_equal(
        les_encode(tok, cases[i][0], strlen(cases[i][0]), &(les_encode_options){.bos = true}, &t), LES_OK);
    assert_int_equal(les_decode_with(tok, t.ids, t.n, &(les_decode_options){.document = true}, &text, NULL),
                     LES_OK);
    assert_string_equal(text, cases[i][1]);
    free(text);
    les_tokens_free(&t);
  }
  les_tokenizer_close(&tok);
}

/* Time that grows with the square of the length would take minutes here. */
static void long_texts(void **state) {
  (void)state;
  les_tokenizer *tok = open_stories();
  enum { N = 1 << 18 };
  char *text = malloc(N), *back;
  assert_non_null(text);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < N; i++) text[i] = round == 0 ? ' ' : round == 1 ? 'a' : "once upon a time \n"[i % 18];
    les_tokens t;
    size_t n;
    assert_int_equal(les_encode(tok, text, N, &(les_encode_options){.bos = true}, &t), LES_OK);
    assert_int_equal(les_decode_with(tok, t.ids, t.n, &(les_decode_options){.document = true}, &back, &n),
                     LES_OK);
    assert_int_equal(n, N);
    assert_memory_equal(back, text, N);
    free(back);
    les_tokens_free(&t);
  }
  free(text);
  les_tokenizer_close(&tok);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(golden_texts),
      cmocka_unit_test(golden_continuations),
      cmocka_unit_test(continuations_have_no_null_characters),
      cmocka_unit_test(special_tokens_count_if_asked_for),
      cmocka_unit_test(ids_outside_are_errors),
      cmocka_unit_test(bytes_fall_back),
      cmocka_unit_test(long_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
