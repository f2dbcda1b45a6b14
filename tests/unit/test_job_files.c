/* The job files that come with the program: each is read, its prompts are there, and its lesions fit a model
 * of the shape it is meant for. */
#include "data/prompts.h"
#include "job/job.h"
#include "lesion/lesion.h"
#include "unit.h"

#include <glob.h>
#include <stdio.h>

#define JOBS TEST_DATA "/../../jobs"

static const struct {
  const char *name;
  int n_layers;
  bool gated;
  int n_lesions, n_prompts;
} studies[] = {
    {"demo", 5, true, 5, 40},
    {"gemma-3-12b-dead-layers", 48, true, 6, 2},
    {"gemma-3-12b-dead-layers-texts", 48, true, 6, 2},
    {"gpt-neo-1.3b-pillars", 24, false, 576, 50},
    {"llama-3.2-1b-layer-map", 16, true, 16, 500},
    {"llama-3.2-3b-attention-drop", 28, true, 29, 50},
    {"small/attention-drop", 5, true, 6, 10},
    {"small/dead-layers", 5, true, 6, 2},
    {"small/layer-map", 5, true, 5, 10},
    {"small/pillars", 5, true, 30, 10},
};
enum { n_studies = sizeof studies / sizeof *studies };

static void test_files(void **state) {
  (void)state;
  for (int i = 0; i < n_studies; i++) {
    char path[4096];
    snprintf(path, sizeof path, JOBS "/%s.json", studies[i].name);
    les_job *job;
    if (les_job_open(&job, path) != LES_OK) fail_msg("%s", les_message());
    les_hparams hparams = {.n_layers = studies[i].n_layers,
                           .n_heads = 8,
                           .n_kv_heads = 8,
                           .head_dim = 8,
                           .n_embd = 64,
                           .n_ff = 128,
                           .gated = studies[i].gated};
    les_lesions lesions;
    if (les_lesions_parse(&lesions, (const char *const *)job->lesion_specs, job->n_lesion_specs, &hparams) !=
        LES_OK)
      fail_msg("%s: %s", path, les_message());
    assert_int_equal(lesions.n, studies[i].n_lesions);
    les_prompts prompts;
    if (les_prompts_read(&prompts, job->prompts_path) != LES_OK) fail_msg("%s", les_message());
    assert_int_equal(prompts.n, studies[i].n_prompts);
    les_prompts_free(&prompts);
    les_lesions_free(&lesions);
    les_job_close(&job);
  }
}

static void test_none_is_left_out(void **state) {
  (void)state;
  glob_t found;
  assert_int_equal(glob(JOBS "/*.json", 0, NULL, &found), 0);
  assert_int_equal(glob(JOBS "/*/*.json", GLOB_APPEND, NULL, &found), 0);
  assert_int_equal(found.gl_pathc, n_studies);
  globfree(&found);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_files), cmocka_unit_test(test_none_is_left_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
