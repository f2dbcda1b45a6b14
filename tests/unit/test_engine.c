/* The engine against the plainest way to the same numbers: every sequence alone, token by token, from its
 * start, with nothing taken from the intact run. Outcomes have to be the same bytes for any batch, memory and
 * threads. */
#include "engine/engine.h"
#include "engine/forward.h"
#include "engine/workspace.h"
#include "lesion/plan_cache.h"
#include "tiny_model.h"
#include "unit.h"

enum { N_INPUTS = 3, NEW = 9, VOCAB = 50, N_LESIONS = 7, CAPACITY = 32 };

static const int32_t prompts[N_INPUTS][8] = {{3, 7, 1, 9, 30}, {11, 12, 13, 14, 15, 16, 17, 18}, {40}};
static const int lengths[N_INPUTS] = {5, 8, 1};
static const char *const specs[N_LESIONS] = {"none",
                                             "skip@0",
                                             "skip@1.attn",
                                             "skip@2.mlp",
                                             "skip@1,2",
                                             "scale@1:alpha=0.5",
                                             "scale@2.attn.head1:alpha=3+skip@0.mlp"};

typedef struct expected {
  int32_t tokens[CAPACITY];
  int n_new;
  float nll[CAPACITY], kl[CAPACITY];
  uint8_t agrees[CAPACITY];
} expected;

static tiny_model tiny;
static les_lesions lesions;
static les_input inputs[N_INPUTS];
static expected reference[N_LESIONS + 1][N_INPUTS];
static bool measured; /* the engine was asked for teacher-forced measures */

static void keep_logits(void *ctx, int row, const float *logits) {
  (void)row;
  memcpy(ctx, logits, VOCAB * sizeof *logits);
}

/* The logits after each of n tokens, under a plan. */
static void run_alone(const les_lesion_plan *plan, const int32_t *tokens, int n, float logits[][VOCAB]) {
  les_kv_cache *cache;
  les_workspace *ws;
  assert_int_equal(les_kv_cache_open(&cache, &tiny.model, plan, NULL, CAPACITY), LES_OK);
  assert_int_equal(les_workspace_open(&ws, &tiny.model, 1, 1), LES_OK);
  for (int i = 0; i < n; i++) {
    les_row row = {.kv_cache = cache, .token = tokens[i], .pos = i, .logits = true};
    les_forward_options o = {
        .compute = LES_COMPUTE_F32, .threads = 1, .on_logits = keep_logits, .ctx = logits[i]};
    assert_int_equal(les_forward(&tiny.model, ws, &row, 1, &o), LES_OK);
  }
  les_workspace_close(&ws);
  les_kv_cache_close(&cache);
}

static void expect(const les_lesion_plan *plan, int item, const expected *intact, expected *out) {
  float logits[CAPACITY][VOCAB], base[CAPACITY][VOCAB];
  memcpy(out->tokens, prompts[item], (size_t)lengths[item] * sizeof(int32_t));
  int n = lengths[item];
  for (out->n_new = 0; out->n_new < NEW; out->n_new++, n++) {
    run_alone(plan, out->tokens, n, logits);
    out->tokens[n] = (int32_t)les_argmax(logits[n - 1], VOCAB);
  }
  run_alone(plan, intact->tokens, lengths[item] + NEW, logits);
  run_alone(NULL, intact->tokens, lengths[item] + NEW, base);
  for (int i = 0; i + 1 < lengths[item] + NEW; i++) {
    double p = les_log_sum_exp(base[i], VOCAB), q = les_log_sum_exp(logits[i], VOCAB);
    out->nll[i] = (float)(q - logits[i][intact->tokens[i + 1]]);
    out->kl[i] = plan ? (float)les_kl(base[i], p, logits[i], q, VOCAB) : 0;
    out->agrees[i] = les_argmax(base[i], VOCAB) == les_argmax(logits[i], VOCAB);
  }
}

