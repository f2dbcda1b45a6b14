#include "token/pattern.h"
#include "unit.h"

#include <stdlib.h>
#include <time.h>

static les_pattern *open_regex(const char *regex) {
  les_pattern *p;
  if (les_pattern_open(&p, regex) != LES_OK) fail_msg("%s", les_message());
  return p;
}

static les_matcher *open_matcher(void) {
  les_matcher *m;
  assert_int_equal(les_matcher_open(&m), LES_OK);
  return m;
}

/* Expects the text with every match in brackets. */
static void expect_matches(les_pattern *p, const char *text, const char *want) {
  les_matcher *m = open_matcher();
  les_match_walk w = {.pattern = p, .matcher = m, .text = text, .n = strlen(text)};
  les_buffer out = {0};
  for (bool found = true; found;) {
    assert_int_equal(les_match_next(&w, &found), LES_OK);
    les_buffer_append(&out, text + w.gap, (found ? w.match.start : w.n) - w.gap);
    if (!found) break;
    les_buffer_append_byte(&out, '[');
    les_buffer_append(&out, text + w.match.start, w.match.end - w.match.start);
    les_buffer_append_byte(&out, ']');
  }
  assert_string_equal(out.data, want);
  les_buffer_free(&out);
  les_matcher_close(&m);
  les_pattern_close(&p);
}

/* Where Ruby's syntax differs from Perl's, and what only Oniguruma has. */
static void regexes_are_rubys(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      {"\\h+", "x1fg", "x[1f]g"},                   /* hexadecimal digits */
      {"^b$", "a\nb\nc", "a\n[b]\nc"},              /* lines, always */
      {"(?m:a.b)", "a\nb", "[a\nb]"},               /* the dot matches a newline */
      {"a{2}+", "aaaaa", "[aaaa]a"},                /* a repeated interval, not a possessive one */
      {"[a-z&&[aeiou]]+", "queue", "q[ueue]"},      /* an intersection */
      {"[[:alpha:]]+", "a\u00e9 1", "[a\u00e9] 1"}, /* Unicode in POSIX brackets */
      {"[a[bc]]+", "xcabx", "x[cab]x"},             /* a class within a class */
      {"\\s+", "a\u3000\u00a0b\u180e", "a[\u3000\u00a0]b\u180e"},
      {"\\p{Han}+", "a\u6771\u4eac\u3002", "a[\u6771\u4eac]\u3002"}, /* the script, not its extensions */
      {"\\p{^L}", "a1", "a[1]"},
      {"(?<q>['\"])x\\k<q>", "'x\" \"x\"", "'x\" [\"x\"]"},
      {"x*", "axb", "[]a[x]b[]"}, /* an empty match right behind another does not count */
      {"", "\u00e9", "[]\u00e9[]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    expect_matches(open_regex(cases[i][0]), cases[i][1], cases[i][2]);
}

static void literals_match_as_they_are(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      {".*", "a.*b.*", "a[.*]b[.*]"},
      {"aa", "aaaaa", "[aa][aa]a"},
      {"\u2581", "\u2581a\u2582", "[\u2581]a\u2582"},
      {"", "ab", "[]a[]b[]"},
      {"abc", "ab", "ab"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_pattern *p;
    assert_int_equal(les_pattern_open_literal(&p, cases[i][0], strlen(cases[i][0])), LES_OK);
    expect_matches(p, cases[i][1], cases[i][2]);
  }
}

static void errors_name_the_pattern(void **state) {
  (void)state;
  static const char *const broken[] = {"(a", "[", "\\p{Nonesuch}", "a\\", "(?<n>a)\\k<m>", "[b-a]"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    les_pattern *p;
    assert_int_equal(les_pattern_open(&p, broken[i]), LES_FAILED);
    assert_null(p);
    assert_message(broken[i]);
    assert_message("cannot be compiled");
  }
}

/* Patterns that would backtrack for a time exponential or quadratic in the length of the text, are
 * stopped by their bounds. */
static void searches_are_bounded(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"(a+)+$", "retry-limit-in-match"},
      {"(a|aa)+$", "retry-limit-in-match"},
      {"(?:[ab]|x)+c|q", "retry-limit-in-search"},
  };
  enum { N = 100000, MOST_SECONDS = 60 };
  char *text = malloc(N + 1);
  assert_non_null(text);
  memset(text, 'a', N);
  text[N] = '!';
  les_matcher *m = open_matcher();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_pattern *p = open_regex(cases[i][0]);
    bool found;
    clock_t start = clock();
    les_match_walk w = {.pattern = p, .matcher = m, .text = text, .n = N + 1};
    if (les_match_next(&w, &found) != LES_FAILED) fail_msg("'%s' is not stopped", cases[i][0]);
    assert_message("cannot be matched at byte 0");
    assert_message(cases[i][1]);
    if ((double)(clock() - start) / CLOCKS_PER_SEC > MOST_SECONDS) fail_msg("'%s' takes long", cases[i][0]);
    les_pattern_close(&p);
  }
  les_matcher_close(&m);
  free(text);
}

/* The searches of a text share one bound, so that many that each stay within theirs cannot add up. */
static void texts_are_bounded(void **state) {
  (void)state;
  enum { N = 300, MOST_SECONDS = 30 };
  char text[N];
  memset(text, 'a', N);
  les_matcher *m = open_matcher();
  les_pattern *p = open_regex("a{0,45}a{0,45}a{0,45}a{0,45}b|a");
  les_match_walk w = {.pattern = p, .matcher = m, .text = text, .n = N};
  clock_t start = clock();
  les_status status;
  for (bool found = true; (status = les_match_next(&w, &found)) == LES_OK && found;) continue;
  assert_int_equal(status, LES_FAILED);
  assert_message("retry-limit-in-search");
  assert_true((double)(clock() - start) / CLOCKS_PER_SEC < MOST_SECONDS);
  les_pattern_close(&p);
  les_matcher_close(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(regexes_are_rubys),       cmocka_unit_test(literals_match_as_they_are),
      cmocka_unit_test(errors_name_the_pattern), cmocka_unit_test(searches_are_bounded),
      cmocka_unit_test(texts_are_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
