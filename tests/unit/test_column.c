/* Prompts and documents of tasks as columns: what the engine is given for each, what it costs, and that a
 * record depends on neither the order of the columns nor that of the cells. */
#include "job/evaluate.h"
#include "model/load.h"
#include "unit.h"

enum { MOST_CELLS = 64, MOST_BYTES = 1024, PROMPTS = 3, DOCUMENTS = 4, LESIONS = 2, NEW = 6 };

static les_model *model;
static les_job *job;
static les_study *study;
static char folder[64];

static void write_file(const char *name, const char *text) {
  char path[128];
  assert_int_equal(scratch_write(folder, name, text, strlen(text), path), 0);
}

static void remove_file(const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  unlink(path);
}

static int set_up(void **state) {
  (void)state;
  char path[128];
  if (les_model_open(&model, TEST_DATA "/models/stories260K/stories260K.gguf", NULL) != LES_OK ||
      scratch_open(folder) != 0)
    return -1;
  write_file("p.jsonl", "{\"id\": \"a\", \"domain\": \"d\", \"prompt\": \"Once upon a time\"}\n"
                        "{\"id\": \"b\", \"domain\": \"d\", \"prompt\": \"The sun\", \"answer\": \"was\"}\n"
                        "{\"id\": \"c\", \"domain\": \"e\", \"prompt\": \"\"}\n");
  write_file("piqa.jsonl", "{\"goal\": \"To see\", \"sol1\": \"open\", \"sol2\": \"close\", \"label\": 0}\n\n"
                           "{\"goal\": \"To go\", \"sol1\": \"sit\", \"sol2\": \"walk\", \"label\": 1}\n");
  write_file("lambada.jsonl", "{\"text\": \"He was a little boy\"}\n{\"text\": \"She saw a cat\"}\n");
  write_file("job.json",
             "{\"model\": \"m\", \"prompts\": \"p.jsonl\", \"lesions\": [\"skip@0\", \"skip@2.mlp\"],"
             " \"generate\": {\"max_new_tokens\": 6}, \"measures\": [\"jaccard\", \"kl\", \"nll\","
             " \"failure\"], \"tasks\": [{\"name\": \"piqa\", \"data\": \"piqa.jsonl\"},"
             " {\"name\": \"lambada_openai\", \"data\": \"lambada.jsonl\"}]}");
  snprintf(path, sizeof path, "%s/job.json", folder);
  if (les_job_open(&job, path) != LES_OK || les_study_open(&study, job, model) != LES_OK) return -1;
  return study->layout.bytes <= MOST_BYTES ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  static const char *const files[] = {"p.jsonl", "piqa.jsonl", "lambada.jsonl", "job.json"};
  les_study_close(&study);
  les_job_close(&job);
  les_model_close(&model);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) remove_file(files[i]);
  return rmdir(folder);
}

/* ---- what a column is ---- */

static void a_prompt_is_one_input(void **state) {
  (void)state;
  const les_column *b = &study->columns.items[1];
  const les_input *input = &study->columns.inputs[b->first_input];
  assert_string_equal(b->id, "b");
  assert_string_equal(b->domain, "d");
  assert_string_equal(b->text, "The sun");
  assert_int_equal(b->n_inputs, 1);
  assert_ptr_equal(input->tokens, study->prompts.items[1].tokens.ids);
  assert_int_equal(input->max_new_tokens, NEW);
  assert_int_equal(input->want & (LES_WANT_KL | LES_WANT_LOGPROB_INTACT),
                   LES_WANT_KL | LES_WANT_LOGPROB_INTACT);
  assert_int_equal(les_columns_cost(&study->columns, 1), input->n + NEW);
}