static int set_up(void **state) {
  (void)state;
  tiny_model_make(&tiny);
  if (les_lesions_parse(&lesions, specs, N_LESIONS, &tiny.model.hparams) != LES_OK) return -1;
  for (int i = 0; i < N_INPUTS; i++)
    inputs[i] = (les_input){.tokens = prompts[i], .n = lengths[i], .max_new_tokens = NEW};
  for (int l = -1; l < N_LESIONS; l++) {
    les_lesion_plan *plan = NULL;
    if (l >= 0 && les_lesion_plan_open(&plan, &tiny.model, &lesions.items[l], NULL, 1) != LES_OK) return -1;
    for (int i = 0; i < N_INPUTS; i++) expect(plan, i, &reference[0][i], &reference[l + 1][i]);
    les_lesion_plan_close(&plan);
  }
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  les_lesions_free(&lesions);
  tiny_model_free(&tiny);
  return 0;
}

static les_status compare(void *ctx, int index, const les_outcome *o) {
  (void)index;
  const expected *e = &reference[o->lesion + 1][o->input];
  assert_int_equal(o->n_tokens, NEW);
  assert_int_equal(o->stop, LES_STOP_LENGTH);
  assert_memory_equal(o->tokens, e->tokens + lengths[o->input], NEW * sizeof(int32_t));
  if (measured) {
    assert_int_equal(o->n_forced, lengths[o->input] + NEW - 1);
    assert_memory_equal(o->nll, e->nll, (size_t)o->n_forced * sizeof(float));
    assert_memory_equal(o->kl, e->kl, (size_t)o->n_forced * sizeof(float));
    assert_memory_equal(o->agrees, e->agrees, (size_t)o->n_forced);
  }
  ++*(int *)ctx;
  return LES_OK;
}

/* All cells, lesion by lesion, twice: the second time with the intact runs kept from the first. */
static void run_all(unsigned want, const les_engine_options *o) {
  les_engine_item cells[(N_LESIONS + 1) * N_INPUTS];
  int n = 0, seen = 0;
  for (int l = -1; l < N_LESIONS; l++)
    for (int i = 0; i < N_INPUTS; i++) cells[n++] = (les_engine_item){.lesion = l, .input = i};
  les_engine *engine;
  measured = want & LES_WANT_KL;
  for (int i = 0; i < N_INPUTS; i++) inputs[i].want = want;
  assert_int_equal(les_engine_open(&engine, &tiny.model, inputs, N_INPUTS, &lesions, NULL, o), LES_OK);
  for (int twice = 0; twice < 2; twice++)
    assert_int_equal(les_engine_run(engine, cells, n, compare, &seen, NULL), LES_OK);
  assert_int_equal(seen, 2 * n);
  les_engine_close(&engine);
}

static void any_batch_gives_the_same(void **state) {
  (void)state;
  static const int rows[] = {1, 2, 7, 64};
  for (int i = 0; i < 4; i++)
    run_all(LES_WANT_KL,
            &(les_engine_options){.compute = LES_COMPUTE_F32, .threads = 1 + i % 2, .max_rows = rows[i]});
}

static void any_memory_gives_the_same(void **state) {
  (void)state;
  for (size_t limit = 1; limit < (1 << 22); limit *= 8)
    run_all(LES_WANT_KL,
            &(les_engine_options){
                .compute = LES_COMPUTE_F32, .threads = 1, .max_rows = 16, .memory_limit = limit});
}

/* The memory that an engine holds whatever it runs: scratch of sampling in each thread, none where the
 * likeliest token is taken. */
static void sampling_takes_memory_of_each_thread(void **state) {
  (void)state;
  les_engine_options greedy = {.threads = 3, .max_rows = 16}, sampled = greedy;
  sampled.sampling.temperature = 1;
  size_t bytes = les_engine_fixed_bytes(&tiny.model, &greedy);
  assert_int_equal(bytes, les_workspace_bytes(&tiny.model, 16, 3));
  assert_int_equal(les_engine_fixed_bytes(&tiny.model, &sampled) - bytes, 3 * VOCAB * sizeof(les_candidate));
}

