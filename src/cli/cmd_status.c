#include "cli.h"

#include "result.h"

typedef struct options {
  char *path;
  bool json;
} options;

/* Finished cells of a lesion, or of all. */
typedef struct tally {
  int64_t done, failed;
} tally;

enum { KEY_JSON = 256 };

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case KEY_JSON:
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

static cJSON *describe(const les_result *r) {
  tally all = count_all(r);
  cJSON *doc = cJSON_CreateObject();
  cJSON_AddNumberToObject(doc, "total", (double)r->n_lesions * r->n_prompts);
  cJSON_AddNumberToObject(doc, "done", (double)all.done);
  cJSON_AddNumberToObject(doc, "failed", (double)all.failed);
  cJSON_AddNumberToObject(doc, "computed", (double)r->cells_computed);
  cJSON *lesions = cJSON_AddArrayToObject(doc, "lesions");
  for (int i = 0; i < r->n_lesions; i++) {
    tally t = count_lesion(r, i);
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(lesions, entry);
    cJSON_AddStringToObject(entry, "lesion", r->lesion_specs[i]);
    cJSON_AddNumberToObject(entry, "total", r->n_prompts);
    cJSON_AddNumberToObject(entry, "done", (double)t.done);
    cJSON_AddNumberToObject(entry, "failed", (double)t.failed);
    cJSON_AddBoolToObject(entry, "complete", r->lesion_done[i]);
  }
  cJSON_AddNullToObject(doc, "rate");
  cJSON_AddNullToObject(doc, "eta_s");
  cJSON_AddArrayToObject(doc, "workers");
  return doc;
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
  static const struct argp_option argp_options[] = {{"json", KEY_JSON, NULL, 0, "Print one JSON document", 0},
                                                    {0}};
  static const struct argp argp = {
      argp_options, parse, "RUN.h5", "Says how far a sweep is; also while it is writing.", NULL, NULL, NULL};
  options o = {0};
  cli_parse(&argp, argc, argv, &o);
  les_result *result;
  les_status s = les_result_open(&result, o.path);
  if (s == LES_OK && o.json)
    cli_print_json(describe(result));
  else if (s == LES_OK)
    print_text(result);
  les_result_close(&result);
  return cli_finish(s);
}
