/* The integer modes against f32, on a trained model: bounds of the mean KL over a text. */
#include "base/file.h"
#include "mode_divergence.h"
#include "model/load.h"
#include "unit.h"

static void check(const char *type, les_compute mode, double most) {
  char path[256], *text;
  size_t n;
  les_model *model;
  mode_divergence d;
  snprintf(path, sizeof path, TEST_DATA "/models/stories260K-quant/stories260K-%s.gguf", type);
  assert_int_equal(les_model_open(&model, path, NULL), LES_OK);
  assert_int_equal(les_file_read(TEST_DATA "/texts/prompts.txt", &text, &n), LES_OK);
  assert_int_equal(mode_divergence_compute(&d, model, text, n, 1 << 20, mode), LES_OK);
  assert_true(d.positions > 100);
  if (!(d.kl_mean >= 0 && d.kl_mean <= most))
    fail_msg("%s: mean KL %g, not at most %g", type, d.kl_mean, most);
  free(text);
  les_model_close(&model);
}

static void int16_is_next_to_exact(void **state) {
  (void)state;
  check("Q8_0", LES_COMPUTE_INT16, 1e-6);
  check("Q4_0", LES_COMPUTE_INT16, 1e-6);
}

static void int8_is_int16_where_it_has_no_arithmetic_of_its_own(void **state) {
  (void)state;
  check("Q8_0", LES_COMPUTE_INT8, 1e-6);
}

static void int8_rounds_activations(void **state) {
  (void)state;
  check("Q4_0", LES_COMPUTE_INT8, 2e-3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(int16_is_next_to_exact),
      cmocka_unit_test(int8_is_int16_where_it_has_no_arithmetic_of_its_own),
      cmocka_unit_test(int8_rounds_activations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
