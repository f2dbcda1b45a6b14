#include "base/json.h"
#include "job/study.h"
#include "model/load.h"

#include "unit.h"

#include <stdio.h>

#define MODELS TEST_DATA "/models/"

static char folder[64];
static les_model *model;

static int set_up(void **state) {
  (void)state;
  if (les_model_open(&model, MODELS "stories260K/stories260K.gguf", NULL) != LES_OK) return -1;
  return scratch_open(folder);
}

static int tear_down(void **state) {
  (void)state;
  les_model_close(&model);
  return rmdir(folder);
}

/* Opens the study of a job whose keys after model and prompts are `rest`, with these prompts. */
static les_status open_study(const char *prompts, const char *rest, const les_model *m, les_job **job,
                             les_study **study) {
  char text[1024], job_path[128], prompts_path[128];
  snprintf(text, sizeof text, "{\"model\": \"m\", \"prompts\": \"p.jsonl\", %s}", rest);
  assert_int_equal(scratch_write(folder, "job.json", text, strlen(text), job_path), 0);
  assert_int_equal(scratch_write(folder, "p.jsonl", prompts, strlen(prompts), prompts_path), 0);
  *study = NULL;
  les_status s = les_job_open(job, job_path);
  if (s == LES_OK) s = les_study_open(study, *job, m);
  unlink(job_path);
  unlink(prompts_path);
  return s;
}

#define PROMPT(text) "{\"id\": \"a\", \"domain\": \"d\", \"prompt\": \"" text "\"}\n"
#define SKIP         "\"lesions\": [\"skip@each\"]"

#define SAMPLED(more)                                                                                        \
  "\"lesions\": [\"none:seed=3\"], \"generate\": {\"max_new_tokens\": 8, \"temperature\": 1" more "}"

/* Several samples are another job; one is the job that does not say it. */
static void samples_are_part_of_the_job(void **state) {
  (void)state;
  static const char *const rests[] = {SAMPLED(""), SAMPLED(", \"samples\": 1"), SAMPLED(", \"samples\": 2")};
  les_job *jobs[3];
  les_study *studies[3];
  for (int i = 0; i < 3; i++) {
    assert_int_equal(open_study(PROMPT("The sun is"), rests[i], model, &jobs[i], &studies[i]), LES_OK);
    assert_int_equal(studies[i]->columns.n, i < 2 ? 1 : 2);
  }
  assert_string_equal(studies[0]->columns.items[0].id, "a");
  assert_string_equal(studies[2]->columns.items[1].id, "a#2");
  assert_string_equal(studies[0]->json, studies[1]->json);
  assert_non_null(strstr(studies[2]->json, "\"samples\":2"));
  for (int i = 0; i < 3; i++) les_study_close(&studies[i]), les_job_close(&jobs[i]);
}

static void a_control_needs_a_temperature(void **state) {
  (void)state;
  les_job *job;
  les_study *study;
  assert_int_equal(open_study(PROMPT("The sun is"),
                              "\"lesions\": [\"none:seed=3\"], \"generate\": {\"max_new_tokens\": 8}", model,
                              &job, &study),
                   LES_USAGE);
  assert_message("lesion 'none:seed=3' samples with another seed, but nothing is sampled");
  les_job_close(&job);
}

static void everything_is_made(void **state) {
  (void)state;
  les_job *job;
  les_study *study;
  assert_int_equal(
      open_study(PROMPT("The sun is"), SKIP ", \"generate\": {\"max_new_tokens\": 8}", model, &job, &study),
      LES_OK);
  assert_int_equal(study->lesions.n, 5);
  const int32_t expected[] = {1, 291, 262, 379, 410, 293};
  assert_int_equal(study->prompts.items[0].tokens.n, 6);
  assert_memory_equal(study->prompts.items[0].tokens.ids, expected, sizeof expected);
  assert_true(study->layout.has[LES_FIELD_JACCARD] && study->layout.has[LES_FIELD_KL_MEAN]);
  assert_non_null(strstr(study->json, "\"lesions\":[\"skip@0\",\"skip@1\""));
  assert_null(strstr(study->json, folder));
  assert_null(strstr(study->json, "chat"));
  assert_null(strstr(study->json, "special"));
  assert_null(study->warning);
  les_study_close(&study);
  les_job_close(&job);
}

