#include "measure/degeneration.h"

#include "base/file.h"
#include "unit.h"

#include <cjson/cJSON.h>

static void expect_loop(const char *letters, int length, int start, int count, int span) {
  int32_t tokens[128];
  int n = (int)strlen(letters);
  for (int i = 0; i < n; i++) tokens[i] = letters[i];
  les_loop loop = les_loop_find(tokens, n);
  if (loop.length != length || loop.start != start || loop.count != count || loop.span != span)
    fail_msg("%s: length %d, start %d, count %d, span %d", letters, loop.length, loop.start, loop.count,
             loop.span);
}

static void loops_are_found(void **state) {
  (void)state;
  expect_loop("xyzaaaaaaaaa", 1, 3, 9, 9);
  expect_loop("xyabcabcabcab", 3, 2, 3, 11);        /* broken off */
  expect_loop("ababababab", 2, 0, 5, 10);           /* the shortest phrase */
  expect_loop("qabcdabcdabcdzzuv", 4, 1, 3, 12);    /* left again */
  expect_loop("aaaaaaaabcbcbcbcbcbc", 2, 8, 6, 12); /* the longer of two: its b and c begin after the a */
}

static void what_is_no_loop(void **state) {
  (void)state;
  expect_loop("", 0, 0, 0, 0);
  expect_loop("aaaaaaa", 0, 0, 0, 0);    /* 7 tokens */
  expect_loop("abcdeabcde", 0, 0, 0, 0); /* twice */
  expect_loop("abcdefghijkl", 0, 0, 0, 0);
}

static void distinct_grams(void **state) {
  (void)state;
  const int32_t tokens[] = {1, 2, 1, 2, 1};
  double d[3];
  assert_int_equal(les_distinct(tokens, 5, d), LES_OK);
  assert_near(d[0], 2.0 / 5, 1e-15);
  assert_near(d[1], 2.0 / 4, 1e-15);
  assert_near(d[2], 2.0 / 3, 1e-15);
  assert_int_equal(les_distinct(tokens, 2, d), LES_OK);
  assert_true(d[0] == 1 && d[1] == 1 && isnan(d[2]));
  assert_int_equal(les_distinct(tokens, 0, d), LES_OK);
  assert_true(isnan(d[0]));
}

static void plain_words_are_known_or_not(void **state) {
  (void)state;
  les_words known, words;
  assert_int_equal(les_words_make_plain(&known, "\"Look,\" said Tom. -- It's a (big) ball!"), LES_OK);
  assert_int_equal(known.n, 7);
  assert_int_equal(les_words_make_plain(&words, "tom LOOK ... ball? zzz it's"), LES_OK);
  assert_near(les_words_known(&words, &known, NULL), 0.8, 1e-15);
  les_words_free(&words);
  assert_int_equal(les_words_make_plain(&words, " ... !"), LES_OK);
  assert_true(isnan(les_words_known(&words, &known, NULL)));
  les_words_free(&words);
  les_words_free(&known);
}

static void labels_come_in_order(void **state) {
  (void)state;
  les_signs s = {.nan = true,
                 .blank = true,
                 .same = true,
                 .n_tokens = 32,
                 .distinct_3 = 1,
                 .n_vocab = 512,
                 .logprob = -1,
                 .known = 1,
                 .loop = {1, 0, 32, 32}};
  const double uniform = -log(512);
  assert_int_equal(les_label_of(&s), LES_LABEL_NAN);
  s.nan = false;
  assert_int_equal(les_label_of(&s), LES_LABEL_EMPTY);
  s.blank = false;
  assert_int_equal(les_label_of(&s), LES_LABEL_INTACT);
  s.same = false;
  assert_int_equal(les_label_of(&s), LES_LABEL_REPETITION);
  s.loop = (les_loop){0};
  assert_int_equal(les_label_of(&s), LES_LABEL_DRIFTED);
  s.distinct_3 = 0.4;
  assert_int_equal(les_label_of(&s), LES_LABEL_REPETITION);
  s.distinct_3 = 1;
  s.logprob = 0.8 * uniform;
  assert_int_equal(les_label_of(&s), LES_LABEL_GIBBERISH);
  s.logprob = 0.5 * uniform;
  assert_int_equal(les_label_of(&s), LES_LABEL_DRIFTED);
  s.known = 0.3;
  assert_int_equal(les_label_of(&s), LES_LABEL_GIBBERISH);
  assert_string_equal(les_label_name(LES_LABEL_GIBBERISH), "gibberish");
  assert_null(les_label_name(LES_LABEL_NONE));
}

