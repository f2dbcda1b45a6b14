/* Every allocation fails once: each must end in LES_FAILED with a message that says so, without a leak or a
 * crash, and never in a result. Linked with --wrap for the allocating functions (see CMakeLists.txt). */
#include "engine/calibrate.h"
#include "engine/engine.h"
#include "engine/importance.h"
#include "model/load.h"
#include "synth/synth.h"
#include "tiny_model.h"
#include "unit.h"

#include <cjson/cJSON.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);

static long left = -1; /* allocations before the one that fails; -1: none fails */

static bool fails(void) {
  return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t n) {
  return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
  return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
  return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n) {
  return fails() ? NULL : __real_aligned_alloc(alignment, n);
}

char *__wrap_strdup(const char *text) {
  return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n) {
  return fails() ? NULL : __real_strndup(text, n);
}

static tiny_model tiny;
static const char *const specs[] = {"skip@0.attn", "noise@1:sigma=0.5+scale@2.attn.head1:alpha=2",
                                    "zero@0-1.mlp+reinit@2+svd@1.attn.k:rank=2", "mean@1.mlp"};
enum { N_LESIONS = sizeof specs / sizeof *specs, N_TOKENS = 6, MANY = 10000 };
static int32_t tokens[N_TOKENS] = {3, 1, 4, 1, 5, 9};
static const les_passage passage = {.tokens = {tokens, N_TOKENS}, .weight = 1};
static les_lesions lesions;
static les_means *means;

/* Runs `call` with the first allocation failing, then the second, and so on until none is left to fail. */
static void fail_each(les_status (*call)(void)) {
  for (long k = 0; k < MANY; k++) {
    left = k;
    les_status status = call();
    bool failed = left < 0;
    left = -1;
    if (!failed) {
      if (status != LES_OK) fail_msg("%s", les_message());
      return;
    }
    assert_int_equal(status, LES_FAILED);
    assert_message("out of memory");
  }
  fail();
}

static les_status parse(void) {
  les_lesions l;
  les_status status = les_lesions_parse(&l, specs, N_LESIONS, &tiny.model.hparams);
  les_lesions_free(&l);
  return status;
}

static les_status plan(void) {
  for (int i = 0; i < lesions.n; i++) {
    les_lesion_plan *p;
    les_status status = les_lesion_plan_open(&p, &tiny.model, &lesions.items[i], means, 1);
    les_lesion_plan_close(&p);
    LES_TRY(status);
  }
  return LES_OK;
}

static les_status calibrate(void) {
  les_means *m;
  les_status status = les_means_compute(&m, &tiny.model, &passage, 1, LES_COMPUTE_F32, 1);
  les_means_free(&m);
  return status;
}

static les_status importance(void) {
  les_importance *i;
  les_status status = les_importance_compute(&i, &tiny.model, &passage, 1, LES_COMPUTE_F32, 1, NULL);
  les_importance_free(&i);
  return status;
}

static les_status no_nan(void *ctx, int index, const les_outcome *o) {
  (void)ctx, (void)index;
  assert_int_equal(o->stop, LES_STOP_LENGTH);
  return LES_OK;
}

static les_status sample(void) {
  les_input input = {tokens, N_TOKENS, 0, 5, LES_WANT_KL | LES_WANT_TRACE | LES_WANT_LOGPROB_INTACT, 0};
  les_engine_options options = {.compute = LES_COMPUTE_F32,
                                .threads = 1,
                                .sampling = {.temperature = 1, .top_p = 1},
                                .ignore_eos = true};
  les_engine_item items[N_LESIONS + 1];
  for (int i = 0; i <= N_LESIONS; i++) items[i] = (les_engine_item){.lesion = i - 1};
  les_engine *engine;
  les_status status = les_engine_open(&engine, &tiny.model, &input, 1, &lesions, means, &options);
  if (status == LES_OK) status = les_engine_run(engine, items, N_LESIONS + 1, no_nan, NULL, NULL);
  les_engine_close(&engine);
  return status;
}

