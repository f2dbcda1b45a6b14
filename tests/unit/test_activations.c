/* Importance and calibration against the plainest way to the same numbers: one token at a time. */
#include "engine/calibrate.h"
#include "engine/importance.h"
#include "tiny_model.h"
#include "unit.h"

enum { LAYERS = 3, EMBD = 24, HEADS = 4, DIM = 8, VOCAB = 50, N = 3, LONGEST = 100 };

static tiny_model tiny;
static les_passage passages[N]; /* the second one is longer than the context of 64 and than a batch */

static int set_up(void **state) {
  (void)state;
  static const int lengths[N] = {5, LONGEST, 1};
  static const double weights[N] = {1, 0.25, 2};
  tiny_model_make(&tiny);
  for (int i = 0; i < N; i++) {
    passages[i] = (les_passage){{calloc(LONGEST, sizeof(int32_t)), lengths[i]}, weights[i]};
    for (int k = 0; k < lengths[i]; k++) passages[i].tokens.ids[k] = (7 * k * k + 3 * k + i) % VOCAB;
  }
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (int i = 0; i < N; i++) les_tokens_free(&passages[i].tokens);
  tiny_model_free(&tiny);
  return 0;
}

/* The states of the row that was run last. */
typedef struct states {
  double before[3][LAYERS][EMBD], after[3][LAYERS][EMBD], heads[LAYERS][HEADS * DIM];
  float logits[VOCAB];
} states;

static void probe(void *ctx, int row, int layer, les_site site, const float *before, const float *after,
                  float attn_entropy) {
  (void)row, (void)attn_entropy;
  states *s = ctx;
  if (site == LES_SITE_HEADS)
    for (int i = 0; i < HEADS * DIM; i++) s->heads[layer][i] = after[i];
  else
    for (int i = 0; i < EMBD; i++) s->before[site][layer][i] = before[i], s->after[site][layer][i] = after[i];
}

static void on_logits(void *ctx, int row, const float *logits) {
  (void)row;
  memcpy(((states *)ctx)->logits, logits, sizeof((states *)ctx)->logits);
}

typedef void each_token_fn(void *ctx, const states *s, const les_passage *passage, int pos);

static void for_each_token(each_token_fn *see, void *ctx) {
  for (int i = 0; i < N; i++) {
    les_kv_cache *cache = NULL;
    les_workspace *ws;
    assert_int_equal(les_workspace_open(&ws, &tiny.model, 1, 1), LES_OK);
    for (int pos = 0; pos < passages[i].tokens.n; pos++) {
      static states s;
      int from = pos - pos % tiny.model.hparams.n_ctx;
      if (pos == from) {
        les_kv_cache_close(&cache);
        assert_int_equal(les_kv_cache_open(&cache, &tiny.model, NULL, NULL, tiny.model.hparams.n_ctx),
                         LES_OK);
      }
      les_row row = {.kv_cache = cache, .token = passages[i].tokens.ids[pos], .pos = pos - from};
      les_forward_options o = {
          .compute = LES_COMPUTE_F32, .threads = 1, .probe = probe, .sites = 15, .ctx = &s};
      assert_int_equal(les_forward(&tiny.model, ws, &row, 1, &o), LES_OK);
      see(ctx, &s, &passages[i], pos);
    }
    les_kv_cache_close(&cache);
    les_workspace_close(&ws);
  }
}

static double cosine(const double *x, const double *y) {
  double xy = 0, xx = 0, yy = 0;
  for (int i = 0; i < EMBD; i++) xy += x[i] * y[i], xx += x[i] * x[i], yy += y[i] * y[i];
  return xy / sqrt(xx * yy);
}

typedef struct plain_importance {
  double parts[3][LAYERS], angle_over_two, weight, last_weight;
} plain_importance;

static void add_importance(void *ctx, const states *s, const les_passage *passage, int pos) {
  plain_importance *p = ctx;
  for (int site = 0; site < 3; site++)
    for (int l = 0; l < LAYERS; l++)
      p->parts[site][l] += passage->weight * (1 - cosine(s->before[site][l], s->after[site][l]));
  p->weight += passage->weight;
  if (pos < passage->tokens.n - 1) return;
  double c = cosine(s->before[LES_SITE_BLOCK][1], s->after[LES_SITE_BLOCK][2]);
  p->angle_over_two += passage->weight * acos(c) / acos(-1);
  p->last_weight += passage->weight;
}

static void test_importance(void **state) {
  (void)state;
  plain_importance want = {0};
  for_each_token(add_importance, &want);
  les_importance *i;
  assert_int_equal(les_importance_compute(&i, &tiny.model, passages, N, LES_COMPUTE_F32, 2, NULL), LES_OK);
  for (int l = 0; l < LAYERS; l++) {
    assert_near(i->attn[l], want.parts[LES_SITE_ATTN][l] / want.weight, 1e-12);
    assert_near(i->mlp[l], want.parts[LES_SITE_MLP][l] / want.weight, 1e-12);
    assert_near(i->block[l], want.parts[LES_SITE_BLOCK][l] / want.weight, 1e-12);
  }
  assert_near(i->angular[1 * LAYERS + 1], want.angle_over_two / want.last_weight, 1e-12);
  assert_true(isnan(i->angular[1 * LAYERS + 2]) && !isnan(i->angular[2 * LAYERS]));
  les_importance_free(&i);
  assert_null(i);
}

