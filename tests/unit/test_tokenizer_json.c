#include "base/file.h"
#include "token/tokenizer.h"
#include "unit.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <utf8proc.h>

static const char folder[] = TEST_DATA "/tokenizers";
static const char *const styles[] = {"gemma-style", "llama2-style", "llama3-style", "gpt2-style",
                                     "qwen2-style"};
enum { N_STYLES = sizeof styles / sizeof *styles };

static cJSON *read_json(const char *name) {
  char path[256], *text;
  size_t n;
  snprintf(path, sizeof path, "%s/%s.json", folder, name);
  assert_int_equal(les_file_read(path, &text, &n), LES_OK);
  cJSON *doc = cJSON_Parse(text);
  free(text);
  assert_non_null(doc);
  return doc;
}

static les_tokenizer *open_style(const char *name) {
  char path[256];
  les_tokenizer *tok;
  snprintf(path, sizeof path, "%s/%s.json", folder, name);
  if (les_tokenizer_open_json(&tok, path, NULL) != LES_OK) fail_msg("%s", les_message());
  return tok;
}

/* Opens a style with some of its keys replaced; "model" is merged, "added_tokens" appended. */
static les_status open_changed(les_tokenizer **tok, const char *base, const cJSON *changes) {
  cJSON *doc = read_json(base);
  const cJSON *change, *item;
  cJSON_ArrayForEach(change, changes) {
    cJSON *old = cJSON_GetObjectItemCaseSensitive(doc, change->string);
    if (!strcmp(change->string, "added_tokens")) {
      cJSON_ArrayForEach(item, change) cJSON_AddItemToArray(old, cJSON_Duplicate(item, true));
    } else if (!strcmp(change->string, "model")) {
      cJSON_ArrayForEach(item, change) {
        cJSON_DeleteItemFromObjectCaseSensitive(old, item->string);
        cJSON_AddItemToObject(old, item->string, cJSON_Duplicate(item, true));
      }
    } else {
      cJSON_DeleteItemFromObjectCaseSensitive(doc, change->string);
      cJSON_AddItemToObject(doc, change->string, cJSON_Duplicate(change, true));
    }
  }
  char dir[64], path[128], *text = cJSON_PrintUnformatted(doc);
  assert_int_equal(scratch_open(dir), 0);
  assert_int_equal(scratch_write(dir, "tokenizer.json", text, strlen(text), path), 0);
  les_status status = les_tokenizer_open_json(tok, path, NULL);
  unlink(path);
  rmdir(dir);
  free(text);
  cJSON_Delete(doc);
  return status;
}

static void expect_ids(const char *what, const char *text, const les_tokens *t, const cJSON *ids) {
  int i = 0;
  const cJSON *id;
  cJSON_ArrayForEach(id, ids) {
    if (i >= t->n || t->ids[i] != id->valueint)
      fail_msg("%s: '%s': token %d is not %d", what, text, i, id->valueint);
    i++;
  }
  if (i != t->n) fail_msg("%s: '%s': %d tokens, not %d", what, text, t->n, i);
}

static void expect_encoded(const les_tokenizer *tok, const char *what, const cJSON *c, bool bos, bool special,
                           const char *key) {
  const char *text = cJSON_GetObjectItem(c, "text")->valuestring;
  les_tokens t;
  assert_int_equal(les_encode(tok, text, strlen(text), &(les_encode_options){bos, special}, &t), LES_OK);
  expect_ids(what, text, &t, cJSON_GetObjectItem(c, key));
  les_tokens_free(&t);
}

static void expect_decoded(const les_tokenizer *tok, const char *what, const cJSON *c, const char *ids,
                           bool special, const char *key) {
  int32_t list[512];
  int n = 0;
  const cJSON *id;
  char *text;
  cJSON_ArrayForEach(id, cJSON_GetObjectItem(c, ids)) {
    assert_true(n < 512);
    list[n++] = id->valueint;
  }
  les_decode_options how = {.special = special, .document = true};
  assert_int_equal(les_decode_with(tok, list, n, &how, &text, NULL), LES_OK);
  const char *want = cJSON_GetObjectItem(c, key)->valuestring;
  if (strcmp(text, want)) fail_msg("%s: '%s' decoded, not '%s'", what, text, want);
  free(text);
}

