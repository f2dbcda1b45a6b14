#include "measure/field.h"

#include "unit.h"

static void names_are_unique_and_found(void **state) {
  (void)state;
  for (int i = 0; i < LES_N_FIELDS; i++) assert_int_equal(les_field_find(les_fields[i].name), i);
  assert_int_equal(les_field_find("no such field"), -1);
}

static void groups_choose_fields(void **state) {
  (void)state;
  les_record_layout l;
  assert_int_equal(les_record_layout_compute(&l, (const char *[]){"kl"}, 1, 8, 5), LES_OK);
  assert_true(l.has[LES_FIELD_TOKENS] && l.has[LES_FIELD_KL_MEAN]);
  assert_false(l.has[LES_FIELD_JACCARD] || l.has[LES_FIELD_MEAN_NLL]);
  assert_int_equal(l.count[LES_FIELD_TOKENS], 8);
}

static void nothing_generated_leaves_out_continuations(void **state) {
  (void)state;
  les_record_layout l;
  assert_int_equal(les_record_layout_compute(&l, (const char *[]){"jaccard", "nll"}, 2, 0, 5), LES_OK);
  assert_false(l.has[LES_FIELD_TOKENS] || l.has[LES_FIELD_LENGTH] || l.has[LES_FIELD_JACCARD]);
  assert_true(l.has[LES_FIELD_DELTA_NLL]);
}

static void unknown_group_is_refused(void **state) {
  (void)state;
  les_record_layout l;
  assert_int_equal(les_record_layout_compute(&l, (const char *[]){"jacard"}, 1, 8, 5), LES_USAGE);
  assert_message("jacard");
}

static void fields_do_not_overlap(void **state) {
  (void)state;
  const char *groups[LES_N_FIELDS];
  les_record_layout l;
  assert_int_equal(les_record_layout_compute(&l, groups, les_group_list(groups), 7, 5), LES_OK);
  unsigned char *used = calloc(l.bytes, 1);
  for (int i = 0; i < LES_N_FIELDS; i++) {
    size_t size = les_field_size(les_fields[i].type);
    assert_true(l.has[i]);
    assert_int_equal(l.offset[i] % size, 0);
    for (size_t b = 0; b < size * (size_t)l.count[i]; b++) assert_int_equal(used[l.offset[i] + b]++, 0);
  }
  free(used);
  assert_int_equal(l.bytes % 4, 0);
}

static void a_cleared_record_holds_nothing(void **state) {
  (void)state;
  les_record_layout l;
  assert_int_equal(les_record_layout_compute(&l, (const char *[]){"kl"}, 1, 3, 5), LES_OK);
  char *record = malloc(l.bytes);
  les_record_clear(&l, record);
  int32_t token;
  float kl;
  for (int t = 0; t < 3; t++) {
    memcpy(&token, record + l.offset[LES_FIELD_TOKENS] + 4 * t, 4);
    assert_int_equal(token, -1);
  }
  memcpy(&kl, record + l.offset[LES_FIELD_KL_MEAN], 4);
  assert_true(isnan(kl));
  free(record);
}

static void fields_say_what_they_want_of_the_engine(void **state) {
  (void)state;
  static const struct {
    const char *group;
    int new_tokens;
    unsigned want;
  } cases[] = {{"jaccard", 8, 0},      {"nll", 0, LES_WANT_FORCED},
               {"kl", 8, LES_WANT_KL}, {"failure", 8, LES_WANT_LOGPROB_INTACT},
               {"failure", 0, 0},      {"trace", 0, LES_WANT_TRACE},
               {"tasks", 0, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_record_layout l;
    assert_int_equal(les_record_layout_compute(&l, &cases[i].group, 1, cases[i].new_tokens, 5), LES_OK);
    assert_int_equal(l.want, cases[i].want);
  }
}

static void one_measure_is_preferred(void **state) {
  (void)state;
  bool has[LES_N_FIELDS] = {[LES_FIELD_PERPLEXITY] = true};
  assert_int_equal(les_field_preferred(LES_PREFER_TEXT, has), -1);
  assert_int_equal(les_field_preferred(LES_PREFER_LOGITS, has), -1);
  has[LES_FIELD_DELTA_NLL] = true;
  assert_int_equal(les_field_preferred(LES_PREFER_TEXT, has), LES_FIELD_DELTA_NLL);
  assert_int_equal(les_field_preferred(LES_PREFER_LOGITS, has), -1);
  has[LES_FIELD_KL_MEAN] = true;
  assert_int_equal(les_field_preferred(LES_PREFER_TEXT, has), LES_FIELD_KL_MEAN);
  has[LES_FIELD_JACCARD] = true;
  assert_int_equal(les_field_preferred(LES_PREFER_TEXT, has), LES_FIELD_JACCARD);
  assert_int_equal(les_field_preferred(LES_PREFER_LOGITS, has), LES_FIELD_KL_MEAN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_unique_and_found),
      cmocka_unit_test(groups_choose_fields),
      cmocka_unit_test(nothing_generated_leaves_out_continuations),
      cmocka_unit_test(unknown_group_is_refused),
      cmocka_unit_test(fields_do_not_overlap),
      cmocka_unit_test(a_cleared_record_holds_nothing),
      cmocka_unit_test(fields_say_what_they_want_of_the_engine),
      cmocka_unit_test(one_measure_is_preferred),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
