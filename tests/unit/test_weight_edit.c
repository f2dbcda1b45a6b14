/* Replaced parameters seen from the outside: the logits of a small model under lesions that have to agree, or
 * to differ. */
#include "engine/forward.h"
#include "tiny_model.h"
#include "unit.h"

#include <stdio.h>

enum { LENGTH = 9, EMBD = 24, HEADS = 4, DIM = 8, VOCAB = 50 };

typedef struct logits {
  float at[LENGTH][VOCAB];
} logits;

static tiny_model tiny;

/* With norms behind attention and MLP, as Gemma has them. */
static int set_up(void **state) {
  (void)state;
  tiny_model_make(&tiny);
  for (int l = 0; l < tiny.model.hparams.n_layers; l++) {
    tiny.model.layers[l].norm[LES_NORM_ATTN_POST].scale = tiny_array(&tiny, EMBD, 1, 0.1);
    tiny.model.layers[l].norm[LES_NORM_MLP_POST].scale = tiny_array(&tiny, EMBD, 1, 0.1);
    tiny.model.layers[l].linear[LES_O].bias = tiny_array(&tiny, EMBD, 0, 0.1);
    tiny.model.layers[l].linear[LES_DOWN].bias = tiny_array(&tiny, EMBD, 0, 0.1);
  }
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  tiny_model_free(&tiny);
  return 0;
}

static void keep(void *ctx, int row, const float *values) {
  memcpy(((logits *)ctx)->at[row], values, VOCAB * sizeof *values);
}

static void run_plan(const les_lesion_plan *plan, logits *out) {
  les_kv_cache *cache;
  les_workspace *ws;
  les_row rows[LENGTH];
  assert_int_equal(les_kv_cache_open(&cache, &tiny.model, plan, NULL, LENGTH), LES_OK);
  assert_int_equal(les_workspace_open(&ws, &tiny.model, LENGTH, 1), LES_OK);
  for (int i = 0; i < LENGTH; i++)
    rows[i] = (les_row){.kv_cache = cache, .token = 5 * i % VOCAB, .pos = i, .logits = true};
  les_forward_options o = {.compute = LES_COMPUTE_F32, .threads = 1, .on_logits = keep, .ctx = out};
  assert_int_equal(les_forward(&tiny.model, ws, rows, LENGTH, &o), LES_OK);
  les_workspace_close(&ws);
  les_kv_cache_close(&cache);
}

static void run(const char *spec, logits *out) {
  les_lesions lesions;
  les_lesion_plan *plan;
  assert_int_equal(les_lesions_parse(&lesions, &spec, 1, &tiny.model.hparams), LES_OK);
  assert_int_equal(les_lesion_plan_open(&plan, &tiny.model, &lesions.items[0], NULL, 2), LES_OK);
  run_plan(plan, out);
  les_lesion_plan_close(&plan);
  les_lesions_free(&lesions);
}

static double distance(const logits *a, const logits *b) {
  double largest = 0;
  for (int i = 0; i < LENGTH; i++)
    for (int k = 0; k < VOCAB; k++) {
      double d = fabs((double)a->at[i][k] - (double)b->at[i][k]);
      if (!(d <= largest)) largest = d; /* NaN too */
    }
  return largest;
}

static void assert_same(const char *a, const char *b) {
  logits x, y;
  run(a, &x);
  run(b, &y);
  if (memcmp(&x, &y, sizeof x)) fail_msg("%s and %s differ by %g", a, b, distance(&x, &y));
}

static void assert_far(const char *a, const char *b) {
  logits x, y;
  run(a, &x);
  run(b, &y);
  if (!(distance(&x, &y) > 1e-2)) fail_msg("%s and %s differ by %g only", a, b, distance(&x, &y));
}

static void test_zero_is_skip(void **state) {
  (void)state;
  assert_same("zero@1", "skip@1");
  assert_same("zero@0,2", "skip@0,2");
  assert_same("zero@1.attn", "skip@1.attn");
  assert_same("zero@1.mlp", "skip@1.mlp");
  assert_far("zero@1.attn", "none");
}

static void test_lesions_that_change_nothing(void **state) {
  (void)state;
  assert_same("scale@*:alpha=1", "none");
  assert_same("scale@*.attn:alpha=1", "none");
  assert_same("scale@*.attn.head1:alpha=1", "none");
  assert_same("noise@*:sigma=0", "none");
  assert_same("svd@*:keep=1", "none");
  assert_same("svd@1.attn.k:rank=16", "none");
}

static void test_lesions_that_are_the_same(void **state) {
  (void)state;
  assert_same("scale@1.mlp:alpha=0", "skip@1.mlp");
  assert_same("scale@1:alpha=0", "skip@1");
  assert_same("skip@1+scale@1:alpha=2", "skip@1");
  assert_same("skip@1.attn+skip@1.mlp", "skip@1");
  assert_same("zero@1.mlp.down", "zero@1.mlp.down+noise@1.mlp.down:sigma=3");
  assert_far("scale@1.attn:alpha=2", "none");
  assert_far("svd@1.attn.k:rank=1", "none");
  assert_far("reinit@1.mlp:seed=1", "reinit@1.mlp:seed=2");
}

/* A head without its columns of o is a head that puts out nothing; both against columns cleared by hand. */
static void test_heads(void **state) {
  (void)state;
  les_linear *o = &tiny.model.layers[1].linear[LES_O];
  const float *own = o->w.data;
  float cleared[EMBD * HEADS * DIM];
  logits by_hand, skipped, zeroed, intact;
  for (int e = 0; e < EMBD * HEADS * DIM; e++) cleared[e] = e % (HEADS * DIM) / DIM == 2 ? 0 : own[e];
  o->w.data = cleared;
  run("none", &by_hand);
  o->w.data = own;
  run("skip@1.attn.head2", &skipped);
  run("zero@1.attn.head2", &zeroed);
  run("none", &intact);
  assert_true(distance(&zeroed, &by_hand) == 0);
  assert_near(distance(&skipped, &by_hand), 0, 1e-6);
  assert_true(distance(&intact, &by_hand) > 1e-2);
}

/* A plan leaves the model as it was, and other sequences alone. */
static void test_the_model_stays(void **state) {
  (void)state;
  logits before, after, lesioned;
  run("none", &before);
  run("reinit@*+svd@*.attn.v:rank=2", &lesioned);
  run("none", &after);
  assert_memory_equal(&before, &after, sizeof before);
  assert_true(distance(&before, &lesioned) > 1e-2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_zero_is_skip),
      cmocka_unit_test(test_lesions_that_change_nothing),
      cmocka_unit_test(test_lesions_that_are_the_same),
      cmocka_unit_test(test_heads),
      cmocka_unit_test(test_the_model_stays),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
