/* What is scored for each document of each task, against lm-evaluation-harness's own requests; errors in data
 * files; scores from given likelihoods. */
#include "base/json.h"
#include "data/task.h"
#include "unit.h"

#include <stdio.h>

static const cJSON *get(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void check_item(const les_task_item *item, const cJSON *texts) {
  bool page = cJSON_GetArraySize(texts) == 1;
  if (page)
    assert_null(item->context);
  else
    assert_string_equal(item->context, cJSON_GetArrayItem(texts, 0)->valuestring);
  assert_string_equal(item->continuation, cJSON_GetArrayItem(texts, page ? 0 : 1)->valuestring);
}

static void check_document(const les_task *task, const les_task_document *doc, const cJSON *want) {
  const cJSON *requests = get(want, "requests"), *chars = get(want, "chars"), *bytes = get(want, "bytes");
  assert_int_equal(doc->n_items, cJSON_GetArraySize(requests));
  for (int i = 0; i < doc->n_items; i++) {
    const les_task_item *item = &task->items[doc->first_item + i];
    check_item(item, cJSON_GetArrayItem(requests, i));
    if (chars) assert_int_equal(item->chars, cJSON_GetArrayItem(chars, i)->valueint);
    if (chars) assert_int_equal(item->bytes, cJSON_GetArrayItem(bytes, i)->valueint);
  }
  if (get(want, "gold")) assert_int_equal(doc->gold, get(want, "gold")->valueint);
  if (get(want, "words")) assert_int_equal(doc->words, get(want, "words")->valueint);
  if (get(want, "words")) assert_int_equal(doc->bytes, bytes->valueint);
}

static void test_texts(void **state) {
  (void)state;
  cJSON *golden;
  assert_int_equal(les_json_read(&golden, TEST_DATA "/tasks/edge/requests.json"), LES_OK);
  int n = 0;
  for (const char *name; (name = les_task_name(n)) && strcmp(name, "perplexity");
       n++) { /* ours, the last one */
    char path[4096];
    snprintf(path, sizeof path, TEST_DATA "/tasks/edge/%s.jsonl", name);
    les_task *task;
    assert_int_equal(les_task_open(&task, name, path, 0), LES_OK);
    const cJSON *want = get(golden, name);
    assert_int_equal(task->n_documents, cJSON_GetArraySize(want));
    for (int d = 0; d < task->n_documents; d++)
      check_document(task, &task->documents[d], cJSON_GetArrayItem(want, d));
    les_task_close(&task);
    assert_null(task);
  }
  assert_int_equal(n, cJSON_GetArraySize(golden));
  assert_null(les_task_name(n + 1));
  cJSON_Delete(golden);
}

/* Opens `text` as a data file of the task; the message of the failure is left behind. */
static les_status open_text(const char *name, const char *text) {
  char path[] = "/tmp/lesion-test-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
  les_task *task;
  les_status s = les_task_open(&task, name, path, 0);
  les_task_close(&task);
  unlink(path);
  return s;
}

#define PIQA                 "{\"goal\": \"g\", \"sol1\": \"a\", \"sol2\": \"b\", \"label\": 0}\n"
#define ARC(choices, answer) "{\"question\": \"q\", \"choices\": " choices ", \"answerKey\": \"" answer "\"}"

static void test_bad_data(void **state) {
  (void)state;
  static const struct {
    const char *task, *text, *message;
  } cases[] = {
      {"piqa", "", "holds no document"},
      {"piqa", PIQA "\n{\"goal\": 1}", ":3: the document needs a string 'goal'"},
      {"piqa", PIQA PIQA "[]", ":3: the document needs a string 'goal'"},
      {"piqa", PIQA "{", ":2:2: not valid JSON"},
      {"piqa", "{\"goal\": \"g\", \"sol1\": \"a\", \"sol2\": \"b\", \"label\": -1}",
       ":1: the document needs a label 'label' from 0 to 1"},
      {"piqa", "{\"goal\": \"g\", \"sol1\": \"a\", \"sol2\": \"b\", \"label\": 0.5}", "label 'label'"},
      {"arc_easy", ARC("{\"text\": [\"a\", \"b\"], \"label\": [\"A\", \"B\"]}", "C"),
       ":1: the answerKey 'C' is not among the labels"},
      {"arc_easy", ARC("{\"text\": [\"a\", \"b\", \"c\"], \"label\": [\"A\", \"B\"]}", "A"),
       "3 texts but 2 labels"},
      {"arc_challenge", ARC("{\"text\": [\"a\"], \"label\": [\"A\"]}", "A"), "'text' of two strings or more"},
      {"arc_challenge", ARC("[\"a\", \"b\"]", "A"), "'text'"},
      {"arc_challenge", ARC("{\"text\": [\"a\", 2], \"label\": [\"A\", \"B\"]}", "A"), "strings only"},
      {"winogrande", "{\"sentence\": \"s\", \"option1\": \"a\", \"option2\": \"b\", \"answer\": \"1\"}",
       "no '_'"},
      {"winogrande", "{\"sentence\": \"_\", \"option1\": \"a\", \"option2\": \"b\", \"answer\": \"\"}",
       "label 'answer' from 1 to 2"},
      {"mmlu", "{\"question\": \"q\", \"subject\": \"s\", \"choices\": [\"a\", \"b\"], \"answer\": 0}",
       "2 entries, not 4"},
      {"hellaswag",
       "{\"activity_label\": \"a\", \"ctx_a\": \"b\", \"ctx_b\": \"c\", \"endings\": [\"d\", \"e\"], "
       "\"label\": \"\"}",
       "label 'label' from 0 to 1"},
      {"boolq", "{\"passage\": \"p\", \"question\": \"q\"}", "label 'label'"},
      {"lambada_openai", "{\"txt\": \"a b\"}", "'text'"},
      {"wikitext", "{\"page\": [\"a\"]}", "'page'"},
      {"perplexity", "text \xff", "byte 5 is not UTF-8"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(open_text(cases[i].task, cases[i].text), LES_FAILED);
    if (!strstr(les_message(), cases[i].message)) fail_msg("%s, not %s", les_message(), cases[i].message);
  }
  assert_int_equal(open_text("copa", PIQA), LES_USAGE);
  assert_non_null(strstr(les_message(), "known are arc_easy"));
}

static void test_limit(void **state) {
  (void)state;
  les_task *task;
  assert_int_equal(les_task_open(&task, "arc_easy", TEST_DATA "/tasks/arc_easy.jsonl", 2), LES_OK);
  assert_int_equal(task->n_documents, 2);
  assert_int_equal(task->n_items, 8);
  les_task_close(&task);
}

static void check_scores(const les_task *task, const les_loglik *items, int n, const les_score *want) {
  les_score scores[LES_MOST_SCORES];
  assert_int_equal(les_task_score(task, items, scores), n);
  for (int i = 0; i < n; i++) {
    assert_string_equal(scores[i].name, want[i].name);
    assert_true(fabs(scores[i].value - want[i].value) < 1e-12);
  }
}

static void test_choice_scores(void **state) {
  (void)state;
  /* lengths that make each kind of accuracy choose differently */
  les_task *task;
  assert_int_equal(les_task_open(&task, "arc_easy", TEST_DATA "/tasks/edge/arc_easy.jsonl", 1), LES_OK);
  les_task_item *items = task->items; /* right: 1, of 4 */
  for (int i = 0; i < 4; i++) items[i].chars = items[i].bytes = 10;
  items[0].chars = 20, items[3].bytes = 30;
  check_scores(task, (les_loglik[]){{-11, 0}, {-10, 0}, {-12, 0}, {-13, 0}}, 3,
               (les_score[]){{"acc", 1}, {"acc_norm", 0}, {"acc_bytes", 0}});
  check_scores(task, (les_loglik[]){{-30, 0}, {-11, 0}, {-12, 0}, {-90, 0}}, 3,
               (les_score[]){{"acc", 1}, {"acc_norm", 1}, {"acc_bytes", 1}});
  /* of equal likelihoods the first counts, which is wrong here */
  check_scores(task, (les_loglik[]){{-10, 0}, {-10, 0}, {-90, 0}, {-90, 0}}, 3,
               (les_score[]){{"acc", 0}, {"acc_norm", 0}, {"acc_bytes", 0}});
  check_scores(task, (les_loglik[]){{-20, 0}, {-5, 0}, {NAN, 0}, {-20, 0}}, 3,
               (les_score[]){{"acc", 0}, {"acc_norm", 0}, {"acc_bytes", 0}});
  les_task_close(&task);
}

static void test_other_scores(void **state) {
  (void)state;
  les_task *task;
  assert_int_equal(les_task_open(&task, "lambada_openai", TEST_DATA "/tasks/lambada_openai.jsonl", 3),
                   LES_OK);
  check_scores(task, (les_loglik[]){{-1, true}, {-2, false}, {-6, true}}, 2,
               (les_score[]){{"perplexity", exp(3)}, {"acc", 2.0 / 3}});
  les_task_close(&task);
  assert_int_equal(les_task_open(&task, "wikitext", TEST_DATA "/tasks/wikitext.jsonl", 0), LES_OK);
  task->documents[0].words = 10, task->documents[1].words = 30;
  task->documents[0].bytes = 50, task->documents[1].bytes = 150;
  check_scores(task, (les_loglik[]){{-30, 0}, {-70, 0}}, 3,
               (les_score[]){{"word_perplexity", exp(2.5)},
                             {"byte_perplexity", exp(0.5)},
                             {"bits_per_byte", 0.5 / log(2)}});
  les_task_close(&task);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts),         cmocka_unit_test(test_bad_data),     cmocka_unit_test(test_limit),
      cmocka_unit_test(test_choice_scores), cmocka_unit_test(test_other_scores),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
