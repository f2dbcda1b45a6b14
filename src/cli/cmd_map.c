#include "base/file.h"
#include "cli/cli.h"
#include "map/map_json.h"
#include "map/map_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
  char *path;
  const char *output;
  les_map_options map;
  bool json;
} options;

enum { KEY_LESIONS = CLI_OWN_KEYS, KEY_IMPORTANCE };

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

static les_status write_map(const les_map *map, const options *o) {
  char *json = NULL, *text = NULL;
  les_status s = les_map_json(map, &json);
  if (s == LES_OK && !o->json) s = les_map_text(map, &text);
  if (s == LES_OK && o->output) s = les_file_write(o->output, json, strlen(json));
  if (s == LES_OK) printf("%s%s", o->json ? json : text, o->json ? "\n" : "");
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
  if (!o.output && !o.json) o.output = "layer_specialization_map.json";
  les_map *map;
  les_status s = les_map_compute(&map, o.path, &o.map);
  if (s == LES_OK) s = write_map(map, &o);
  les_map_free(&map);
  return cli_finish(s);
}
