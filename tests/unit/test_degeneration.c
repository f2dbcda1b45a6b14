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
  s.distinct_3 = 0.66;
  assert_int_equal(les_label_of(&s), LES_LABEL_REPETITION);
  s.distinct_3 = 1;
  s.logprob = 0.8 * uniform;
  assert_int_equal(les_label_of(&s), LES_LABEL_GIBBERISH);
  s.n_tokens = 15;
  assert_int_equal(les_label_of(&s), LES_LABEL_DRIFTED);
  s.n_tokens = 16;
  s.logprob = 0.5 * uniform;
  assert_int_equal(les_label_of(&s), LES_LABEL_DRIFTED);
  s.symbols = 0.1;
  assert_int_equal(les_label_of(&s), LES_LABEL_GIBBERISH);
  s.logprob = 0.24 * uniform;
  s.symbols = 0.9;
  assert_int_equal(les_label_of(&s), LES_LABEL_DRIFTED);
  s.logprob = -3.6;
  s.symbols = 0;
  s.n_vocab = 50000;
  assert_int_equal(les_label_of(&s), LES_LABEL_DRIFTED);
  s.greedy = true;
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

static double number_of(const cJSON *line, const char *key, double fallback) {
  const cJSON *value = cJSON_GetObjectItem(line, key);
  return cJSON_IsNumber(value) ? value->valuedouble : fallback;
}

/* The label that the rules give to one line of a labelled set. */
static les_label label_line(const cJSON *line, bool same) {
  const char *text = cJSON_GetObjectItem(line, "text")->valuestring;
  const cJSON *id;
  int32_t tokens[512];
  int n = 0;
  cJSON_ArrayForEach(id, cJSON_GetObjectItem(line, "tokens")) tokens[n++] = id->valueint;
  double distinct[3];
  assert_int_equal(les_distinct(tokens, n, distinct), LES_OK);
  les_signs s = {.same = same,
                 .blank = strspn(text, " \n") == strlen(text),
                 .n_tokens = n,
                 .loop = les_loop_find(tokens, n),
                 .distinct_3 = distinct[2],
                 .logprob = number_of(line, "logprob", NAN),
                 .greedy = number_of(line, "temperature", 0) == 0,
                 .symbols = les_text_symbols(text),
                 .n_vocab = (int)number_of(line, "n_vocab", 512)};
  return les_label_of(&s);
}

/* How often the rules' labels are the labels given by hand. */
typedef struct agreement {
  int hits[LES_N_LABELS], given[LES_N_LABELS], truth[LES_N_LABELS];
} agreement;

static double precision(const agreement *a, les_label label) {
  return (double)a->hits[label] / a->given[label];
}

static double recall(const agreement *a, les_label label) {
  return (double)a->hits[label] / a->truth[label];
}

/* Counts the lines of tests/data/failures/NAME whose "set" is `set` (NULL: all lines), and prints them. */
static void agree(agreement *out, const char *name, const char *set) {
  char path[256], *lines;
  size_t n;
  *out = (agreement){0};
  snprintf(path, sizeof path, TEST_DATA "/failures/%s", name);
  assert_int_equal(les_file_read(path, &lines, &n), LES_OK);
  for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
    cJSON *doc = cJSON_Parse(line);
    assert_non_null(doc);
    if (!set || !strcmp(cJSON_GetObjectItem(doc, "set")->valuestring, set)) {
      les_label want = find_label(cJSON_GetObjectItem(doc, "label")->valuestring);
      les_label got = label_line(doc, want == LES_LABEL_INTACT);
      out->truth[want]++, out->given[got]++, out->hits[want] += want == got;
    }
    cJSON_Delete(doc);
  }
  free(lines);
  for (int i = LES_LABEL_INTACT; i <= LES_LABEL_EMPTY; i++)
    print_message("%-10s  n %2d  precision %.3f  recall %.3f\n", les_label_name((les_label)i), out->truth[i],
                  precision(out, (les_label)i), recall(out, (les_label)i));
}

static void expect(const agreement *a, les_label label, int n, double least_precision, double least_recall) {
  assert_int_equal(a->truth[label], n);
  if (!(precision(a, label) >= least_precision && recall(a, label) >= least_recall))
    fail_msg("%s: precision %.3f, recall %.3f", les_label_name(label), precision(a, label), recall(a, label));
}

/* Continuations of two trained models labelled by hand: the table of docs/measures.md. The thresholds were
 * set on one set, the other was labelled afterwards. */
static void continuations_of_trained_models(void **state) {
  (void)state;
  agreement a;
  agree(&a, "real.jsonl", "development");
  expect(&a, LES_LABEL_INTACT, 4, 1, 1);
  expect(&a, LES_LABEL_DRIFTED, 71, 0.9, 0.9);
  expect(&a, LES_LABEL_REPETITION, 80, 0.9, 0.9);
  expect(&a, LES_LABEL_GIBBERISH, 41, 0.9, 0.9);
  expect(&a, LES_LABEL_EMPTY, 4, 1, 1);
  agree(&a, "real.jsonl", "held");
  expect(&a, LES_LABEL_INTACT, 9, 1, 1);
  expect(&a, LES_LABEL_DRIFTED, 39, 0.9, 0.9);
  expect(&a, LES_LABEL_REPETITION, 42, 0.9, 0.9);
  expect(&a, LES_LABEL_GIBBERISH, 21, 0.8, 0.8);
  expect(&a, LES_LABEL_EMPTY, 1, 1, 1);
}

/* Continuations of a model of 260 thousand parameters, on which no threshold was set. */
static void continuations_of_a_toy(void **state) {
  (void)state;
  agreement a;
  agree(&a, "continuations.jsonl", NULL);
  expect(&a, LES_LABEL_INTACT, 3, 1, 1);
  expect(&a, LES_LABEL_DRIFTED, 23, 0.95, 0.85);
  expect(&a, LES_LABEL_REPETITION, 16, 0.8, 0.95);
  expect(&a, LES_LABEL_GIBBERISH, 15, 0.9, 0.9);
  expect(&a, LES_LABEL_EMPTY, 3, 1, 1);
}

static void symbols_are_counted(void **state) {
  (void)state;
  assert_near(les_text_symbols("a b\u00e9 \u0646"), 0, 1e-15);
  assert_near(les_text_symbols("x=1\n"), 0.75, 1e-15);
  assert_near(les_text_symbols("\xff"), 1, 1e-15);
  assert_true(isnan(les_text_symbols("")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loops_are_found),        cmocka_unit_test(what_is_no_loop),
      cmocka_unit_test(distinct_grams),         cmocka_unit_test(plain_words_are_known_or_not),
      cmocka_unit_test(labels_come_in_order),   cmocka_unit_test(continuations_of_trained_models),
      cmocka_unit_test(continuations_of_a_toy), cmocka_unit_test(symbols_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