/* The first sample of a prompt draws what the only one would draw. */
static void samples_are_columns(void **state) {
  (void)state;
  les_columns c = {0};
  assert_int_equal(les_columns_add_prompts(&c, &study->prompts, &(les_prompt_options){NEW, 0, 3}), LES_OK);
  assert_int_equal(c.n, 3 * PROMPTS);
  for (int i = 0; i < c.n; i++) {
    const les_prompt *p = &study->prompts.items[i / 3];
    char id[16];
    snprintf(id, sizeof id, "%s#%d", p->id, i % 3 + 1);
    assert_string_equal(c.items[i].id, id);
    assert_string_equal(c.items[i].domain, p->domain);
    assert_ptr_equal(c.inputs[i].tokens, p->tokens.ids);
    for (int k = 0; k < i; k++) assert_true(c.inputs[k].stream != c.inputs[i].stream);
    if (i % 3 == 0) assert_true(c.inputs[i].stream == study->columns.inputs[i / 3].stream);
  }
  les_columns_free(&c);
}

static void a_document_is_its_requests(void **state) {
  (void)state;
  assert_int_equal(study->columns.n, PROMPTS + DOCUMENTS);
  const les_column *document = &study->columns.items[PROMPTS + 1];
  const les_input *inputs = &study->columns.inputs[document->first_input];
  const les_request *requests = study->tasks[0]->requests.items + 2;
  assert_string_equal(document->id, "piqa-3"); /* by its line */
  assert_string_equal(document->domain, "piqa");
  assert_string_equal(document->text, "Question: To go\nAnswer:");
  assert_int_equal(document->n_inputs, 2);
  for (int i = 0; i < 2; i++) {
    assert_ptr_equal(inputs[i].tokens, requests[i].tokens);
    assert_int_equal(inputs[i].max_new_tokens, 0);
    assert_int_equal(inputs[i].read_from, requests[i].n - requests[i].n_continuation - 1);
  }
  assert_int_equal(les_columns_cost(&study->columns, PROMPTS + 1), requests[0].n + requests[1].n);
}

/* ---- records ---- */

typedef struct results {
  const les_study *study;
  int n;
  les_cell cells[MOST_CELLS];
  unsigned char records[MOST_CELLS][MOST_BYTES];
} results;

static les_status keep(void *ctx, les_cell cell, const void *record) {
  results *r = ctx;
  assert_in_range(r->n, 0, MOST_CELLS - 1);
  r->cells[r->n] = cell;
  memcpy(r->records[r->n++], record, r->study->layout.bytes);
  return LES_OK;
}

static void evaluate(results *r, const les_study *s, const les_cell *cells, int n) {
  les_evaluator *e;
  *r = (results){.study = s};
  assert_int_equal(les_evaluator_open(&e, s, &(les_evaluator_options){.threads = 1}), LES_OK);
  assert_int_equal(les_evaluate(e, cells, n, keep, r, NULL), LES_OK);
  les_evaluator_close(&e);
  assert_int_equal(r->n, n);
}

/* All cells, the intact ones included; in the order of the lesions, or the other way round. */
static void evaluate_all(results *r, const les_study *s, bool backwards) {
  les_cell cells[MOST_CELLS];
  int n = 0, all = (LESIONS + 1) * s->columns.n;
  for (int l = LES_INTACT; l < LESIONS; l++)
    for (int c = 0; c < s->columns.n; c++, n++) cells[backwards ? all - 1 - n : n] = (les_cell){l, c};
  evaluate(r, s, cells, n);
}

static const unsigned char *record_of(const results *r, int lesion, const char *id) {
  for (int i = 0; i < r->n; i++)
    if (r->cells[i].lesion == lesion && !strcmp(r->study->columns.items[r->cells[i].column].id, id))
      return r->records[i];
  fail_msg("no record of %s", id);
  return NULL;
}

static float value_of(const results *r, int lesion, const char *id, les_field_id field) {
  float value;
  memcpy(&value, record_of(r, lesion, id) + study->layout.offset[field], sizeof value);
  return value;
}