static void styles_encode_and_decode(void **state) {
  (void)state;
  cJSON *doc = read_json("cases");
  for (int i = 0; i < N_STYLES; i++) {
    les_tokenizer *tok = open_style(styles[i]);
    const cJSON *c;
    cJSON_ArrayForEach(c, cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "cases"), styles[i])) {
      expect_encoded(tok, styles[i], c, false, true, "ids");
      expect_encoded(tok, styles[i], c, true, true, "ids_with_special");
      expect_decoded(tok, styles[i], c, "ids", true, "decoded");
    }
    les_tokenizer_close(&tok);
  }
  cJSON_Delete(doc);
}

/* The same vocabularies with other normalizers, pre-tokenizers, decoders, post-processors and added tokens.
 */
static void variants_encode_and_decode(void **state) {
  (void)state;
  cJSON *doc = read_json("variants");
  const cJSON *v, *c;
  cJSON_ArrayForEach(v, cJSON_GetObjectItem(doc, "variants")) {
    const char *name = cJSON_GetObjectItem(v, "name")->valuestring;
    les_tokenizer *tok;
    if (open_changed(&tok, cJSON_GetObjectItem(v, "base")->valuestring, cJSON_GetObjectItem(v, "changes")) !=
        LES_OK)
      fail_msg("%s: %s", name, les_message());
    cJSON_ArrayForEach(c, cJSON_GetObjectItem(v, "cases")) {
      expect_encoded(tok, name, c, true, true, "ids_with_special");
      expect_encoded(tok, name, c, true, false, "ids_plain");
      expect_decoded(tok, name, c, "ids_with_special", true, "decoded");
      expect_decoded(tok, name, c, "ids_with_special", false, "decoded_plain");
    }
    les_tokenizer_close(&tok);
  }
  cJSON_Delete(doc);
}

