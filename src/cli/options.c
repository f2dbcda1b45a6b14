#include "cli/options.h"

#include "base/cores.h"
#include "cli/output.h"
#include "job/job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static error_t parse_model_option(int key, char *arg, struct argp_state *state) {
  cli_model_options *o = state->input;
  switch (key) {
  case CLI_COMPUTE:
    o->compute = les_compute_find(arg);
    if (o->compute < 0) argp_error(state, "--compute is auto, f32, int16 or int8, not '%s'", arg);
    return 0;
  case CLI_THREADS:
    o->threads = cli_int(state, "--threads", arg, 1, 4096);
    return 0;
  case CLI_PROGRESS:
    o->progress = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option model_options[] = {
    {"compute", CLI_COMPUTE, "MODE", 0,
     "Arithmetic of matrix products: auto, f32, int16 or int8 (default: the job's, or auto)", 10},
    {"threads", CLI_THREADS, "N", 0,
     "Threads (default: the job's, or OMP_NUM_THREADS, else the cores available)", 10},
    {"progress", CLI_PROGRESS, NULL, 0, "Tell progress on stderr though that is no terminal", 10},
    {0}};
const struct argp cli_model_argp = {model_options, parse_model_option, NULL, NULL, NULL, NULL, NULL};

int cli_threads(int requested) {
  if (requested > 0) return requested;
  const char *env = getenv("OMP_NUM_THREADS");
  int n = env ? atoi(env) : 0;
  return n > 0 ? n : les_cores_available();
}

/* -h, which argp leaves to programs, is --help in all commands: an argp around the command's own. */
static error_t parse_help(int key, char *arg, struct argp_state *state) {
  (void)arg;
  if (key == ARGP_KEY_INIT) state->child_inputs[0] = state->input;
  if (key != 'h') return ARGP_ERR_UNKNOWN;
  argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
  return 0;
}

void cli_parse(const struct argp *argp, int argc, char **argv, void *input) {
  static const struct argp_option help[] = {{NULL, 'h', NULL, OPTION_HIDDEN, "As --help", -1}, {0}};
  struct argp inner = *argp;
  inner.args_doc = inner.doc = NULL;
  inner.help_filter = NULL;
  const struct argp_child child[] = {{&inner, 0, NULL, 0}, {0}};
  const struct argp outer = {help, parse_help, argp->args_doc, argp->doc, child, argp->help_filter, NULL};
  argp_parse(&outer, argc, argv, 0, NULL, input);
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

static double whole_number(struct argp_state *state, const char *option, const char *arg, double low,
                           double high) {
  double value = cli_number(state, option, arg, low, high);
  if (value != floor(value)) argp_error(state, "%s needs a whole number, not '%s'", option, arg);
  return value;
}

int cli_int(struct argp_state *state, const char *option, const char *arg, int low, int high) {
  return (int)whole_number(state, option, arg, low, high);
}

uint64_t cli_seed(struct argp_state *state, const char *arg) {
  return (uint64_t)whole_number(state, "--seed", arg, 0, 0x1p53);
}

/* False if `text` is no time. */
static bool read_time(const char *text, double *seconds) {
  int part, used = 0;
  *seconds = 0;
  for (int n = 0; n < 3; n++) {
    if (sscanf(text, "%9d%n", &part, &used) != 1 || part < 0 || text[0] == '+') return false;
    *seconds = *seconds * 60 + part;
    text += used;
    if (!*text) return *seconds > 0;
    if (*text++ != ':') return false;
  }
  return false;
}

double cli_time_limit(struct argp_state *state, const char *arg) {
  double seconds;
  if (!read_time(arg, &seconds)) argp_error(state, "--time-limit is HH:MM:SS, not '%s'", arg);
  return seconds;
}

void cli_list_add(cli_list *list, char *item) {
  list->items = cli_grow(list->items, list->n, sizeof *list->items);
  list->items[list->n++] = item;
}

void cli_list_free(cli_list *list) {
  free(list->items);
  *list = (cli_list){0};
}