static void generation_alone_gives_the_same_tokens(void **state) {
  (void)state;
  run_all(0, &(les_engine_options){.compute = LES_COMPUTE_F32, .threads = 2});
  run_all(LES_WANT_TRACE | LES_WANT_LOGPROB_INTACT,
          &(les_engine_options){.compute = LES_COMPUTE_F32, .threads = 1, .max_rows = 3});
}

static les_status check_rescore(void *ctx, int index, const les_outcome *o) {
  (void)index, (void)ctx;
  float logits[CAPACITY][VOCAB];
  const expected *e = &reference[o->lesion + 1][o->input];
  run_alone(NULL, e->tokens, lengths[o->input] + NEW, logits);
  double sum = 0;
  for (int i = lengths[o->input]; i < lengths[o->input] + NEW; i++)
    sum += logits[i - 1][e->tokens[i]] - les_log_sum_exp(logits[i - 1], VOCAB);
  assert_true(fabs(sum / NEW - (double)o->logprob_intact) < 1e-5);
  return LES_OK;
}

static void the_intact_model_rescores_the_continuation(void **state) {
  (void)state;
  les_engine_item cells[N_LESIONS * N_INPUTS];
  for (int i = 0; i < N_LESIONS * N_INPUTS; i++) cells[i] = (les_engine_item){i / N_INPUTS, i % N_INPUTS};
  les_engine *engine;
  for (int i = 0; i < N_INPUTS; i++) inputs[i].want = LES_WANT_LOGPROB_INTACT;
  les_engine_options o = {.compute = LES_COMPUTE_F32, .threads = 2};
  assert_int_equal(les_engine_open(&engine, &tiny.model, inputs, N_INPUTS, &lesions, NULL, &o), LES_OK);
  assert_int_equal(les_engine_run(engine, cells, N_LESIONS * N_INPUTS, check_rescore, NULL, NULL), LES_OK);
  les_engine_close(&engine);
}

/* What the intact model samples with each seed, from an engine whose own seed it is. */
static int32_t sampled[2][N_INPUTS][NEW];

static les_status keep_sampled(void *ctx, int index, const les_outcome *o) {
  (void)index;
  int32_t(*out)[NEW] = ctx;
  assert_int_equal(o->n_tokens, NEW);
  memcpy(out[o->input], o->tokens, NEW * sizeof(int32_t));
  return LES_OK;
}

static les_status compare_sampled(void *ctx, int index, const les_outcome *o) {
  (void)index;
  assert_int_equal(o->n_tokens, NEW);
  assert_memory_equal(o->tokens, sampled[o->lesion][o->input], NEW * sizeof(int32_t));
  for (int i = 0; i < o->n_forced; i++) assert_true(o->kl[i] == 0 && o->nll[i] == o->intact->nll[i]);
  *(int *)ctx += memcmp(o->tokens, o->intact->tokens, NEW * sizeof(int32_t)) != 0;
  return LES_OK;
}