/* What random texts are made of, and what of it comes back. */
static const struct {
  const char *text, *valid;
} atoms[] = {
    {"a", "a"},
    {"The ", "The "},
    {" x", " x"},
    {"  ", "  "},
    {"\n", "\n"},
    {"\t", "\t"},
    {"\r\n", "\r\n"},
    {"1234", "1234"},
    {"'s", "'s"},
    {"...", "..."},
    {"é", "é"},
    {"e\u0301", "e\u0301"},
    {"\u0323\u0307", "\u0323\u0307"},
    {"각", "각"},
    {"\u1100\u1161\u11a8", "\u1100\u1161\u11a8"},
    {"東京", "東京"},
    {"🙂", "🙂"},
    {"👍🏽", "👍🏽"},
    {"👨\u200d👩", "👨\u200d👩"},
    {"हिन्दी", "हिन्दी"},
    {"العربية", "العربية"},
    {"\u00a0", "\u00a0"},
    {"\u3000", "\u3000"},
    {"\xc2\x85", "\xc2\x85"},
    {"\ufeff", "\ufeff"},
    {"▁", "▁"},
    {"<bos>", "<bos>"},
    {"<|eot_id|>", "<|eot_id|>"},
    {"Ġ", "Ġ"},
    {"\ufffd", "\ufffd"},
    {"\xff", "\ufffd"},
    {"\xc0\xaf", "\ufffd\ufffd"},
    {"\xe2\x82z", "\ufffdz"},
    {"\xf0\x9f\x99 ", "\ufffd "},
    {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
    {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
};
enum { N_ATOMS = sizeof atoms / sizeof *atoms, MOST_ATOMS = 24 };

static uint32_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
  return (uint32_t)(*state >> 33);
}

static void spaces_for_metas(char *text) {
  char *out = text;
  for (const char *in = text; *in;) {
    bool meta = !strncmp(in, "▁", 3);
    *out++ = meta ? ' ' : *in;
    in += meta ? 3 : 1;
  }
  *out = 0;
}

static void expect_round_trip(const les_tokenizer *tok, const char *style, const char *text,
                              const char *want) {
  les_tokens t;
  char *back;
  assert_int_equal(les_encode(tok, text, strlen(text), &(les_encode_options){.bos = true}, &t), LES_OK);
  les_decode_options how = {.document = true};
  assert_int_equal(les_decode_with(tok, t.ids, t.n, &how, &back, NULL), LES_OK);
  if (strcmp(back, want)) fail_msg("%s: '%s' came back as '%s', not '%s'", style, text, back, want);
  free(back);
  les_tokens_free(&t);
}

static void random_texts_come_back(void **state) {
  (void)state;
  for (int i = 0; i < N_STYLES; i++) {
    les_tokenizer *tok = open_style(styles[i]);
    uint64_t random = (uint64_t)i;
    for (int round = 0; round < 10000; round++) {
      char text[MOST_ATOMS * 32] = "", want[MOST_ATOMS * 32] = "";
      for (uint32_t n = next_random(&random) % MOST_ATOMS; n > 0; n--) {
        uint32_t atom = next_random(&random) % N_ATOMS;
        strcat(text, atoms[atom].text);
        strcat(want, atoms[atom].valid);
      }
      if (i < 2) spaces_for_metas(want);
      utf8proc_uint8_t *composed = i == 4 ? utf8proc_NFC((utf8proc_uint8_t *)want) : NULL;
      expect_round_trip(tok, styles[i], text, composed ? (char *)composed : want);
      free(composed);
    }
    les_tokenizer_close(&tok);
  }
}

static void null_characters_come_back(void **state) {
  (void)state;
  static const char text[] = "a\0\0 b";
  for (int i = 0; i < N_STYLES; i++) {
    les_tokenizer *tok = open_style(styles[i]);
    les_tokens t;
    char *back;
    size_t n;
    assert_int_equal(les_encode(tok, text, 5, &(les_encode_options){.bos = true}, &t), LES_OK);
    assert_int_equal(les_decode_with(tok, t.ids, t.n, &(les_decode_options){.document = true}, &back, &n),
                     LES_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(back, text, 5);
    free(back);
    les_tokens_free(&t);
    les_tokenizer_close(&tok);
  }
}

/* What is not supported is refused by name. */
static void refusals(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{\"model\": {\"type\": \"Unigram\"}}", "'Unigram' is not supported"},
      {"{\"model\": {\"end_of_word_suffix\": \"</w>\"}}", "end_of_word_suffix"},
      {"{\"model\": {\"dropout\": 0.1}}", "dropout"},
      {"{\"model\": {\"merges\": [\"qqq a\"]}}", "not in the vocabulary"},
      {"{\"model\": {\"merges\": [[\"a\"]]}}", "not two tokens"},
      {"{\"model\": {\"vocab\": {\"a\": 1e9}}}", "no id from 0"},
      {"{\"model\": {\"vocab\": {\"a\": -1}}}", "no id from 0"},
      {"{\"model\": {\"vocab\": []}}", "no vocab"},
      {"{\"normalizer\": {\"type\": \"Precompiled\"}}", "normalizer 'Precompiled'"},
      {"{\"pre_tokenizer\": {\"type\": \"UnicodeScripts\"}}", "pre_tokenizer 'UnicodeScripts'"},
      {"{\"decoder\": {\"type\": \"CTC\"}}", "decoder 'CTC'"},
      {"{\"post_processor\": {\"type\": \"New\"}}", "post_processor 'New'"},
      {"{\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": []}}", "0 times instead of once"},
      {"{\"pre_tokenizer\": {\"type\": \"Split\", \"behavior\": \"Shredded\"}}", "'Shredded'"},
      {"{\"pre_tokenizer\": {\"type\": \"Split\", \"behavior\": \"Isolated\", \"pattern\": {\"Regex\": "
       "\"(a\"}}}",
       "cannot be compiled"},
      {"{\"pre_tokenizer\": {\"type\": \"Split\", \"behavior\": \"Isolated\", \"pattern\": {\"Regex\": "
       "\"\\\\p{Nonesuch}\"}}}",
       "cannot be compiled"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cJSON *changes = cJSON_Parse(cases[i][0]);
    assert_non_null(changes);
    les_tokenizer *tok;
    if (open_changed(&tok, "gpt2-style", changes) == LES_OK) fail_msg("%s is accepted", cases[i][0]);
    assert_null(tok);
    assert_message("tokenizer.json");
    assert_message(cases[i][1]);
    cJSON_Delete(changes);
  }
}

/* A pattern that backtracks too much is an error of the text that meets it. */
static void catastrophic_patterns_fail(void **state) {
  (void)state;
  cJSON *changes = cJSON_Parse("{\"pre_tokenizer\": {\"type\": \"Split\", \"behavior\": \"Isolated\", "
                               "\"pattern\": {\"Regex\": \"(a|aa)+$\"}}}");
  les_tokenizer *tok;
  assert_int_equal(open_changed(&tok, "gpt2-style", changes), LES_OK);
  les_tokens t;
  static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
  assert_int_equal(les_encode(tok, text, sizeof text - 1, &(les_encode_options){0}, &t), LES_FAILED);
  assert_message("cannot be matched");
  assert_null(t.ids);
  les_tokenizer_close(&tok);
  cJSON_Delete(changes);
}

/* tokenizer_config.json has the last word on BOS for the classes that transformers treats so. */
static void config_sets_bos(void **state) {
  (void)state;
  static const struct {
    const char *config;
    int32_t bos;
  } cases[] = {
      {"{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": false}", -1},
      {"{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": true, \"bos_token\": \"<eos>\"}", 1},
      {"{\"tokenizer_class\": \"PreTrainedTokenizerFast\", \"add_bos_token\": false}", 1},
      {"{}", 1},
  };
  char dir[64], path[128];
  assert_int_equal(scratch_open(dir), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_tokenizer *tok;
    assert_int_equal(scratch_write(dir, "config.json", cases[i].config, strlen(cases[i].config), path), 0);
    assert_int_equal(les_tokenizer_open_json(&tok, TEST_DATA "/tokenizers/llama2-style.json", path), LES_OK);
    assert_int_equal(les_tokenizer_bos(tok), cases[i].bos);
    les_tokenizer_close(&tok);
  }
  unlink(path);
  rmdir(dir);
}

static void write_file(const char *dir, const char *name, const char *text) {
  char path[128];
  if (text)
    assert_int_equal(scratch_write(dir, name, text, strlen(text), path), 0);
  else
    snprintf(path, sizeof path, "%s/%s", dir, name), unlink(path);
}

/* transformers' bos_token_id, whether the token is put in front of texts or not. */
static void bos_id_of_a_folder(void **state) {
  (void)state;
  static const struct {
    const char *base, *config, *special;
    int32_t added, id;
  } cases[] = {
      {"gpt2-style", "{\"bos_token\": \"<|endoftext|>\"}", NULL, -1, 0},
      {"gpt2-style", "{\"bos_token\": {\"content\": \"<|endoftext|>\"}}", NULL, -1, 0},
      {"gpt2-style", "{\"bos_token\": null}", NULL, -1, -1},
      {"gpt2-style", "{\"bos_token\": null}", "{\"bos_token\": \"<|endoftext|>\"}", -1, -1},
      {"gpt2-style", "{}", "{\"bos_token\": \"<|endoftext|>\"}", -1, 0},
      {"gpt2-style", NULL, "{\"bos_token\": {\"content\": \"<|endoftext|>\"}}", -1, 0},
      {"gpt2-style", NULL, NULL, -1, -1},
      {"llama2-style", NULL, NULL, 1, 1},
  };
  char dir[64];
  assert_int_equal(scratch_open(dir), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_tokenizer *tok;
    cJSON *doc = read_json(cases[i].base);
    char *text = cJSON_PrintUnformatted(doc);
    write_file(dir, "tokenizer.json", text);
    write_file(dir, "tokenizer_config.json", cases[i].config);
    write_file(dir, "special_tokens_map.json", cases[i].special);
    assert_int_equal(les_tokenizer_open_folder(&tok, dir), LES_OK);
    assert_int_equal(les_tokenizer_bos(tok), cases[i].added);
    int32_t end = les_tokenizer_find(tok, "<|endoftext|>");
    assert_int_equal(les_tokenizer_bos_id(tok), cases[i].id == 0 ? end : cases[i].id);
    les_tokenizer_close(&tok);
    cJSON_Delete(doc);
    free(text);
  }
  write_file(dir, "tokenizer.json", NULL);
  write_file(dir, "tokenizer_config.json", NULL);
  write_file(dir, "special_tokens_map.json", NULL);
  rmdir(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(styles_encode_and_decode),
      cmocka_unit_test(variants_encode_and_decode),
      cmocka_unit_test(random_texts_come_back),
      cmocka_unit_test(null_characters_come_back),
      cmocka_unit_test(refusals),
      cmocka_unit_test(catastrophic_patterns_fail),
      cmocka_unit_test(config_sets_bos),
      cmocka_unit_test(bos_id_of_a_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
