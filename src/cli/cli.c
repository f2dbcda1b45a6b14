#include "cli/cli.h"

#include "base/cores.h"
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cli_parse(const struct argp *argp, int argc, char **argv, void *input) {
  argp_parse(argp, argc, argv, 0, NULL, input);
}

int cli_finish(les_status status) {
  static const int codes[] = {[LES_OK] = 0, [LES_FAILED] = 1, [LES_USAGE] = 2, [LES_STOPPED] = 75};
  if (status != LES_OK) fprintf(stderr, "lesion: %s\n", les_message());
  return codes[status];
}

void cli_print_json(cJSON *doc) {
  char *text = cJSON_Print(doc);
  puts(text);
  free(text);
  cJSON_Delete(doc);
}

int cli_threads(int requested) {
  if (requested > 0) return requested;
  const char *env = getenv("OMP_NUM_THREADS");
  int n = env ? atoi(env) : 0;
  if (n > 0) return n;
  return les_cores_available();
}

const char *cli_cache_dir(void) {
  static char dir[4096];
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  int n = cache && *cache == '/' ? snprintf(dir, sizeof dir, "%s/lesion", cache)
          : home && *home == '/' ? snprintf(dir, sizeof dir, "%s/.cache/lesion", home)
                                 : -1;
  return n > 0 && (size_t)n < sizeof dir ? dir : NULL;
}

static error_t parse_model_option(int key, char *arg, struct argp_state *state) {
  cli_model_options *o = state->input;
  switch (key) {
  case 'c':
    o->compute = les_compute_find(arg);
    if (o->compute < 0) argp_error(state, "--compute is auto, f32, int16 or int8, not '%s'", arg);
    return 0;
  case 't':
    o->threads = (int)cli_number(state, "--threads", arg, 1, 4096);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option model_options[] = {
    {"compute", 'c', "MODE", 0, "Arithmetic of matrix products: auto (default), f32, int16 or int8", 10},
    {"threads", 't', "N", 0, "Threads (default: OMP_NUM_THREADS, else the cores available)", 10},
    {0}};
const struct argp cli_model_argp = {model_options, parse_model_option, NULL, NULL, NULL, NULL, NULL};

void cli_list_add(cli_list *list, char *item) {
  list->items = realloc(list->items, (size_t)(list->n + 1) * sizeof *list->items);
  list->items[list->n++] = item;
}

void cli_list_free(cli_list *list) {
  free(list->items);
  *list = (cli_list){0};
}

error_t cli_take_arg(struct argp_state *state, const char *what, char *arg, char **to) {
  if (*to) argp_error(state, "one %s only, not '%s' too", what, arg);
  *to = arg;
  return 0;
}

void cli_need_arg(struct argp_state *state, const char *what, const char *arg) {
  if (!arg) argp_error(state, "%s is missing", what);
}

double cli_number(struct argp_state *state, const char *option, const char *arg, double low, double high) {
  char *end;
  double value = strtod(arg, &end);
  if (end == arg || *end || !(value >= low && value <= high))
    argp_error(state, "%s needs a number from %g to %g, not '%s'", option, low, high, arg);
  return value;
}

cJSON *cli_results(const les_model *model, int compute) {
  cJSON *doc = cJSON_CreateObject();
  cJSON_AddStringToObject(doc, "model", model->name);
  cJSON_AddStringToObject(doc, "compute", les_compute_name((les_compute)compute));
  cJSON_AddArrayToObject(doc, "results");
  return doc;
}
