/* A rank alone: the coordinator with a worker in its own process, on a small real study. */
#include "ranks/coordinator.h"

#include "base/clock.h"
#include "model/load.h"
#include "store/store_create.h"
#include "store/store_file.h"
#include "unit.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

enum { LESIONS = 5, PROMPTS = 3 };

static les_team team;
static char folder[64], path[128], stop_path[160];
static les_model *model;
static les_job *job;
static les_study *study;

static int open_suite(void **state) {
  (void)state;
  static const char prompts[] = "{\"id\": \"a\", \"domain\": \"d\", \"prompt\": \"Once upon a time\"}\n"
                                "{\"id\": \"b\", \"domain\": \"d\", \"prompt\": \"The sun is\"}\n"
                                "{\"id\": \"c\", \"domain\": \"d\", \"prompt\": \"A\"}\n";
  static const char text[] = "{\"model\": \"m\", \"prompts\": \"p.jsonl\", \"lesions\": [\"skip@each\"], "
                             "\"generate\": {\"max_new_tokens\": 4}, \"measures\": [\"jaccard\"]}";
  char job_path[128], prompts_path[128];
  if (les_team_init(&team) != LES_OK || scratch_open(folder) != 0) return -1;
  snprintf(path, sizeof path, "%s/run.h5", folder);
  snprintf(stop_path, sizeof stop_path, "%s.stop", path);
  scratch_write(folder, "p.jsonl", prompts, strlen(prompts), prompts_path);
  scratch_write(folder, "job.json", text, strlen(text), job_path);
  les_status status = les_model_open(&model, TEST_DATA "/models/stories260K/stories260K.gguf", NULL);
  if (status == LES_OK) status = les_job_open(&job, job_path);
  if (status == LES_OK) status = les_study_open(&study, job, model);
  unlink(job_path);
  unlink(prompts_path);
  return status == LES_OK ? 0 : -1;
}

static int close_suite(void **state) {
  (void)state;
  static const char *const suffixes[] = {"", ".status", ".events.jsonl"};
  char name[160];
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
    unlink(name);
  }
  les_study_close(&study);
  les_job_close(&job);
  les_model_close(&model);
  int left = rmdir(folder);
  les_team_free(&team, 0);
  return left;
}

/* One start of the sweep. */
typedef struct sweep {
  les_store *store;
  les_evaluator *evaluator;
  les_sweep_state *state;
} sweep;

static const les_observer nobody = {0};

static void begin(sweep *w, bool afresh) {
  if (afresh) {
    unlink(path);
    assert_int_equal(les_store_create(path, study), LES_OK);
  }
  assert_int_equal(les_store_open(&w->store, path, study), LES_OK);
  assert_int_equal(les_evaluator_open(&w->evaluator, study, &(les_evaluator_options){.threads = 1}), LES_OK);
  assert_int_equal(
      les_sweep_state_open(&w->state, path, study, w->store, les_team_workers(&team), &nobody, NULL), LES_OK);
}

/* Runs it until `deadline` (0: none) or the stop file; *doc is the status document then. */
static les_status run(sweep *w, double deadline, cJSON **doc) {
  const les_tile_runner runner = {w->evaluator, w->store};
  const les_limits limits = {.deadline = deadline, .stop_file = stop_path};
  les_coordinator *c;
  assert_int_equal(les_coordinator_open(&c, &team, w->state, &(les_respawn){0}, &runner), LES_OK);
  les_status status = les_coordinator_run(c, &limits);
  les_coordinator_close(&c, 0);
  *doc = les_events_read_status(path);
  return status;
}

static void end(sweep *w, cJSON *doc) {
  les_evaluator_close(&w->evaluator);
  les_sweep_state_close(&w->state);
  les_store_close(&w->store);
  cJSON_Delete(doc);
}

static les_store_count count(void) {
  les_store_count n;
  assert_int_equal(les_store_count_cells(path, &n), LES_OK);
  assert_int_equal(n.total, LESIONS * PROMPTS);
  return n;
}

