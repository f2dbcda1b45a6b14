/* Texts as requests, by the rules of lm-evaluation-harness and llama.cpp, with the vocabulary of stories260K:
 * "Once upon a time there was" is 1 (begin) 403 407 261 378 383 286, of which "Once upon" is 1 403 407. */
#include "base/file.h"
#include "data/perplexity.h"
#include "data/request.h"
#include "engine/loglik.h"
#include "model/load.h"
#include "unit.h"

static les_model *model;
static les_request_rules rules;

static int open_model(void **state) {
  (void)state;
  if (les_model_open(&model, TEST_DATA "/models/stories260K/stories260K.gguf",
                     &(les_model_options){.no_sha256 = true}) != LES_OK)
    return -1;
  return les_loglik_rules(&rules, model, 0) == LES_OK ? 0 : -1;
}

static int close_model(void **state) {
  (void)state;
  les_model_close(&model);
  return 0;
}

static void check_request(const les_request_rules *with, const char *context, const char *continuation, int n,
                          int n_scored, const int32_t *tokens) {
  les_requests r = {0};
  assert_int_equal(les_request_add_pair(&r, with, context, continuation), LES_OK);
  assert_int_equal(r.n, 1);
  assert_int_equal(r.items[0].n, n);
  assert_int_equal(r.items[0].n_continuation, n_scored);
  assert_memory_equal(r.items[0].tokens, tokens, (size_t)n * sizeof *tokens);
  les_requests_free(&r);
}

static void test_pairs(void **state) {
  (void)state;
  const int32_t all[] = {1, 403, 407, 261, 378, 383, 286};
  check_request(&rules, "Once upon", " a time there was", 7, 4, all);
  check_request(&rules, "Once upon ", "a time there was", 7, 4, all); /* the space goes over */
  check_request(&rules, "Once upon \n", "x", 6, 3, (int32_t[]){1, 403, 407, 410, 13, 444});
  check_request(&rules, "", "Once upon", 3, 2, all);
  les_request_rules narrow = rules;
  narrow.max_length = 5; /* six tokens, of which five are read */
  check_request(&narrow, "Once upon", " a time there was", 6, 4, all + 1);
  les_requests r = {0};
  narrow.max_length = 3;
  assert_int_equal(les_request_add_pair(&r, &narrow, "Once upon", " a time there was"), LES_FAILED);
  assert_message("the continuation has 4 tokens, more than the 3");
  assert_int_equal(les_request_add_pair(&r, &rules, "Once upon", ""), LES_FAILED);
  assert_message("no tokens of its own");
  narrow.prefix = -1;
  assert_int_equal(les_request_add_pair(&r, &narrow, "", "Once upon"), LES_FAILED);
  assert_message("declares neither");
  les_requests_free(&r);
}

/* A window as lm-evaluation-harness's get_rolling_token_windows and make_disjoint_window give it. */
typedef struct window {
  int n, n_scored;
  int32_t tokens[8];
} window;

static void check_windows(int max_length, int n, const window *want) {
  les_requests r = {0};
  les_request_rules narrow = rules;
  narrow.max_length = max_length;
  assert_int_equal(les_request_add_rolling(&r, &narrow, "Once upon a time there was"), LES_OK);
  assert_int_equal(r.n, n);
  for (int i = 0; i < n; i++) {
    assert_int_equal(r.items[i].n, want[i].n);
    assert_int_equal(r.items[i].n_continuation, want[i].n_scored);
    assert_memory_equal(r.items[i].tokens, want[i].tokens, (size_t)want[i].n * sizeof(int32_t));
  }
  les_requests_free(&r);
}

static void test_rolling(void **state) {
  (void)state;
  check_windows(7, 1, (window[]){{8, 7, {1, 1, 403, 407, 261, 378, 383, 286}}});
  check_windows(
      6, 2, (window[]){{7, 6, {1, 1, 403, 407, 261, 378, 383}}, {7, 1, {1, 403, 407, 261, 378, 383, 286}}});
  check_windows(
      3, 3, (window[]){{4, 3, {1, 1, 403, 407}}, {4, 3, {407, 261, 378, 383}}, {4, 1, {261, 378, 383, 286}}});
}

static void test_chunks(void **state) {
  (void)state;
  les_requests r = {0};
  les_request_rules narrow = rules;
  narrow.max_length = 3; /* the second chunk begins with 261, and 286 is left over */
  assert_int_equal(les_request_add_chunks(&r, &narrow, "Once upon a time there was\n"), LES_OK);
  assert_int_equal(r.n, 2);
  assert_memory_equal(r.items[0].tokens, ((int32_t[]){1, 403, 407}), 3 * sizeof(int32_t));
  assert_memory_equal(r.items[1].tokens, ((int32_t[]){1, 378, 383}), 3 * sizeof(int32_t));
  assert_int_equal(r.items[1].n_continuation, 1);
  narrow.max_length = 4;
  assert_int_equal(les_request_add_chunks(&r, &narrow, "Once upon a time there was"), LES_FAILED);
  assert_message("has 7 tokens, fewer than two chunks of 4");
  les_requests_free(&r);
}

