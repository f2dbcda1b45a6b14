/* The grammar of lesions: what is accepted, what it means, and what is refused with which words. */
#include "lesion/lesion.h"
#include "unit.h"

#include <stdio.h>

static const les_hparams gated = {
    .n_layers = 7, .n_embd = 64, .n_ff = 96, .n_heads = 4, .n_kv_heads = 2, .head_dim = 16, .gated = true};

static const les_lesion *parse_one(les_lesions *l, const char *spec) {
  assert_int_equal(les_lesions_parse(l, &spec, 1, &gated), LES_OK);
  assert_int_equal(l->n, 1);
  return &l->items[0];
}

static void assert_layers(const les_edit *s, int n, const int *layers) {
  assert_int_equal(s->n_layers, n);
  assert_memory_equal(s->layers, layers, (size_t)n * sizeof *layers);
}

static void test_layers(void **state) {
  (void)state;
  const struct {
    const char *spec;
    int n, layers[7], layer;
  } cases[] = {{"skip@3", 1, {3}, 3},
               {"skip@5,0,3.attn", 3, {0, 3, 5}, -1},
               {"skip@3-6", 4, {3, 4, 5, 6}, -1},
               {"skip@0,2-3,6", 4, {0, 2, 3, 6}, -1},
               {"skip@*.mlp", 7, {0, 1, 2, 3, 4, 5, 6}, -1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_lesions l;
    const les_lesion *one = parse_one(&l, cases[i].spec);
    assert_int_equal(one->n_edits, 1);
    assert_layers(&one->edits[0], cases[i].n, cases[i].layers);
    assert_int_equal(one->layer, cases[i].layer);
    assert_string_equal(one->spec, cases[i].spec);
    assert_string_equal(one->family, cases[i].spec);
    les_lesions_free(&l);
  }
}

static void test_parts_and_keys(void **state) {
  (void)state;
  const struct {
    const char *spec;
    les_edit want;
  } cases[] = {
      {"zero@1", {.op = LES_OP_ZERO, .part = LES_PART_BLOCK, .alpha = 1}},
      {"mean@1.attn.head3", {.op = LES_OP_MEAN, .part = LES_PART_HEAD, .head = 3, .alpha = 1}},
      {"reinit@1.attn:seed=18446744073709551615",
       {.op = LES_OP_REINIT, .part = LES_PART_ATTN, .seed = UINT64_MAX, .alpha = 1}},
      {"noise@1.mlp.gate:sigma=1e+1,seed=7",
       {.op = LES_OP_NOISE, .part = LES_PART_LINEAR, .linear = LES_GATE, .sigma = 10, .seed = 7, .alpha = 1}},
      {"svd@1.attn.k:rank=32",
       {.op = LES_OP_SVD, .part = LES_PART_LINEAR, .linear = LES_K, .rank = 32, .alpha = 1}},
      {"svd@1:keep=0.25", {.op = LES_OP_SVD, .part = LES_PART_BLOCK, .keep = 0.25, .alpha = 1}},
      {"quant@1.mlp.down:type=q5_1",
       {.op = LES_OP_QUANT, .part = LES_PART_LINEAR, .linear = LES_DOWN, .dtype = LES_Q5_1, .alpha = 1}},
      {"scale@1.mlp:alpha=-.5", {.op = LES_OP_SCALE, .part = LES_PART_MLP, .alpha = -0.5}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_lesions l;
    const les_edit *s = &parse_one(&l, cases[i].spec)->edits[0], *want = &cases[i].want;
    assert_int_equal(s->op, want->op);
    assert_int_equal(s->part, want->part);
    assert_int_equal(s->head, want->head);
    assert_int_equal(s->linear, want->linear);
    assert_true(s->seed == want->seed && s->sigma == want->sigma && s->rank == want->rank);
    assert_true(s->keep == want->keep && s->dtype == want->dtype && s->alpha == want->alpha);
    les_lesions_free(&l);
  }
}

static void test_each_takes_one_layer_in_all_edits(void **state) {
  (void)state;
  const char *const specs[] = {"none", "skip@each.attn+noise@each.mlp:sigma=1e+0+scale@2:alpha=2"};
  les_lesions l;
  assert_int_equal(les_lesions_parse(&l, specs, 2, &gated), LES_OK);
  assert_int_equal(l.n, 1 + gated.n_layers);
  assert_int_equal(l.items[0].n_edits, 0);
  assert_int_equal(l.items[0].layer, -1);
  assert_string_equal(l.items[0].spec, "none");
  for (int i = 0; i < gated.n_layers; i++) {
    const les_lesion *one = &l.items[1 + i];
    char want[80];
    snprintf(want, sizeof want, "skip@%d.attn+noise@%d.mlp:sigma=1e+0+scale@2:alpha=2", i, i);
    assert_string_equal(one->spec, want);
    assert_string_equal(one->family, specs[1]);
    assert_int_equal(one->n_edits, 3);
    assert_layers(&one->edits[0], 1, &i);
    assert_layers(&one->edits[1], 1, &i);
    assert_layers(&one->edits[2], 1, &(int){2});
    assert_int_equal(one->layer, i == 2 ? 2 : -1);
  }
  les_lesions_free(&l);
}

static void assert_refused(const char *spec, const les_hparams *hparams, const char *reason) {
  les_lesions l;
  if (les_lesions_parse(&l, &spec, 1, hparams) != LES_USAGE) fail_msg("'%s' is not refused", spec);
  if (!strstr(les_message(), reason)) fail_msg("'%s' gives: %s", spec, les_message());
  assert_non_null(strstr(les_message(), "lesion '"));
  assert_null(l.items);
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    const char *spec, *reason;
  } cases[] = {
      {"", "is no operation"},
      {"drop@1", "'drop' is no operation; known are skip"},
      {"none+skip@1", "is no operation"},
      {"skip", "'@LAYERS' is missing"},
      {"skip@", "layer number is missing"},
      {"skip@-1", "layer number is missing"},
      {"skip@7", "has layers 0 to 6"},
      {"skip@99999999999999999999", "has layers 0 to 6"},
      {"skip@3-1", "runs backwards; write 1-3"},
      {"skip@1,1", "twice in one list"},
      {"skip@0-3,2", "layer 2 is named twice"},
      {"skip@1,", "layer number is missing"},
      {"skip@*,1", "not understood"},
      {"skip@1 ", "not understood"},
      {"skip@1.", "is no part"},
      {"skip@1.norm", "'.norm' is no part"},
      {"skip@1.attn.gate", "which has q, k, v, o and headH"},
      {"skip@1.mlp.q", "which has gate, up and down"},
      {"skip@1.attn.head", "needs its number"},
      {"skip@1.attn.head4", "heads 0 to 3"},
      {"skip@1.attn.headx", "attn.head0"},
      {"skip@1.attn.q", "skip takes a block, attn, mlp or attn.headH"},
      {"mean@1.mlp.up", "mean takes a block"},
      {"noise@1.attn.head0:sigma=1", "noise takes a block, attn, mlp or one matrix"},
      {"skip@1:seed=1", "no key=value of skip"},
      {"noise@1", "noise needs a value, as in noise@"},
      {"noise@1:seed=1", "noise needs a value"},
      {"noise@1:sigma=-1", "sigma= needs a number from 0"},
      {"noise@1:sigma=nan", "sigma= needs"},
      {"noise@1:sigma=1,sigma=2", "given twice"},
      {"noise@1:sigma=1,", "no key=value of noise"},
      {"reinit@1:seed=-1", "whole number"},
      {"reinit@1:seed=18446744073709551616", "whole number"},
      {"svd@1:rank=0", "from 1"},
      {"svd@1:rank=2,keep=0.5", "either rank= or keep="},
      {"svd@1:keep=1.5", "up to 1"},
      {"svd@1.attn.k:rank=33", "full rank, which is 32"},
      {"quant@1:type=q3_k", "q8_0, q4_0, q4_1, q5_0 or q5_1"},
      {"quant@1:type", "no key=value of quant"},
      {"scale@1:alpha=inf", "alpha= needs a number"},
      {"scale@1:alpha=1x", "not understood"},
      {"skip@1+", "is no operation"},
      {"skip@1++skip@2", "is no operation"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_refused(cases[i].spec, &gated, cases[i].reason);
}

static void test_refusals_by_shape(void **state) {
  (void)state;
  les_hparams plain = gated, odd = gated;
  plain.gated = false;
  odd.n_ff = 80;
  assert_refused("zero@1.mlp.gate", &plain, "have no gate");
  assert_refused("quant@1.mlp:type=q4_0", &odd, "mlp.down has rows of 80 elements");
}

static void test_duplicates(void **state) {
  (void)state;
  static const char *const pairs[][2] = {{"none", "none"},
                                         {"skip@0-1", "skip@0,1"},
                                         {"skip@*", "skip@0-6"},
                                         {"skip@each", "skip@4"},
                                         {"noise@1:sigma=0.10,seed=0", "noise@1:sigma=1e-1"}};
  les_lesions l;
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    assert_int_equal(les_lesions_parse(&l, pairs[i], 2, &gated), LES_USAGE);
    assert_non_null(strstr(les_message(), "given twice"));
  }
  static const char *const different[] = {"skip@0.attn",  "skip@0.mlp",        "skip@0",
                                          "zero@0",       "zero@0+zero@0",     "svd@0:rank=1",
                                          "svd@0:rank=2", "skip@0.attn.head1", "skip@0.attn.head2"};
  assert_int_equal(les_lesions_parse(&l, different, 9, &gated), LES_OK);
  assert_int_equal(l.n, 9);
  les_lesions_free(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layers),
      cmocka_unit_test(test_parts_and_keys),
      cmocka_unit_test(test_each_takes_one_layer_in_all_edits),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_refusals_by_shape),
      cmocka_unit_test(test_duplicates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