static void json_leaves_out_what_does_not_change_results(void **state) {
  (void)state;
  les_job *jobs[2];
  les_study *studies[2];
  const char *rest[] = {SKIP ", \"measures\": [\"nll\", \"kl\"], \"threads\": 2, \"output\": \"x.h5\"",
                        "\"lesions\": [\"skip@0\", \"skip@1\", \"skip@2\", \"skip@3\", \"skip@4\"], "
                        "\"measures\": [\"kl\", \"nll\"]"};
  for (int i = 0; i < 2; i++)
    assert_int_equal(open_study(PROMPT("A"), rest[i], model, &jobs[i], &studies[i]), LES_OK);
  assert_string_equal(studies[0]->json, studies[1]->json);
  for (int i = 0; i < 2; i++) {
    les_study_close(&studies[i]);
    les_job_close(&jobs[i]);
  }
}

static void empty_prompt_is_the_begin_token(void **state) {
  (void)state;
  les_job *job;
  les_study *study;
  assert_int_equal(open_study(PROMPT(""), SKIP, model, &job, &study), LES_OK);
  assert_int_equal(study->prompts.items[0].tokens.n, 1);
  assert_int_equal(study->prompts.items[0].tokens.ids[0], 1);
  assert_non_null(strstr(study->warning, "prompt 'a' is empty: it is the begin token alone"));
  les_study_close(&study);
  les_job_close(&job);
}

static void contradictions_are_named(void **state) {
  (void)state;
  static const struct {
    const char *prompts, *rest, *words;
    les_status status;
  } cases[] = {
      {PROMPT("A"), "\"lesions\": [\"skip@9\"]", "skip@9", LES_USAGE},
      {PROMPT("A"), "\"lesions\": [\"skip@1\", \"skip@each\"]", "skip@1", LES_USAGE},
      {PROMPT("A"), "\"lesions\": [\"mean@1.mlp\"]", "'calibration'", LES_USAGE},
      {PROMPT("A"), SKIP ", \"generate\": {\"max_new_tokens\": 600}", "context of 512", LES_FAILED},
      {PROMPT("A"), SKIP ", \"measures\": [\"jaccard\"]", "nothing is generated", LES_USAGE},
      {"", SKIP, "holds no prompt", LES_FAILED},
      {PROMPT("A"), SKIP ", \"system\": \"Be brief.\"", "'system' needs \"chat\": true", LES_USAGE},
      {PROMPT("A"), SKIP ", \"chat\": true", "job.json: the model brings no chat template", LES_FAILED},
      {PROMPT("A"), SKIP ", \"chat\": 1", "'chat' has to be true or false", LES_USAGE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_job *job;
    les_study *study;
    assert_int_equal(open_study(cases[i].prompts, cases[i].rest, model, &job, &study), cases[i].status);
    assert_message(cases[i].words);
    assert_null(study);
    les_job_close(&job);
  }
}

static long until_failure; /* cJSON's allocations before the one that fails */

static void *failing_malloc(size_t n) {
  return until_failure-- != 0 ? malloc(n) : NULL;
}

/* Whichever allocation fails while the job is described, there is no study: half a description would be that
 * of another job. */
static void json_is_whole_or_the_study_fails(void **state) {
  (void)state;
  les_job *job;
  les_study *study, *again;
  assert_int_equal(
      open_study(PROMPT("A"), SKIP ", \"generate\": {\"max_new_tokens\": 8}", model, &job, &study), LES_OK);
  char prompts_path[128];
  assert_int_equal(scratch_write(folder, "p.jsonl", PROMPT("A"), strlen(PROMPT("A")), prompts_path), 0);
  cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = failing_malloc, .free_fn = free});
  int failures = 0;
  for (long n = 0;; n++, failures++) { /* until the study is made before the failure */
    until_failure = n;
    if (les_study_open(&again, job, model) == LES_OK) break;
    assert_null(again);
    if (n > 20) assert_message("out of memory"); /* the first ones are the prompt's */
  }
  cJSON_InitHooks(NULL);
  assert_true(failures > 40 && until_failure >= 0);
  assert_string_equal(again->json, study->json);
  unlink(prompts_path);
  les_study_close(&again);
  les_study_close(&study);
  les_job_close(&job);
}

static void model_without_tokenizer_says_why(void **state) {
  (void)state;
  les_model mute = *model;
  les_job *job;
  les_study *study;
  mute.tokenizer = NULL;
  mute.tokenizer_missing = "no tokenizer.json here";
  assert_int_equal(open_study(PROMPT("A"), SKIP, &mute, &job, &study), LES_FAILED);
  assert_message("no tokenizer.json here");
  les_job_close(&job);
}