static void a_rank_alone_computes_all_cells(void **state) {
  (void)state;
  sweep w;
  cJSON *doc;
  begin(&w, true);
  assert_int_equal(run(&w, 0, &doc), LES_OK);
  const les_grid *grid = les_sweep_state_grid(w.state);
  assert_int_equal(grid->done, LESIONS * PROMPTS);
  assert_int_equal(grid->todo, 0);
  for (int l = 0; l < LESIONS; l++) {
    bool done = false;
    assert_int_equal(les_store_lesion_done(w.store, l, &done), LES_OK);
    assert_true(done);
  }
  /* the status as it was before the first forward pass */
  char host[64] = "";
  gethostname(host, sizeof host - 1);
  assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "workers")), 1);
  const cJSON *worker = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "workers"), 0);
  assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(worker, "state")), "computing");
  assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(worker, "host")), host);
  assert_int_equal(cJSON_GetObjectItem(worker, "pid")->valueint, getpid());
  assert_true(cJSON_GetObjectItem(worker, "tile_cells")->valueint > 0);
  end(&w, doc);
  assert_int_equal(count().done, LESIONS * PROMPTS);
}

static void limits_stop_it_and_it_goes_on(void **state) {
  (void)state;
  sweep w;
  cJSON *doc;
  begin(&w, true);
  FILE *f = fopen(stop_path, "w");
  assert_non_null(f);
  fclose(f);
  assert_int_equal(run(&w, 0, &doc), LES_STOPPED);
  assert_message("the stop file is there");
  assert_int_equal(access(stop_path, F_OK), -1);
  end(&w, doc);
  assert_true(count().done < LESIONS * PROMPTS);

  begin(&w, false);
  assert_int_equal(run(&w, les_now() - 1, &doc), LES_STOPPED);
  assert_message("the time limit is reached");
  end(&w, doc);

  begin(&w, false);
  assert_int_equal(run(&w, les_now() + 3600, &doc), LES_OK);
  end(&w, doc);
  assert_int_equal(count().done, LESIONS * PROMPTS);
}

/* All tiles are in other hands: a rank alone, which has nothing to compute then, sees its limits all the
 * same. */
static void without_a_tile_limits_are_seen(void **state) {
  (void)state;
  sweep w;
  cJSON *doc;
  les_tile *tile;
  begin(&w, true);
  do {
    assert_int_equal(les_sweep_state_next(w.state, 0, &tile), LES_OK);
  } while (tile);
  assert_true(les_sweep_state_grid(w.state)->todo > 0);
  assert_int_equal(run(&w, les_now() - 1, &doc), LES_STOPPED);
  end(&w, doc);
}

/* A lesion that cannot be computed takes its own cells with it and nothing else. */
static void a_cell_that_fails_is_marked_and_the_rest_is_done(void **state) {
  (void)state;
  sweep w;
  cJSON *doc;
  begin(&w, true);
  study->lesions.items[2].edits[0].op = LES_OP_MEAN; /* which the evaluator has no means for */
  assert_int_equal(run(&w, 0, &doc), LES_OK);
  study->lesions.items[2].edits[0].op = LES_OP_SKIP;
  const les_grid *grid = les_sweep_state_grid(w.state);
  assert_int_equal(grid->failed, PROMPTS);
  assert_int_equal(grid->done, (LESIONS - 1) * PROMPTS);
  for (int p = 0; p < PROMPTS; p++) assert_int_equal(les_grid_get(grid, (les_cell){2, p}), LES_CELL_FAILED);
  assert_int_equal(les_sweep_state_finish(w.state, les_fail(LES_FAILED, "some failed")), LES_FAILED);
  assert_message("some failed");
  end(&w, doc);
  doc = les_events_read_status(path);
  const cJSON *failures = cJSON_GetObjectItem(doc, "failures");
  assert_int_equal(cJSON_GetArraySize(failures), PROMPTS);
  const char *reason = cJSON_GetStringValue(cJSON_GetObjectItem(failures->child, "reason"));
  assert_non_null(strstr(reason, "needs a calibration text"));
  cJSON_Delete(doc);
}

