#include "cli/cli.h"
#include "cli/document.h"
#include "sensitivity/freeze.h"
#include "sensitivity/sensitivity_json.h"
#include "sensitivity/sensitivity_text.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct options {
  char *path;
  const char *output, *freeze;
  les_sensitivity_options sensitivity;
  bool json, force;
} options;

enum { KEY_SHARE = CLI_OWN_KEYS, KEY_FREEZE, KEY_FORCE };

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case CLI_OUTPUT:
    o->output = arg;
    return 0;
  case KEY_FREEZE:
    o->freeze = arg;
    return 0;
  case KEY_SHARE:
    o->sensitivity.share = cli_number(state, "--share", arg, 0, 1);
    return 0;
  case CLI_MEASURE:
    o->sensitivity.measure = arg;
    return 0;
  case KEY_FORCE:
    o->force = true;
    return 0;
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

/* Prints first: a file that cannot be written takes nothing from the reader. */
static les_status write_all(const les_sensitivity *s, const options *o) {
  const char *output = o->output ? o->output : o->json ? NULL : "sensitivity.json";
  const char *list = o->freeze ? o->freeze : o->json ? NULL : "freeze_list.json";
  char *json = NULL, *text = NULL, *freeze = NULL;
  les_status status = les_sensitivity_json(s, &json);
  if (status == LES_OK) status = les_sensitivity_text(s, &text);
  if (status == LES_OK && list) status = les_freeze_json(s, &freeze);
  if (status == LES_OK) printf("%s%s", o->json ? json : text, o->json ? "\n" : "");
  if (status == LES_OK && output)
    status = cli_write_document(output, o->output || o->force, "lesion-sensitivity", json);
  if (status == LES_OK && list)
    status = cli_write_document(list, o->freeze || o->force, "lesion-freeze-list", freeze);
  free(freeze);
  free(text);
  free(json);
  return status;
}

int cmd_sensitivity(int argc, char **argv) {
  static const struct argp_option argp_options[] = {
      CLI_OUTPUT_OPTION(
          "FILE", "Where the rankings are written as JSON (default sensitivity.json; none with --json)"),
      {"freeze", KEY_FREEZE, "FILE", 0,
       "Where the freeze list is written, with a fragment for PEFT's LoraConfig (default freeze_list.json; "
       "none with --json)",
       0},
      {"share", KEY_SHARE, "X", 0, "Share of the damage that the pillars carry together (default 0.5)", 0},
      CLI_MEASURE_OPTION("Measure of divergence (default kl_mean, else jaccard)"),
      {"force", KEY_FORCE, NULL, 0, "Replace sensitivity.json and freeze_list.json, whatever they hold", 0},
      CLI_JSON_OPTION(0),
      {0}};
  static const struct argp argp = {
      argp_options,
      parse,
      "RUN.h5",
      "Sorts the matrices that a sweep has lesioned one by one into pillars, the smallest set that carries a "
      "share of the damage, and robust ones; by operation and mode of failure.",
      NULL,
      NULL,
      NULL};
  options o = {.sensitivity.share = 0.5};
  cli_parse(&argp, argc, argv, &o);
  les_sensitivity *s;
  les_status status = les_sensitivity_compute(&s, o.path, &o.sensitivity);
  if (status == LES_OK) status = write_all(s, &o);
  les_sensitivity_free(&s);
  return cli_finish(status);
}