static les_label find_label(const char *name) {
  for (int i = 1; i < LES_N_LABELS; i++)
    if (!strcmp(name, les_label_name((les_label)i))) return (les_label)i;
  fail_msg("no label '%s'", name);
  return LES_LABEL_NONE;
}

/* The label that the rules give to one line of the labelled set. */
static les_label label_line(const cJSON *line, const les_words *known, bool same) {
  const char *text = cJSON_GetObjectItem(line, "text")->valuestring;
  const cJSON *logprob = cJSON_GetObjectItem(line, "logprob"), *id;
  int32_t tokens[512];
  int n = 0;
  cJSON_ArrayForEach(id, cJSON_GetObjectItem(line, "tokens")) tokens[n++] = id->valueint;
  double distinct[3];
  les_words words;
  assert_int_equal(les_distinct(tokens, n, distinct), LES_OK);
  assert_int_equal(les_words_make_plain(&words, text), LES_OK);
  les_signs s = {.same = same,
                 .blank = strspn(text, " \n") == strlen(text),
                 .n_tokens = n,
                 .loop = les_loop_find(tokens, n),
                 .distinct_3 = distinct[2],
                 .logprob = cJSON_IsNumber(logprob) ? logprob->valuedouble : NAN,
                 .known = les_words_known(&words, known, NULL),
                 .n_vocab = 512};
  les_words_free(&words);
  return les_label_of(&s);
}

/* Precision and recall of each label on 60 continuations labelled by hand: the table of docs/measures.md. */
static void labelled_continuations(void **state) {
  (void)state;
  char *text, *lines;
  size_t n;
  les_words known;
  int hits[LES_N_LABELS] = {0}, given[LES_N_LABELS] = {0}, truth[LES_N_LABELS] = {0}, total = 0;
  assert_int_equal(les_file_read(TEST_DATA "/failures/known.txt", &text, &n), LES_OK);
  assert_int_equal(les_words_make_plain(&known, text), LES_OK);
  assert_int_equal(les_file_read(TEST_DATA "/failures/continuations.jsonl", &lines, &n), LES_OK);
  for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"), total++) {
    cJSON *doc = cJSON_Parse(line);
    les_label want = find_label(cJSON_GetObjectItem(doc, "label")->valuestring);
    les_label got = label_line(doc, &known, want == LES_LABEL_INTACT);
    truth[want]++, given[got]++, hits[want] += want == got;
    if (want != got)
      print_message("%s, labelled %s: %s\n", les_label_name(got), les_label_name(want),
                    cJSON_GetObjectItem(doc, "text")->valuestring);
    cJSON_Delete(doc);
  }
  assert_int_equal(total, 60);
  for (int i = LES_LABEL_INTACT; i <= LES_LABEL_EMPTY; i++) {
    double precision = (double)hits[i] / given[i], recall = (double)hits[i] / truth[i];
    print_message("%-10s  n %2d  precision %.3f  recall %.3f\n", les_label_name((les_label)i), truth[i],
                  precision, recall);
    assert_true(precision >= 0.85 && recall >= 0.9);
  }
  les_words_free(&known);
  free(lines);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loops_are_found),      cmocka_unit_test(what_is_no_loop),
      cmocka_unit_test(distinct_grams),       cmocka_unit_test(plain_words_are_known_or_not),
      cmocka_unit_test(labels_come_in_order), cmocka_unit_test(labelled_continuations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
