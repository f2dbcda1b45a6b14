#include "cli/cli.h"
#include "cli/document.h"
#include "map/map_json.h"
#include "map/map_text.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct options {
  char *path;
  const char *output;
  les_map_options map;
  bool json, table, force;
} options;

enum { KEY_LESIONS = CLI_OWN_KEYS, KEY_IMPORTANCE, KEY_MARGIN, KEY_TABLE, KEY_FORCE };

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case CLI_OUTPUT:
    o->output = arg;
    return 0;
  case CLI_MEASURE:
    o->map.measure = arg;
    return 0;
  case KEY_LESIONS:
    o->map.family = arg;
    return 0;
  case KEY_IMPORTANCE:
    o->map.proxies = arg;
    return 0;
  case KEY_MARGIN:
    o->map.margin = cli_number(state, "--margin", arg, 1e-12, 1e12);
    return 0;
  case KEY_TABLE:
    o->table = true;
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
static les_status write_map(const les_map *map, const options *o) {
  const char *output = o->output ? o->output : o->json ? NULL : "layer_specialization_map.json";
  char *json = NULL, *text = NULL;
  les_status s = les_map_json(map, &json);
  if (s == LES_OK && !o->json) s = les_map_text(map, cli_width(), o->table, &text);
  if (s == LES_OK) printf("%s%s", o->json ? json : text, o->json ? "\n" : "");
  if (s == LES_OK && output) s = cli_write_document(output, o->output || o->force, "lesion-map", json);
  free(text);
  free(json);
  return s;
}

int cmd_map(int argc, char **argv) {
  static const struct argp_option argp_options[] = {
      CLI_OUTPUT_OPTION(
          "FILE",
          "Where the map is written as JSON (default layer_specialization_map.json; none with --json)"),
      CLI_MEASURE_OPTION("Measure to map (default jaccard, else kl_mean, else delta_nll)"),
      {"lesions", KEY_LESIONS, "FAMILY", 0,
       "Lesions that hierarchy, zones and domains speak of, as in the job: skip@each.attn (default: the "
       "first with one lesion per layer)",
       0},
      {"importance", KEY_IMPORTANCE, "FILE", 0,
       "What `lesion importance --json` printed of the model: how well it ranks layers by damage", 0},
      {"margin", KEY_MARGIN, "X", 0,
       "Damage, in the measure's units, below which a layer may go (default: 0.1 for jaccard, 0.05 for "
       "kl_mean and delta_nll, 0.02 for acc; see docs/measures.md)",
       0},
      {"table", KEY_TABLE, NULL, 0,
       "Print the table of tasks: each metric intact and lesioned, with standard errors", 0},
      {"force", KEY_FORCE, NULL, 0, "Replace layer_specialization_map.json, whatever it holds", 0},
      CLI_JSON_OPTION(0),
      {0}};
  static const struct argp argp = {
      argp_options,
      parse,
      "RUN.h5",
      "Says what each layer is for: damage per layer and domain with 95 % intervals, zones, rankings. Works "
      "on a sweep that is not finished, with its finished cells.",
      NULL,
      NULL,
      NULL};
  options o = {0};
  cli_parse(&argp, argc, argv, &o);
  les_map *map;
  les_status s = les_map_compute(&map, o.path, &o.map);
  if (s == LES_OK) s = write_map(map, &o);
  les_map_free(&map);
  return cli_finish(s);
}
