#include "cli.h"

#include "kernels.h"

#include <errno.h>
#include <sched.h>
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
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static error_t parse_model_option(int key, char *arg, struct argp_state *state) {
  static const char *const names[] = {"auto", "f32", "int16", "int8"};
  cli_model_options *o = state->input;
  char *end;
  switch (key) {
  case 'c':
    for (int i = 0; i < 4; i++)
      if (!strcmp(arg, names[i])) return o->compute = i, 0;
    argp_error(state, "--compute is auto, f32, int16 or int8, not '%s'", arg);
    return 0;
  case 't':
    o->threads = (int)strtol(arg, &end, 10);
    if (*end || o->threads < 1 || o->threads > 4096)
      argp_error(state, "--threads needs a number from 1, not '%s'", arg);
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

les_status cli_read_file(const char *path, char **data, size_t *n) {
  *data = NULL;
  FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
  if (!f) return les_fail(LES_FAILED, "%s: cannot be read: %s", path, strerror(errno));
  size_t cap = 1 << 16, got;
  *n = 0;
  char *buf = malloc(cap);
  while (buf && (got = fread(buf + *n, 1, cap - *n - 1, f)) > 0)
    if ((*n += got) + 1 == cap) buf = realloc(buf, cap *= 2);
  bool bad = ferror(f);
  if (f != stdin) fclose(f);
  if (!buf || bad) return free(buf), les_fail(LES_FAILED, "%s: cannot be read: %s", path, strerror(errno));
  buf[*n] = 0;
  *data = buf;
  return LES_OK;
}
