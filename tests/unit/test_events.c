#include "watch/events.h"

#include "base/json.h"
#include "base/status.h"
#include "unit.h"

#include <stdio.h>

static char folder[64], path[128], status_path[160], log_path[160];

/* Memory for so many allocations of cJSON; negative: enough. */
static int memory = -1;

static void *scarce_malloc(size_t n) {
  if (memory == 0) return NULL;
  if (memory > 0) memory--;
  return malloc(n);
}

static int set_up(void **state) {
  (void)state;
  if (scratch_open(folder) != 0) return -1;
  snprintf(path, sizeof path, "%s/run.h5", folder);
  snprintf(status_path, sizeof status_path, "%s.status", path);
  snprintf(log_path, sizeof log_path, "%s.events.jsonl", path);
  cJSON_InitHooks(&(cJSON_Hooks){scarce_malloc, free});
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  cJSON_InitHooks(NULL);
  unlink(status_path);
  unlink(log_path);
  return rmdir(folder);
}

static cJSON *document(int done) {
  cJSON *doc = cJSON_CreateObject(), *workers = cJSON_CreateArray(), *worker = cJSON_CreateObject();
  les_json_add_string(worker, "host", "here");
  les_json_add(workers, NULL, worker);
  les_json_add_string(doc, "state", "running");
  les_json_add_number(doc, "done", done);
  les_json_add(doc, "workers", workers);
  return doc;
}

/* Writes with memory for so many allocations, then reads `done` of what is there. */
static int written_with(les_events *e, int allocations, int done) {
  memory = allocations;
  les_events_status(e, document(done));
  memory = -1;
  cJSON *doc = les_events_read_status(path);
  assert_non_null(doc);
  assert_int_equal(cJSON_GetArraySize(doc), 3);
  const cJSON *workers = cJSON_GetObjectItem(doc, "workers");
  assert_int_equal(cJSON_GetArraySize(workers), 1);
  assert_non_null(cJSON_GetObjectItem(cJSON_GetArrayItem(workers, 0), "host"));
  int there = cJSON_GetObjectItem(doc, "done")->valueint;
  cJSON_Delete(doc);
  return there;
}

/* Whichever allocation fails, the document that is there is a whole one. */
static void a_status_is_never_shortened(void **state) {
  (void)state;
  les_events *e;
  assert_int_equal(les_events_open(&e, path), LES_OK);
  assert_int_equal(written_with(e, -1, 1), 1);
  assert_string_equal(les_events_failure(e), "");
  int allocations = 0;
  while (written_with(e, allocations, 2) == 1) allocations++;
  assert_true(allocations > 10);
  assert_non_null(strstr(les_events_failure(e), "run.h5.status cannot be written: Cannot allocate memory"));
  assert_string_equal(les_events_failure(e), "");
  les_events_close(&e);
}

static void an_event_is_a_whole_line_or_none(void **state) {
  (void)state;
  les_events *e;
  char line[256];
  assert_int_equal(les_events_open(&e, path), LES_OK);
  for (memory = 0; memory < 100; memory++) {
    int had = memory;
    cJSON *event = les_event_make("tile");
    les_json_add_number(event, "cells", 3);
    les_events_add(e, event);
    memory = had;
  }
  memory = -1;
  les_events_close(&e);
  FILE *f = fopen(log_path, "r");
  int lines = 0;
  for (; fgets(line, sizeof line, f); lines++) {
    cJSON *doc = cJSON_Parse(line);
    assert_int_equal(cJSON_GetArraySize(doc), 3);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(doc, "event")), "tile");
    assert_int_equal(cJSON_GetObjectItem(doc, "cells")->valueint, 3);
    cJSON_Delete(doc);
  }
  fclose(f);
  assert_true(lines > 50 && lines < 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_status_is_never_shortened),
      cmocka_unit_test(an_event_is_a_whole_line_or_none),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