/* The same study with its columns in another order: documents of the second task, prompts, documents of the
 * first. */
static void make_other_order(les_study *other) {
  *other = *study;
  other->columns = (les_columns){0};
  unsigned want = study->layout.want;
  assert_int_equal(les_columns_add_task(&other->columns, study->tasks[1], "lambada_openai"), LES_OK);
  assert_int_equal(
      les_columns_add_prompts(&other->columns, &study->prompts, &(les_prompt_options){NEW, want, 1}), LES_OK);
  assert_int_equal(les_columns_add_task(&other->columns, study->tasks[0], "piqa"), LES_OK);
}

static void records_do_not_depend_on_the_order_of_columns(void **state) {
  (void)state;
  static results before, after;
  les_study other;
  make_other_order(&other);
  assert_string_equal(other.columns.items[0].id, "lambada_openai-1");
  evaluate_all(&before, study, false);
  evaluate_all(&after, &other, true);
  for (int l = LES_INTACT; l < LESIONS; l++)
    for (int c = 0; c < study->columns.n; c++) {
      const char *id = study->columns.items[c].id;
      assert_memory_equal(record_of(&before, l, id), record_of(&after, l, id), study->layout.bytes);
    }
  les_columns_free(&other.columns);
}

static void records_hold_what_their_column_is_asked(void **state) {
  (void)state;
  static results r;
  evaluate_all(&r, study, false);
  assert_near(value_of(&r, LES_INTACT, "a", LES_FIELD_JACCARD), 0, 0); /* a distance */
  assert_near(value_of(&r, LES_INTACT, "a", LES_FIELD_KL_MEAN), 0, 0);
  assert_true(value_of(&r, 0, "a", LES_FIELD_KL_MEAN) > 0);
  assert_true(isnan(value_of(&r, 0, "a", LES_FIELD_LOGLIK)));
  assert_true(isnan(value_of(&r, 0, "a", LES_FIELD_ACC))); /* no answer is known */
  assert_false(isnan(value_of(&r, 0, "b", LES_FIELD_ACC)));
  assert_true(value_of(&r, 0, "piqa-1", LES_FIELD_LOGLIK) < 0);
  assert_false(isnan(value_of(&r, 0, "piqa-1", LES_FIELD_ACC_NORM)));
  assert_true(isnan(value_of(&r, 0, "piqa-1", LES_FIELD_KL_MEAN)));
  assert_true(isnan(value_of(&r, 0, "lambada_openai-2", LES_FIELD_ACC_NORM)));
}

/* A page without a token gives the engine nothing to do, and has a record all the same. */
static void a_column_without_inputs_has_a_record(void **state) {
  (void)state;
  static results r;
  les_task blank = *study->tasks[1];
  int first_request[3] = {0};
  blank.requests = (les_requests){0};
  blank.first_request = first_request;
  les_study other = *study;
  other.columns = (les_columns){0};
  assert_int_equal(les_columns_add_task(&other.columns, &blank, "blank"), LES_OK);
  assert_int_equal(les_columns_add_prompts(&other.columns, &study->prompts, &(les_prompt_options){NEW, 0, 1}),
                   LES_OK);
  assert_int_equal(les_columns_cost(&other.columns, 0), 0);
  const les_cell cells[] = {{1, 0}, {LES_INTACT, 3}, {LES_INTACT, 1}};
  evaluate(&r, &other, cells, 3);
  assert_near(value_of(&r, 1, "blank-1", LES_FIELD_LOGLIK), 0, 0);
  les_columns_free(&other.columns);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_prompt_is_one_input),
      cmocka_unit_test(samples_are_columns),
      cmocka_unit_test(a_document_is_its_requests),
      cmocka_unit_test(records_do_not_depend_on_the_order_of_columns),
      cmocka_unit_test(records_hold_what_their_column_is_asked),
      cmocka_unit_test(a_column_without_inputs_has_a_record),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