static char folder[64], path[128];
static bool neo; /* the made-up model is a GPT-Neo, else a Gemma 3 */

/* Writes a small model to `path`. */
static les_status synthesize(void) {
  les_config c = {.arch = les_arch_find(neo ? "gptneo" : "gemma3"),
                  .hparams = {.n_layers = 2,
                              .n_embd = 64,
                              .n_ff = 64,
                              .n_heads = 2,
                              .n_vocab = 300,
                              .n_ctx = 32,
                              .norm_eps = 1e-5f,
                              .init_range = 0.02f},
                  .window = 8,
                  .rope = {{.base = 10000}, {.base = 10000}},
                  .tied = true};
  c.name = strdup("tiny");
  les_status status = c.name ? les_config_finish(&c, 100) : les_no_memory("a name");
  if (status == LES_OK) {
    les_config_set_windows(&c, 0);
    status = les_synth_write(path, &(les_synth){.config = &c, .type = LES_F32});
  }
  les_config_free(&c);
  return status;
}

static les_status load(void) {
  les_model *m;
  les_status status = les_model_open(&m, path, &(les_model_options){.no_tokenizer = true});
  les_model_close(&m);
  return status;
}

static void remove_model(const char *path_or_folder) {
  static const char *const names[] = {"config.json", "model.safetensors", "tokenizer.json",
                                      "tokenizer_config.json"};
  char file[200];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(file, sizeof file, "%s/%s", path_or_folder, names[i]);
    unlink(file);
  }
  if (rmdir(path_or_folder) != 0) unlink(path_or_folder);
}

static void models_are_not_written_or_read(void **state) {
  (void)state;
  static const char *const files[] = {"m.gguf", "gemma", "neo"};
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, files[i]);
    neo = i == 2;
    cJSON_InitHooks(&(cJSON_Hooks){malloc, free});
    fail_each(synthesize);
    cJSON_InitHooks(NULL); /* a parser that runs out of memory says that the text is no JSON */
    fail_each(load);
    remove_model(path);
  }
}

static void lesions_are_not_parsed(void **state) {
  (void)state;
  fail_each(parse);
}

static void lesions_are_not_planned(void **state) {
  (void)state;
  fail_each(plan);
}

/* How much memory a plan needs is known without any; 0 would let it in where there is no room. */
static void the_size_of_a_plan_is_never_wrong(void **state) {
  (void)state;
  for (int i = 0; i < lesions.n; i++) {
    size_t bytes = les_lesion_plan_bytes(&tiny.model, &lesions.items[i]);
    for (long k = 0; k < 3; k++) {
      left = k;
      assert_int_equal(les_lesion_plan_bytes(&tiny.model, &lesions.items[i]), bytes);
    }
    left = -1;
  }
}

static void a_text_is_not_measured(void **state) {
  (void)state;
  fail_each(calibrate);
  fail_each(importance);
}

/* Sampling once took it for NaN logits, and the outcome was stored as finished. */
static void nothing_is_sampled(void **state) {
  (void)state;
  fail_each(sample);
}

static int set_up(void **state) {
  (void)state;
  tiny_model_make(&tiny);
  return scratch_open(folder) != 0 ||
         les_lesions_parse(&lesions, specs, N_LESIONS, &tiny.model.hparams) != LES_OK ||
         les_means_compute(&means, &tiny.model, &passage, 1, LES_COMPUTE_F32, 1) != LES_OK;
}

static int tear_down(void **state) {
  (void)state;
  les_means_free(&means);
  les_lesions_free(&lesions);
  tiny_model_free(&tiny);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lesions_are_not_parsed),
      cmocka_unit_test(lesions_are_not_planned),
      cmocka_unit_test(the_size_of_a_plan_is_never_wrong),
      cmocka_unit_test(a_text_is_not_measured),
      cmocka_unit_test(nothing_is_sampled),
      cmocka_unit_test(models_are_not_written_or_read),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
