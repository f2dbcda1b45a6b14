/* Models opened from files: shapes, tensors by role, and what is refused. */
#include "model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const les_model_options no_text = {.no_tokenizer = true};

static void opens_a_trained_llama(void **state) {
  (void)state;
  les_model *m;
  assert_int_equal(les_model_open(&m, TEST_DATA "/models/stories260K/stories260K.gguf", &no_text), LES_OK);
  assert_string_equal(m->arch, "llama");
  assert_string_equal(m->name, "stories260K");
  assert_string_equal(m->sha256, "3775d1f038780ae5a88c616dba9ffaaf7dc77a44f2c29a626e492d0fcb6176f4");
  assert_int_equal(m->shape.n_layers, 5);
  assert_int_equal(m->shape.n_embd, 64);
  assert_int_equal(m->shape.n_ff, 172);
  assert_int_equal(m->shape.n_heads, 8);
  assert_int_equal(m->shape.n_kv_heads, 4);
  assert_int_equal(m->shape.head_dim, 8);
  assert_int_equal(m->shape.n_vocab, 512);
  assert_int_equal(m->shape.n_ctx, 512);
  assert_int_equal(m->shape.n_rope_pairs, 4);
  assert_false(m->shape.rope_neox);
  assert_ptr_equal(m->output.data, m->tok_embd.data);
  assert_int_equal(m->layers[4].linear[LES_DOWN].w.cols, 172);
  assert_true(fabs(m->rope[0].freq[1] - 0.1) < 1e-15);
  assert_int_equal(m->n_eos, 1);
  assert_int_equal(m->eos[0], 2);
  les_model_close(&m);
  assert_null(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(opens_a_trained_llama)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
