#include "base/path.h"

#include "unit.h"

/* Compares and frees. */
static void assert_path(char *got, const char *want) {
  assert_non_null(got);
  assert_string_equal(got, want);
  free(got);
}

static void the_folder_of_a_file(void **state) {
  (void)state;
  assert_path(les_path_folder("models/tiny/a.gguf"), "models/tiny");
  assert_path(les_path_folder("/a.gguf"), "/");
  assert_path(les_path_folder("a.gguf"), ".");
  assert_path(les_path_join("models", "a.gguf"), "models/a.gguf");
}

static void a_name_is_relative_to_the_file_that_names_it(void **state) {
  (void)state;
  assert_path(les_path_beside("jobs/job.json", "../model.gguf"), "jobs/../model.gguf");
  assert_path(les_path_beside("/job.json", "model.gguf"), "/model.gguf");
  assert_path(les_path_beside("job.json", "model.gguf"), "model.gguf");
  assert_path(les_path_beside("jobs/job.json", "/data/model.gguf"), "/data/model.gguf");
}

static void a_suffix_stands_behind_a_name(void **state) {
  (void)state;
  assert_true(les_path_has_suffix("a/b.json", ".json"));
  assert_false(les_path_has_suffix("a/b.jsonl", ".json"));
  assert_false(les_path_has_suffix("a.json/b", ".json"));
  assert_false(les_path_has_suffix("a/.json", ".json"));
  assert_false(les_path_has_suffix("json", ".json"));
  assert_path(les_path_with_suffix("a/b.json", ".json", ".h5"), "a/b.h5");
  assert_path(les_path_with_suffix("a/b", ".json", ".h5"), "a/b.h5");
}

static void the_stem_is_the_name_alone(void **state) {
  (void)state;
  assert_path(les_path_stem("models/Llama-3.2-1B.gguf", ".gguf"), "Llama-3.2-1B");
  assert_path(les_path_stem("models/Llama-3.2-1B//", ".gguf"), "Llama-3.2-1B");
  assert_path(les_path_stem("a.gguf", NULL), "a.gguf");
  assert_path(les_path_stem(".gguf", ".gguf"), ".gguf");
  assert_path(les_path_stem("/", NULL), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_folder_of_a_file),
      cmocka_unit_test(a_name_is_relative_to_the_file_that_names_it),
      cmocka_unit_test(a_suffix_stands_behind_a_name),
      cmocka_unit_test(the_stem_is_the_name_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