/* Under "none:seed=S" the intact model gives what it gives in an engine with that seed, not the draft. */
static void a_control_samples_with_its_own_seed(void **state) {
  (void)state;
  static const char *const controls[] = {"none:seed=5", "none:seed=4"};
  static const uint64_t seeds[] = {5, 4}; /* the second one is the engine's */
  les_engine_item items[N_INPUTS * 2];
  les_lesions l;
  les_engine *engine;
  les_engine_options o = {.compute = LES_COMPUTE_F32, .threads = 2, .sampling = {1, 0, 1, 0}};
  assert_int_equal(les_lesions_parse(&l, controls, 2, &tiny.model.hparams), LES_OK);
  for (int i = 0; i < N_INPUTS; i++) {
    inputs[i].want = LES_WANT_KL | LES_WANT_FORCED;
    inputs[i].stream = (uint64_t)i;
  }
  for (int k = 0; k < 2; k++) {
    o.sampling.seed = seeds[k];
    for (int i = 0; i < N_INPUTS; i++) items[i] = (les_engine_item){LES_INTACT, i};
    assert_int_equal(les_engine_open(&engine, &tiny.model, inputs, N_INPUTS, &l, NULL, &o), LES_OK);
    assert_int_equal(les_engine_run(engine, items, N_INPUTS, keep_sampled, sampled[k], NULL), LES_OK);
    les_engine_close(&engine);
  }
  for (int i = 0; i < 2 * N_INPUTS; i++) items[i] = (les_engine_item){i / N_INPUTS, i % N_INPUTS};
  for (int rows = 1; rows <= 64; rows *= 8) {
    int different = 0;
    o.max_rows = rows;
    assert_int_equal(les_engine_open(&engine, &tiny.model, inputs, N_INPUTS, &l, NULL, &o), LES_OK);
    assert_int_equal(les_engine_run(engine, items, 2 * N_INPUTS, compare_sampled, &different, NULL), LES_OK);
    assert_int_equal(different, N_INPUTS);
    les_engine_close(&engine);
  }
  les_lesions_free(&l);
}

/* Eight lesions with parameters of their own, memory for about two of them. */
static void replaced_parameters_keep_to_the_limit(void **state) {
  (void)state;
  enum { N = 8 };
  const char *const redrawn[] = {"reinit@0:seed=1", "reinit@0:seed=2", "reinit@1:seed=1", "reinit@1:seed=2",
                                 "reinit@2:seed=1", "reinit@2:seed=2", "noise@0:sigma=1", "noise@2:sigma=1"};
  les_lesions l;
  assert_int_equal(les_lesions_parse(&l, redrawn, N, &tiny.model.hparams), LES_OK);
  size_t one = les_lesion_plan_bytes(&tiny.model, &l.items[0]), room = 2 * one + one / 2;
  les_plan_cache *plans;
  assert_int_equal(les_plan_cache_open(&plans, &tiny.model, &l, NULL, 1), LES_OK);
  for (int i = 0; i < N; i++) {
    const les_lesion_plan *plan;
    les_plan_cache_trim(plans, room - les_plan_cache_cost(plans, i));
    assert_int_equal(les_plan_cache_take(plans, i, &plan), LES_OK);
    assert_in_range(les_plan_cache_bytes(plans), one, room);
    les_plan_cache_give_back(plans, i);
  }
  les_plan_cache_close(&plans);
  les_lesions_free(&l);
}

static bool at_once(void *ctx) {
  (void)ctx;
  return true;
}

static void a_stop_ends_the_run(void **state) {
  (void)state;
  les_engine *engine;
  les_engine_options o = {.compute = LES_COMPUTE_F32, .threads = 1};
  assert_int_equal(les_engine_open(&engine, &tiny.model, inputs, N_INPUTS, &lesions, NULL, &o), LES_OK);
  les_engine_item cell = {.lesion = 1, .input = 0};
  int seen = 0;
  measured = false;
  for (int i = 0; i < N_INPUTS; i++) inputs[i].want = 0;
  assert_int_equal(les_engine_run(engine, &cell, 1, compare, &seen, at_once), LES_STOPPED);
  assert_int_equal(les_engine_run(engine, &cell, 1, compare, &seen, NULL), LES_OK);
  assert_int_equal(seen, 1);
  les_engine_close(&engine);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_batch_gives_the_same),
      cmocka_unit_test(any_memory_gives_the_same),
      cmocka_unit_test(sampling_takes_memory_of_each_thread),
      cmocka_unit_test(generation_alone_gives_the_same_tokens),
      cmocka_unit_test(the_intact_model_rescores_the_continuation),
      cmocka_unit_test(a_control_samples_with_its_own_seed),
      cmocka_unit_test(replaced_parameters_keep_to_the_limit),
      cmocka_unit_test(a_stop_ends_the_run),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