static void test_rules(void **state) {
  (void)state;
  les_request_rules r;
  assert_int_equal(les_loglik_rules(&r, model, 513), LES_USAGE);
  assert_message("the model's 512, not 513");
  assert_int_equal(les_loglik_rules(&r, model, 512), LES_OK);
  assert_int_equal(r.prefix, 1);
}

/* stories260K.gguf with its key add_bos_token set to false: a begin token that texts do not get. */
static void open_without_bos(les_tokenizer **tok, char path[128]) {
  static const char key[] = "tokenizer.ggml.add_bos_token";
  char dir[64], *bytes;
  size_t n;
  les_gguf *g;
  assert_int_equal(les_file_read(TEST_DATA "/models/stories260K/stories260K.gguf", &bytes, &n), LES_OK);
  char *at = memmem(bytes, n, key, sizeof key - 1);
  assert_non_null(at);
  at[sizeof key - 1 + 4] = 0; /* behind the type */
  assert_int_equal(scratch_open(dir), 0);
  assert_int_equal(scratch_write(dir, "no-bos.gguf", bytes, n, path), 0);
  free(bytes);
  assert_int_equal(les_gguf_open(&g, path), LES_OK);
  assert_int_equal(les_tokenizer_open_gguf(tok, g), LES_OK);
  les_gguf_close(&g);
  unlink(path);
  rmdir(dir);
}

/* lm-evaluation-harness's prefix_token_id is the tokenizer's bos_token_id, put in front of texts or not, and
 * its eos_token_id only if there is none. */
static void test_prefix_of_a_tokenizer_that_adds_no_bos(void **state) {
  (void)state;
  char path[128];
  les_tokenizer *tok;
  les_request_rules r;
  les_requests requests = {0};
  open_without_bos(&tok, path);
  assert_int_equal(les_tokenizer_bos(tok), -1);
  assert_int_equal(les_request_rules_make(&r, tok, 2, 512, 0), LES_OK);
  assert_int_equal(r.prefix, 1);
  assert_int_equal(les_request_add_rolling(&requests, &r, "Once upon a"), LES_OK);
  assert_int_equal(les_request_add_pair(&requests, &r, "", "Once upon a"), LES_OK);
  assert_int_equal(les_request_add_pair(&requests, &r, "", "<s>Once"), LES_OK); /* its own first token */
  for (int i = 0; i < 2; i++) {
    assert_int_equal(requests.items[i].n, 4);
    assert_int_equal(requests.items[i].n_continuation, 3);
    assert_memory_equal(requests.items[i].tokens, ((int32_t[]){1, 403, 407, 261}), 4 * sizeof(int32_t));
  }
  assert_int_equal(requests.items[2].tokens[0], 1);
  assert_int_equal(requests.items[2].n - requests.items[2].n_continuation, 1);
  les_requests_free(&requests);
  les_tokenizer_close(&tok);
}

static void test_text_scores(void **state) {
  (void)state;
  les_score scores[LES_MOST_SCORES];
  les_perplexity t = {.rule = LES_RULE_LM_EVAL};
  assert_int_equal(les_perplexity_add(&t, &rules, "Once upon\n", 10), LES_OK);
  assert_int_equal(les_perplexity_add(&t, &rules, "a time", 6), LES_OK);
  assert_int_equal(t.words, 5); /* the empty word behind the newline counts */
  assert_int_equal(t.bytes, 16);
  assert_int_equal(t.requests.n, 2);
  assert_int_equal(les_perplexity_finish(&t, (les_loglik[]){{-7, 0}, {-3, 0}}, scores), 3);
  assert_near(scores[0].value, exp(2), 1e-12);
  assert_near(scores[1].value, exp(10.0 / 16), 1e-12);
  assert_near(scores[2].value, 10.0 / 16 / log(2), 1e-12);
  assert_int_equal(les_perplexity_add(&t, &rules, "a\0b", 3), LES_FAILED);
  assert_message("null character at byte 1");
  les_perplexity_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pairs),       cmocka_unit_test(test_rolling),
      cmocka_unit_test(test_chunks),      cmocka_unit_test(test_rules),
      cmocka_unit_test(test_text_scores), cmocka_unit_test(test_prefix_of_a_tokenizer_that_adds_no_bos),
  };
  return cmocka_run_group_tests(tests, open_model, close_model);
}
