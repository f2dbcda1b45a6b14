#include "job/job.h"

#include "unit.h"

#include <stdio.h>

static char folder[64];

static int set_up(void **state) {
  (void)state;
  return scratch_open(folder);
}

static int tear_down(void **state) {
  (void)state;
  return rmdir(folder);
}

static les_status open_text(const char *text, size_t n, les_job **job) {
  char path[128];
  assert_int_equal(scratch_write(folder, "job.json", text, n, path), 0);
  les_status s = les_job_open(job, path);
  unlink(path);
  return s;
}

#define START "{\"model\": \"m.gguf\", \"prompts\": \"/data/p.jsonl\", \"lesions\": [\"skip@each\"]"

static void defaults(void **state) {
  (void)state;
  les_job *job;
  const char *text = START "}";
  assert_int_equal(open_text(text, strlen(text), &job), LES_OK);
  char expected[128];
  snprintf(expected, sizeof expected, "%s/m.gguf", folder);
  assert_string_equal(job->model_path, expected);
  assert_string_equal(job->prompts_path, "/data/p.jsonl");
  snprintf(expected, sizeof expected, "%s/job.h5", folder);
  assert_string_equal(job->output, expected);
  assert_int_equal(job->n_measures, 2);
  assert_string_equal(job->measures[0], "jaccard");
  assert_string_equal(job->measures[1], "kl");
  assert_int_equal(job->max_new_tokens, 0);
  assert_int_equal(job->compute, LES_COMPUTE_AUTO);
  assert_true(job->sampling.top_p == 1 && job->sampling.temperature == 0);
  les_job_close(&job);
  assert_null(job);
}

static void everything_set(void **state) {
  (void)state;
  les_job *job;
  const char *text = START ", \"generate\": {\"max_new_tokens\": 64, \"temperature\": 0.7, \"top_k\": 40,"
                           "\"top_p\": 0.95, \"ignore_eos\": true}, \"measures\": [\"nll\", \"kl\", \"nll\"],"
                           "\"compute\": \"int16\", \"seed\": 7, \"threads\": 2, \"calibration\": \"c.txt\","
                           "\"output\": \"o.h5\", \"about\": \"what for\"}";
  assert_int_equal(open_text(text, strlen(text), &job), LES_OK);
  assert_int_equal(job->max_new_tokens, 64);
  assert_true(job->sampling.temperature == 0.7f && job->ignore_eos && job->sampling.top_k == 40);
  assert_int_equal(job->n_measures, 2);
  assert_string_equal(job->measures[0], "nll");
  assert_string_equal(job->measures[1], "kl");
  assert_int_equal(job->compute, LES_COMPUTE_INT16);
  assert_true(job->seed == 7 && job->sampling.seed == 7 && job->threads == 2);
  les_job_close(&job);
}

/* Each text has to be refused with a message that holds the words beside it. */
static void errors_name_the_trouble(void **state) {
  (void)state;
  static const struct {
    const char *text, *words;
  } cases[] = {
      {"", ":1:1: not valid JSON"},
      {"{", "ends too early"},
      {"[]", "not a JSON object"},
      {"{}", "'model' is missing"},
      {"{\"model\": 3}", "'model' has to be a string"},
      {"{\"about\": 3}", "'about' has to be a string"},
      {"{\"modle\": \"x\"}", "did you mean 'model'"},
      {"{\"zzzzzzzzzzz\": 1}", "'zzzzzzzzzzz', which is not known"},
      {"{\"model\": \"a\",\n \"model\": \"b\"}", "twice"},
      {"{\"model\": \"x\",\n\n \"prompts\" \"y\"}", ":3:12: not valid JSON"},
      {"{\"model\": \"x\", \"lesions\": [\"skip@0\"]}", "neither 'prompts' nor 'tasks'"},
      {"{\"model\": \"x\", \"prompts\": \"y\"}", "'lesions' has to be a list"},
      {"{\"model\": \"x\", \"prompts\": \"y\", \"lesions\": []}", "'lesions' has to be a list"},
      {"{\"model\": \"x\", \"prompts\": \"y\", \"lesions\": [3]}", "strings only"},
      {START ", \"measures\": [\"jacard\"]}", "known are jaccard, "},
      {START ", \"generate\": {}}", "max_new_tokens"},
      {START ", \"generate\": 3}", "'generate' is not a JSON object"},
      {START ", \"generate\": {\"max_new_tokens\": -1}}", "from 0"},
      {START ", \"generate\": {\"max_new_tokens\": 1e99}}", "from 0"},
      {START ", \"generate\": {\"max_new_tokens\": 1.5}}", "whole number"},
      {START ", \"generate\": {\"max_new_tokens\": 5, \"temprature\": 1}}", "did you mean 'temperature'"},
      {START ", \"temprature\": 1}", "'temprature' is not known here; did you mean that of 'generate'"},
      {START ", \"max_new_tokens\": 5}", "as in \"generate\": {\"max_new_tokens\": ...}"},
      {START ", \"generate\": {\"max_new_tokens\": 5, \"seed\": 1}}", "the key beside 'generate'"},
      {"{\"model\": \"x\",\n \"lesions\": [\"skip@0\",\n ]}", ":3:2: not valid JSON: a comma before ']'"},
      {"{\"model\": \"\xc3\xa9\",}", ":1:15: not valid JSON: a comma before '}'"},
      {START ", \"generate\": {\"max_new_tokens\": 5, \"samples\": 2}}", "'temperature' above 0"},
      {START ", \"generate\": {\"max_new_tokens\": 5, \"temperature\": 1, \"samples\": 0}}", "'samples'"},
      {START ", \"compute\": \"f64\"}", "not 'f64'"},
      {START ", \"seed\": -3}", "'seed'"},
      {START ", \"threads\": 0}", "'threads'"},
      {START "} x", "not valid JSON near 'x'"},
      {"{\"model\": \"\xff\"}", "not valid UTF-8 (byte 0xff at offset"},
      {"{\"model\": \"a\\u0000b\"}", "null character"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_job *job;
    /* what is no JSON cannot be read; what says something wrong is wrong usage, as on the command line */
    bool json = !strstr(cases[i].words, "not valid") && !strstr(cases[i].words, "too early") &&
                !strstr(cases[i].words, "null character");
    assert_int_equal(open_text(cases[i].text, strlen(cases[i].text), &job), json ? LES_USAGE : LES_FAILED);
    assert_null(job);
    assert_message(cases[i].words);
    assert_message("job.json");
  }
}

static void missing_file_and_folder(void **state) {
  (void)state;
  les_job *job;
  assert_int_equal(les_job_open(&job, "/nowhere/job.json"), LES_FAILED);
  assert_message("/nowhere/job.json");
  assert_int_equal(les_job_open(&job, "/tmp"), LES_FAILED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults),
      cmocka_unit_test(everything_set),
      cmocka_unit_test(errors_name_the_trouble),
      cmocka_unit_test(missing_file_and_folder),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
