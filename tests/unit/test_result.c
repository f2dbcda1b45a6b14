/* What a result file says of its lesions, and that older files, which say less, are read alike. */
#include "lesion/target.h"
#include "result/reader.h"
#include "result/spec.h"
#include "store/store_create.h"
#include "unit.h"

#include <stdio.h>

enum { LAYERS = 7 };

static const struct {
  const char *spec, *first, *family, *operation, *part, *dose_key; /* of the first lesion of the spec */
  int layer;
  double dose;
} cases[] = {
    {"none", "none", "none", "none", "none", "", -1, NAN},
    {"skip@3", "skip@3", "skip@each", "skip", "block", "", 3, NAN},
    {"skip@each.attn", "skip@0.attn", "skip@each.attn", "skip", "attn", "", 0, NAN},
    {"zero@0,2-3.attn.head3", "zero@0,2-3.attn.head3", "zero@0,2-3.attn.head3", "zero", "attn.head3", "", -1,
     NAN},
    {"mean@*.mlp", "mean@*.mlp", "mean@*.mlp", "mean", "mlp", "", -1, NAN},
    {"noise@2.mlp:sigma=1e+1,seed=3", "noise@2.mlp:sigma=1e+1,seed=3", "noise@each.mlp:sigma=1e+1,seed=3",
     "noise", "mlp", "sigma", 2, 10},
    {"svd@each.mlp.down:keep=0.25", "svd@0.mlp.down:keep=0.25", "svd@each.mlp.down:keep=0.25", "svd",
     "mlp.down", "keep", 0, 0.25},
    {"svd@1.attn.q:rank=8", "svd@1.attn.q:rank=8", "svd@each.attn.q:rank=8", "svd", "attn.q", "rank", 1, 8},
    {"quant@4:type=q4_0", "quant@4:type=q4_0", "quant@each:type=q4_0", "quant", "block", "type", 4, 4.5},
    {"scale@6.mlp:alpha=0.5", "scale@6.mlp:alpha=0.5", "scale@each.mlp:alpha=0.5", "scale", "mlp", "alpha", 6,
     0.5},
    {"skip@5.attn+skip@5.mlp", "skip@5.attn+skip@5.mlp", "skip@each.attn+skip@each.mlp", "several", "several",
     "", 5, NAN},
    {"skip@1+zero@2.mlp", "skip@1+zero@2.mlp", "skip@1+zero@2.mlp", "several", "several", "", -1, NAN},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static les_job job = {.max_new_tokens = 4, .compute = LES_COMPUTE_F32};
static les_model model = {.name = "a model",
                          .arch = "llama",
                          .sha256 = "aa",
                          .hparams = {.n_layers = LAYERS,
                                      .n_embd = 64,
                                      .n_ff = 96,
                                      .n_heads = 4,
                                      .n_kv_heads = 2,
                                      .head_dim = 16,
                                      .gated = true}};
static les_column columns[] = {{.id = "a", .domain = "d", .text = "one"},
                               {.id = "b", .domain = "e", .text = "two"}};

static void parse(les_lesions *l, int i) {
  assert_int_equal(les_lesions_parse(l, &cases[i].spec, 1, &model.hparams), LES_OK);
}

static void assert_dose(double dose, double want) {
  if (isnan(want))
    assert_true(isnan(dose));
  else
    assert_near(dose, want, 0);
}

static void targets_are_in_the_words_of_the_spec(void **state) {
  (void)state;
  for (int i = 0; i < N_CASES; i++) {
    les_lesions l;
    parse(&l, i);
    les_target t = les_lesion_target(&l.items[0]);
    assert_string_equal(l.items[0].spec, cases[i].first);
    assert_int_equal(l.items[0].layer, cases[i].layer);
    assert_string_equal(t.operation, cases[i].operation);
    assert_string_equal(t.part, cases[i].part);
    assert_string_equal(t.dose_key, cases[i].dose_key);
    assert_dose(t.dose, cases[i].dose);
    les_lesions_free(&l);
  }
}

/* What readers of files without families and targets take instead is what would stand there. */
static void the_spec_alone_says_the_same(void **state) {
  (void)state;
  for (int i = 0; i < N_CASES; i++) {
    char *family, *operation, *part;
    assert_int_equal(les_spec_family(cases[i].first, cases[i].layer, &family), LES_OK);
    assert_int_equal(les_spec_target(cases[i].first, &operation, &part), LES_OK);
    assert_string_equal(family, cases[i].family);
    assert_string_equal(operation, cases[i].operation);
    assert_string_equal(part, cases[i].part);
    free(family);
    free(operation);
    free(part);
  }
}

static void only_the_layer_itself_becomes_each(void **state) {
  (void)state;
  static const struct {
    const char *spec;
    int layer;
    const char *family;
  } specs[] = {{"skip@1", 1, "skip@each"},
               {"skip@12", 1, "skip@12"},
               {"skip@1,2", 1, "skip@1,2"},
               {"skip@1-2", 1, "skip@1-2"},
               {"skip@1.attn.head1", 1, "skip@each.attn.head1"}};
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    char *family;
    assert_int_equal(les_spec_family(specs[i].spec, specs[i].layer, &family), LES_OK);
    assert_string_equal(family, specs[i].family);
    free(family);
  }
}