/* No other cell would fare better: the sweep ends, and the cells are not called failed. */
static void a_file_that_cannot_be_written_ends_the_sweep(void **state) {
  (void)state;
  sweep w;
  cJSON *doc;
  begin(&w, true);
  struct rlimit before, none = {0};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  none.rlim_max = before.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
  les_status status = run(&w, 0, &doc);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, LES_FAILED);
  assert_message(path);
  assert_int_equal(les_sweep_state_grid(w.state)->failed, 0);
  end(&w, doc);
  assert_int_equal(count().failed, 0);
}

/* Memory for so many allocations of cJSON; negative: enough. */
static int memory = -1;

static void *scarce_malloc(size_t n) {
  if (memory == 0) return NULL;
  if (memory > 0) memory--;
  return malloc(n);
}

/* Whichever allocation fails while a failed cell is noted, the status is told again as soon as there is
 * memory. */
static void a_failure_that_is_not_noted_for_lack_of_memory_stops_no_status(void **state) {
  (void)state;
  sweep w;
  cJSON *doc;
  bool failed = true;
  cJSON_InitHooks(&(cJSON_Hooks){scarce_malloc, free});
  for (int allocations = 0; allocations < 40; allocations++) {
    begin(&w, true);
    les_tile *tile;
    for (int loss = 0; loss < 64 && les_sweep_state_grid(w.state)->failed_intact == 0; loss++) {
      assert_int_equal(les_sweep_state_next(w.state, 0, &tile), LES_OK);
      assert_non_null(tile);
      memory = allocations;
      assert_int_equal(les_sweep_state_lost(w.state, tile, "it died"), LES_OK);
      memory = -1;
    }
    failed = les_sweep_state_grid(w.state)->failed_intact > 0;
    assert_int_equal(les_sweep_state_finish(w.state, les_fail(LES_FAILED, "at %d", allocations)), LES_FAILED);
    doc = les_events_read_status(path);
    char at[32];
    snprintf(at, sizeof at, "at %d", allocations);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(doc, "message")), at);
    assert_true(cJSON_IsArray(cJSON_GetObjectItem(doc, "failures")));
    end(&w, doc);
  }
  cJSON_InitHooks(NULL);
  assert_true(failed);
}

/* A file whose history cannot be written any more. */
static void spoil(void) {
  assert_int_equal(truncate(path, 100), 0);
}

/* A stop promises a good checkpoint: not if the file could not be brought to disk. */
static void a_stop_without_a_checkpoint_has_failed(void **state) {
  (void)state;
  const les_status ends[] = {LES_OK, LES_STOPPED, LES_FAILED};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    sweep w;
    begin(&w, true);
    spoil();
    if (ends[i] != LES_OK) les_fail(ends[i], "it ended like that");
    assert_int_equal(les_sweep_state_finish(w.state, ends[i]), LES_FAILED);
    assert_message(ends[i] == LES_FAILED ? "it ended like that" : path);
    cJSON *doc = les_events_read_status(path);
    assert_int_equal(cJSON_GetObjectItem(doc, "exit_code")->valueint, 1);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(doc, "message")), les_message());
    end(&w, doc);
  }
}

/* The last test: a signal that came stays. */
static void a_signal_stops_it(void **state) {
  (void)state;
  sweep w;
  cJSON *doc;
  begin(&w, true);
  raise(SIGTERM);
  assert_int_equal(run(&w, 0, &doc), LES_STOPPED);
  assert_message("a signal came");
  end(&w, doc);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rank_alone_computes_all_cells),
      cmocka_unit_test(limits_stop_it_and_it_goes_on),
      cmocka_unit_test(without_a_tile_limits_are_seen),
      cmocka_unit_test(a_cell_that_fails_is_marked_and_the_rest_is_done),
      cmocka_unit_test(a_file_that_cannot_be_written_ends_the_sweep),
      cmocka_unit_test(a_failure_that_is_not_noted_for_lack_of_memory_stops_no_status),
      cmocka_unit_test(a_stop_without_a_checkpoint_has_failed),
      cmocka_unit_test(a_signal_stops_it),
  };
  return cmocka_run_group_tests(tests, open_suite, close_suite);
}