typedef struct plain_means {
  double attn[EMBD], mlp[EMBD], block[EMBD], heads[HEADS * DIM], weight; /* of layer 1 */
} plain_means;

static void add_contributions(void *ctx, const states *s, const les_passage *passage, int pos) {
  (void)pos;
  plain_means *m = ctx;
  double *sums[3] = {[LES_SITE_ATTN] = m->attn, [LES_SITE_MLP] = m->mlp, [LES_SITE_BLOCK] = m->block};
  for (int i = 0; i < EMBD; i++)
    for (int site = 0; site < 3; site++)
      sums[site][i] += passage->weight * (s->after[site][1][i] - s->before[site][1][i]);
  for (int i = 0; i < HEADS * DIM; i++) m->heads[i] += passage->weight * s->heads[1][i];
  m->weight += passage->weight;
}

static void test_means(void **state) {
  (void)state;
  plain_means want = {0};
  for_each_token(add_contributions, &want);
  les_means *one, *two;
  assert_int_equal(les_means_compute(&one, &tiny.model, passages, N, LES_COMPUTE_F32, 1), LES_OK);
  assert_int_equal(les_means_compute(&two, &tiny.model, passages, N, LES_COMPUTE_F32, 2), LES_OK);
  for (int i = 0; i < EMBD; i++) {
    assert_near(one->attn[EMBD + i], want.attn[i] / want.weight, 1e-6);
    assert_near(one->mlp[EMBD + i], want.mlp[i] / want.weight, 1e-6);
    assert_near(one->block[EMBD + i], want.block[i] / want.weight, 1e-6);
  }
  for (int i = 0; i < HEADS * DIM; i++)
    assert_near(one->heads[HEADS * DIM + i], want.heads[i] / want.weight, 1e-6);
  assert_memory_equal(one->block, two->block, LAYERS * EMBD * sizeof(float));
  assert_memory_equal(one->heads, two->heads, LAYERS * HEADS * DIM * sizeof(float));
  les_means_free(&one);
  les_means_free(&two);
  assert_null(one);
}

static void run_one_token(const char *spec, const les_means *means, int32_t token, states *s) {
  les_lesions lesions;
  les_lesion_plan *plan;
  les_kv_cache *cache;
  les_workspace *ws;
  assert_int_equal(les_lesions_parse(&lesions, &spec, 1, &tiny.model.hparams), LES_OK);
  assert_int_equal(les_lesion_plan_open(&plan, &tiny.model, &lesions.items[0], means, 1), LES_OK);
  assert_int_equal(les_kv_cache_open(&cache, &tiny.model, plan, NULL, 1), LES_OK);
  assert_int_equal(les_workspace_open(&ws, &tiny.model, 1, 1), LES_OK);
  les_row row = {.kv_cache = cache, .token = token, .logits = true};
  les_forward_options o = {.compute = LES_COMPUTE_F32, .threads = 1, .on_logits = on_logits, .ctx = s};
  assert_int_equal(les_forward(&tiny.model, ws, &row, 1, &o), LES_OK);
  les_workspace_close(&ws);
  les_kv_cache_close(&cache);
  les_lesion_plan_close(&plan);
  les_lesions_free(&lesions);
}

static void test_mean_over_one_token_is_the_part_itself(void **state) {
  (void)state;
  int32_t token = 17;
  les_passage passage = {{&token, 1}, 1};
  static const char *const specs[] = {"mean@*.attn", "mean@*.mlp", "mean@1", "mean@*.attn.head2"};
  static states intact, lesioned, other;
  les_means *means;
  assert_int_equal(les_means_compute(&means, &tiny.model, &passage, 1, LES_COMPUTE_F32, 1), LES_OK);
  for (size_t k = 0; k < sizeof specs / sizeof *specs; k++) {
    run_one_token("none", NULL, token, &intact);
    run_one_token(specs[k], means, token, &lesioned);
    run_one_token(specs[k], means, token + 1, &other);
    double changed = 0;
    for (int i = 0; i < VOCAB; i++) {
      assert_near(lesioned.logits[i], intact.logits[i], 1e-4);
      changed += fabs(other.logits[i] - intact.logits[i]);
    }
    assert_true(changed > 1); /* another token has other logits: the test can fail */
  }
  les_means_free(&means);
}

static void test_nothing_to_read(void **state) {
  (void)state;
  les_means *means;
  les_importance *importance;
  assert_int_equal(les_means_compute(&means, &tiny.model, NULL, 0, LES_COMPUTE_F32, 1), LES_FAILED);
  assert_int_equal(les_importance_compute(&importance, &tiny.model, NULL, 0, LES_COMPUTE_F32, 1, NULL),
                   LES_FAILED);
  assert_true(!means && !importance);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_importance),
      cmocka_unit_test(test_means),
      cmocka_unit_test(test_mean_over_one_token_is_the_part_itself),
      cmocka_unit_test(test_nothing_to_read),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