/* The model with a tokenizer that has special tokens and, in ChatML, a chat template. */
static les_tokenizer *open_chat_tokenizer(void) {
  static const char config[] = "{\"chat_template\": \"{% for m in messages %}{% if m.role == 'tool' %}"
                               "{{ raise_exception('No tools here') }}{% endif %}<|im_start|>{{ m.role }}\\n"
                               "{{ m.content }}<|im_end|>\\n{% endfor %}<|im_start|>assistant\\n\"}";
  char path[128];
  les_tokenizer *tok;
  assert_int_equal(scratch_write(folder, "tokenizer_config.json", config, strlen(config), path), 0);
  assert_int_equal(les_tokenizer_open_json(&tok, TEST_DATA "/chat/tokenizer.json", path), LES_OK);
  unlink(path);
  return tok;
}

/* What the tokens of the first prompt of a study are, special ones written out; malloc'ed. */
static char *first_prompt(const les_study *study) {
  char *text;
  const les_tokens *t = &study->prompts.items[0].tokens;
  assert_int_equal(les_decode_with(study->model->tokenizer, t->ids, t->n,
                                   &(les_decode_options){.special = true}, &text, NULL),
                   LES_OK);
  return text;
}

/* Special tokens, the chat template, conversations and a system message; each is part of the job's identity,
 * and only where it is set. */
static void prompts_are_encoded_as_the_job_says(void **state) {
  (void)state;
#define TURNS "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}\n"
#define OWN                                                                                                  \
  "{\"messages\": [{\"role\": \"system\", \"content\": \"S\"}, {\"role\": \"user\", \"content\": "           \
  "\"Hi\"}]}\n"
  static const struct {
    const char *prompts, *rest, *text, *json, *warning;
    int special; /* tokens <|im_start|> */
  } cases[] = {
      {PROMPT("<|im_start|>user"), SKIP, "<|begin_of_text|><|im_start|>user", NULL,
       "prompt 'a' spells out the special token '<|im_start|>', which is plain text here; set \"special\": "
       "true",
       0},
      {PROMPT("<|im_start|>user"), SKIP ", \"special\": true", "<|begin_of_text|><|im_start|>user",
       "\"special\":true}", NULL, 1},
      {PROMPT("Hi"), SKIP ", \"chat\": true", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant",
       "\"chat\":true,\"chat_template_sha256\":\"", NULL, 2},
      {PROMPT("Hi"), SKIP ", \"chat\": true, \"system\": \"S\"",
       "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant",
       "\"chat\":true,\"system\":\"S\",\"chat_template_sha256\":\"", NULL, 3},
      {TURNS, SKIP, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant", "\"chat_template_sha256\":\"",
       NULL, 2},
      {TURNS, SKIP ", \"system\": \"S\"",
       "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant",
       "\"system\":\"S\"", NULL, 3},
      {OWN, SKIP ", \"system\": \"T\"",
       "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant",
       "\"system\":\"T\"", NULL, 3},
  };
  les_model chatty = *model;
  les_tokenizer *tok = open_chat_tokenizer();
  chatty.tokenizer = tok;
  int32_t start = les_tokenizer_find(tok, "<|im_start|>");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_job *job;
    les_study *study;
    if (open_study(cases[i].prompts, cases[i].rest, &chatty, &job, &study) != LES_OK)
      fail_msg("%s", les_message());
    char *text = first_prompt(study);
    assert_string_equal(text, cases[i].text);
    int n = 0;
    for (int k = 0; k < study->prompts.items[0].tokens.n; k++)
      n += study->prompts.items[0].tokens.ids[k] == start;
    assert_int_equal(n, cases[i].special);
    if (cases[i].json) assert_non_null(strstr(study->json, cases[i].json));
    if (!cases[i].json) assert_null(strstr(study->json, "special"));
    if (cases[i].warning) assert_non_null(strstr(study->warning, cases[i].warning));
    if (!cases[i].warning) assert_null(study->warning);
    free(text);
    les_study_close(&study);
    les_job_close(&job);
  }
  les_job *job;
  les_study *study;
  assert_int_equal(
      open_study("{\"messages\": [{\"role\": \"tool\", \"content\": \"x\"}]}", SKIP, &chatty, &job, &study),
      LES_FAILED);
  assert_message("p.jsonl: prompt '1': the model's chat template refuses the conversation: No tools here");
  les_job_close(&job);
  les_tokenizer_close(&tok);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_is_made),
      cmocka_unit_test(samples_are_part_of_the_job),
      cmocka_unit_test(a_control_needs_a_temperature),
      cmocka_unit_test(json_leaves_out_what_does_not_change_results),
      cmocka_unit_test(empty_prompt_is_the_begin_token),
      cmocka_unit_test(contradictions_are_named),
      cmocka_unit_test(json_is_whole_or_the_study_fails),
      cmocka_unit_test(model_without_tokenizer_says_why),
      cmocka_unit_test(prompts_are_encoded_as_the_job_says),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
