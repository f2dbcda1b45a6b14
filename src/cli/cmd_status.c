#include "base/json.h"
#include "cli/cli.h"
#include "result/reader.h"
#include "watch/events.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct options {
  char *path;
  bool json;
} options;

/* Finished cells of a lesion, or of all. */
typedef struct tally {
  int64_t done, failed;
} tally;

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case CLI_JSON:
    o->json = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "RUN.h5", arg, &o->path);
  case ARGP_KEY_END:
    cli_need_arg(state, "RUN.h5", o->path);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static tally count_lesion(const les_result *r, int lesion) {
  tally t = {0};
  const uint8_t *status = r->status + (size_t)lesion * (size_t)r->n_prompts;
  for (int p = 0; p < r->n_prompts; p++) {
    t.done += status[p] == LES_CELL_DONE;
    t.failed += status[p] == LES_CELL_FAILED;
  }
  return t;
}

static tally count_all(const les_result *r) {
  tally all = {0};
  for (int i = 0; i < r->n_lesions; i++) {
    tally t = count_lesion(r, i);
    all.done += t.done;
    all.failed += t.failed;
  }
  return all;
}

static cJSON *describe(const les_result *r, const cJSON *live) {
  tally all = count_all(r);
  cJSON *doc = cJSON_CreateObject();
  les_json_add_number(doc, "total", (double)r->n_lesions * r->n_prompts);
  les_json_add_number(doc, "done", (double)all.done);
  les_json_add_number(doc, "failed", (double)all.failed);
  les_json_add_number(doc, "computed", (double)r->cells_computed);
  cJSON *lesions = les_json_add_array(doc, "lesions");
  for (int i = 0; i < r->n_lesions; i++) {
    tally t = count_lesion(r, i);
    cJSON *entry = les_json_add_object(lesions, NULL);
    les_json_add_string(entry, "lesion", r->lesion_specs[i]);
    les_json_add_number(entry, "total", r->n_prompts);
    les_json_add_number(entry, "done", (double)t.done);
    les_json_add_number(entry, "failed", (double)t.failed);
    les_json_add_bool(entry, "complete", r->lesion_done[i]);
  }
  const char *const told[] = {"state", "rate", "eta_s", "workers", "failures", "exit_code", "message"};
  for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
    cJSON *item = cJSON_GetObjectItem(live, told[i]);
    les_json_add(doc, told[i], item ? cJSON_Duplicate(item, true) : cJSON_CreateNull());
  }
  return doc;
}

/* What rank 0 says beside the file. One that has not said anything for long is no more: only its failures
 * count. */
static cJSON *read_live(const char *path) {
  enum { SILENCE = 60 };
  cJSON *live = les_events_read_status(path);
  if (!cJSON_IsObject(live)) {
    cJSON_Delete(live);
    return cJSON_CreateObject();
  }
  const char *state = cJSON_GetStringValue(cJSON_GetObjectItem(live, "state"));
  const cJSON *updated = cJSON_GetObjectItem(live, "updated_unix");
  bool silent = !cJSON_IsNumber(updated) || difftime(time(NULL), (time_t)updated->valuedouble) > SILENCE;
  if (state && !strcmp(state, "running") && silent) {
    cJSON_DeleteItemFromObject(live, "state");
    les_json_add_string(live, "state", "silent");
    cJSON_DeleteItemFromObject(live, "rate");
    cJSON_DeleteItemFromObject(live, "eta_s");
    cJSON_DeleteItemFromObject(live, "workers");
  }
  return live;
}

static const char *text_of(const cJSON *object, const char *name) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
  return text ? text : "?";
}

static double number_of(const cJSON *object, const char *name) {
  const cJSON *item = cJSON_GetObjectItem(object, name);
  return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void print_live(const cJSON *live) {
  const cJSON *item;
  if (!strcmp(text_of(live, "state"), "running")) {
    printf("running: %.1f cells/s, %.0f s left\n", number_of(live, "rate"), number_of(live, "eta_s"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(live, "workers")) printf(
        "  worker %.0f on %s (process %.0f): %s for %.0f s, %.0f cells in its tile, %.0f done\n",
        number_of(item, "worker"), text_of(item, "host"), number_of(item, "pid"), text_of(item, "state"),
        number_of(item, "seconds"), number_of(item, "tile_cells"), number_of(item, "cells"));
  }
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(live, "failures"))
      printf("  failed: %s on prompt %s: %s\n", text_of(item, "lesion"), text_of(item, "prompt"),
             text_of(item, "reason"));
}

static void print_text(const les_result *r) {
  tally all = count_all(r);
  long long total = (long long)r->n_lesions * r->n_prompts;
  printf("%s: %lld of %lld cells done (%.1f %%), %lld failed, %lld computed over all starts\n", r->path,
         (long long)all.done, total, 100.0 * (double)all.done / (double)total, (long long)all.failed,
         (long long)r->cells_computed);
  for (int i = 0; i < r->n_lesions; i++) {
    tally t = count_lesion(r, i);
    printf("%8lld of %d%s%s", (long long)t.done, r->n_prompts,
           r->lesion_done[i] ? "  complete  " : "            ", r->lesion_specs[i]);
    if (t.failed) printf("  (%lld failed)", (long long)t.failed);
    putchar('\n');
  }
}

int cmd_status(int argc, char **argv) {
  static const struct argp_option argp_options[] = {CLI_JSON_OPTION(0), {0}};
  static const struct argp argp = {
      argp_options, parse, "RUN.h5", "Says how far a sweep is; also while it is writing.", NULL, NULL, NULL};
  options o = {0};
  cli_parse(&argp, argc, argv, &o);
  les_result *result;
  les_status s = les_result_open(&result, o.path);
  cJSON *live = s == LES_OK ? read_live(o.path) : NULL;
  if (s == LES_OK && !o.json) {
    print_text(result);
    print_live(live);
  } else if (s == LES_OK) {
    cli_print_json(describe(result, live));
  }
  cJSON_Delete(live);
  les_result_close(&result);
  return cli_finish(s);
}