static void a_file_says_what_its_lesions_do(void **state) {
  (void)state;
  char folder[64], path[128];
  const char *specs[N_CASES], *groups[] = {"kl"};
  les_study study = {.job = &job,
                     .model = &model,
                     .prompts = {.sha256 = "bb"},
                     .columns = {.items = columns, .n = 2},
                     .json = "{\"generate\":{\"max_new_tokens\":4}}"};
  for (int i = 0; i < N_CASES; i++) specs[i] = cases[i].first;
  assert_int_equal(scratch_open(folder), 0);
  snprintf(path, sizeof path, "%s/run.h5", folder);
  assert_int_equal(les_lesions_parse(&study.lesions, specs, N_CASES, &model.hparams), LES_OK);
  assert_int_equal(les_record_layout_compute(&study.layout, groups, 1, 4, LAYERS), LES_OK);
  assert_int_equal(les_store_create(path, &study), LES_OK);
  les_result *r;
  assert_int_equal(les_result_open(&r, path), LES_OK);
  assert_int_equal(r->n_lesions, N_CASES);
  for (int i = 0; i < N_CASES; i++) {
    assert_string_equal(r->lesion_specs[i], cases[i].first);
    assert_int_equal(r->lesion_layers[i], cases[i].layer);
    assert_string_equal(r->lesion_families[i], cases[i].family);
    assert_string_equal(r->lesion_operations[i], cases[i].operation);
    assert_string_equal(r->lesion_parts[i], cases[i].part);
  }
  assert_true(les_result_has(r, "kl_mean"));
  assert_false(les_result_has(r, "jaccard"));
  assert_false(les_result_has(r, "tokens")); /* more than one value a cell */
  les_result_close(&r);
  les_lesions_free(&study.lesions);
}

/* Nothing is left behind where a file cannot be made. */
static void a_file_is_made_as_a_whole_or_not_at_all(void **state) {
  (void)state;
  char folder[64], path[128];
  les_study study = {.job = &job,
                     .model = &model,
                     .prompts = {.sha256 = "bb"},
                     .columns = {.items = columns, .n = 2},
                     .json = "{}"};
  assert_int_equal(scratch_open(folder), 0);
  snprintf(path, sizeof path, "%s/nowhere/run.h5", folder);
  assert_int_equal(les_store_create(path, &study), LES_FAILED);
  assert_message("cannot be created");
  assert_int_equal(access(path, F_OK), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(targets_are_in_the_words_of_the_spec),
      cmocka_unit_test(the_spec_alone_says_the_same),
      cmocka_unit_test(only_the_layer_itself_becomes_each),
      cmocka_unit_test(a_file_says_what_its_lesions_do),
      cmocka_unit_test(a_file_is_made_as_a_whole_or_not_at_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
