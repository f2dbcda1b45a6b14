#include "cli/scorer.h"

#include "base/json.h"
#include "cli/progress.h"
#include "engine/loglik.h"
#include "model/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static error_t parse(int key, char *arg, struct argp_state *state) {
  cli_scorer *s = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &s->lesions;
    state->child_inputs[1] = &s->model;
    return 0;
  case CLI_JSON:
    s->json = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "MODEL", arg, &s->path);
  case ARGP_KEY_END:
    cli_need_arg(state, "MODEL", s->path);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {CLI_JSON_OPTION(4), {0}};
static const struct argp_child children[] = {
    {&cli_lesions_argp, 0, NULL, 0}, {&cli_model_argp, 0, NULL, 0}, {0}};
const struct argp cli_scorer_argp = {options, parse, NULL, NULL, children, NULL, NULL};

/* The answers of each lesion to each request, row 0 intact. */
typedef struct answers {
  const les_lesions *lesions;
  int n_requests;
  les_loglik *items; /* (lesions->n + 1, n_requests) */
  double *intact,
      *influences; /* (LES_MOST_SCORES, n_units) of the intact model; of the row that is printed */
  double scores[LES_MOST_SCORES]; /* intact */
} answers;

static const char *spec(const answers *a, int row) {
  return row == 0 ? "none" : a->lesions->items[row - 1].spec;
}

static const les_loglik *answers_of(const answers *a, int row) {
  return a->items + (size_t)row * (size_t)a->n_requests;
}

/* The scores of one lesion, how sure they are, and how far from the intact ones. */
typedef struct line {
  les_score scores[LES_MOST_SCORES];
  double stderrs[LES_MOST_SCORES], difference[LES_MOST_SCORES], difference_stderr[LES_MOST_SCORES];
  int n;
} line;

/* Of row 0 first, whose scores and influences the others are compared with. */
static void make_line(cli_scorer *s, answers *a, int row, line *out, cJSON *json) {
  size_t n = (size_t)s->n_units;
  double *mine = row == 0 ? a->intact : a->influences;
  const les_loglik *of_row = answers_of(a, row);
  out->n = s->finish(s, of_row, out->scores, json);
  s->influences(s, of_row, out->scores, mine);
  for (size_t i = 0; i < (size_t)out->n; i++) {
    if (row == 0) a->scores[i] = out->scores[i].value;
    out->stderrs[i] = les_influence_stderr(mine + i * n, NULL, s->n_units);
    out->difference[i] = out->scores[i].value - a->scores[i];
    out->difference_stderr[i] = les_influence_stderr(mine + i * n, a->intact + i * n, s->n_units);
  }
}

static void add_by_score(cJSON *item, const char *name, const line *l, const double *values) {
  cJSON *object = les_json_add_object(item, name);
  for (int i = 0; i < l->n; i++) les_json_add_number(object, l->scores[i].name, values[i]);
}

static void print_json(cli_scorer *s, const les_model *model, answers *a) {
  cJSON *doc = cli_document(model, s->model.compute), *results = les_json_add_array(doc, "results");
  for (int row = 0; row <= a->lesions->n; row++) {
    line l;
    cJSON *item = les_json_add_object(results, NULL);
    les_json_add_string(item, "lesion", spec(a, row));
    les_json_add_number(item, s->counted, (double)s->count);
    make_line(s, a, row, &l, item);
    for (int i = 0; i < l.n; i++) les_json_add_number(item, l.scores[i].name, l.scores[i].value);
    add_by_score(item, "stderr", &l, l.stderrs);
    if (row == 0) continue;
    add_by_score(item, "difference", &l, l.difference);
    add_by_score(item, "difference_stderr", &l, l.difference_stderr);
  }
  cli_print_json(doc);
}

static void print_number(int width, double value) {
  if (isnan(value))
    printf(" %*s", width, "-");
  else
    printf(" %*.5g", width, value);
}

/* A table per score: it fits a terminal, and what is compared stands in one column. */
static les_status print_tables(cli_scorer *s, answers *a) {
  int n_rows = a->lesions->n + 1, width = (int)strlen("lesion");
  line *lines = calloc((size_t)n_rows, sizeof *lines);
  if (!lines) return les_no_memory("the scores of %d lesions", a->lesions->n);
  for (int row = 0; row < n_rows; row++) {
    make_line(s, a, row, &lines[row], NULL);
    if ((int)strlen(spec(a, row)) > width) width = (int)strlen(spec(a, row));
  }
  printf("%lld %s; stderr: standard error; difference: to intact, paired\n", (long long)s->count, s->counted);
  for (int i = 0; i < lines[0].n; i++) {
    printf("\n%s\n%-*s %10s %9s %11s %9s\n", lines[0].scores[i].name, width, "lesion", "value", "stderr",
           "difference", "stderr");
    for (int row = 0; row < n_rows; row++) {
      const line *l = &lines[row];
      printf("%-*s", width, spec(a, row));
      print_number(10, l->scores[i].value);
      print_number(9, l->stderrs[i]);
      if (row > 0) print_number(11, l->difference[i]);
      if (row > 0) print_number(9, l->difference_stderr[i]);
      putchar('\n');
    }
  }
  free(lines);
  return LES_OK;
}

les_status cli_scorer_run(cli_scorer *s) {
  les_model *model = NULL;
  const les_lesions *lesions = &s->lesions.lesions;
  const les_requests *requests;
  answers a = {.lesions = lesions};
  les_status status;
  cli_progress progress;
  cli_progress_init(&progress, "requests", s->model.progress);
  const les_progress teller = cli_progress_teller(&progress);
  LES_GOTO(status, les_model_open(&model, s->path, &(les_model_options){.no_sha256 = true}), done);
  LES_GOTO(status, cli_lesions_resolve(&s->lesions, model, &s->model), done);
  LES_GOTO(status, s->prepare(s, model, &requests), done);
  a.n_requests = requests->n;
  a.items = calloc(((size_t)lesions->n + 1) * ((size_t)requests->n + 1), sizeof *a.items);
  a.intact = calloc(LES_MOST_SCORES * ((size_t)s->n_units + 1), sizeof *a.intact);
  a.influences = calloc(LES_MOST_SCORES * ((size_t)s->n_units + 1), sizeof *a.influences);
  if (!a.items || !a.intact || !a.influences)
    LES_GOTO(status, les_no_memory("the scores of %d lesions", lesions->n), done);
  les_loglik_options o = {.compute = (les_compute)s->model.compute,
                          .threads = cli_threads(s->model.threads),
                          .progress = &teller};
  LES_GOTO(status,
           les_loglik_score(model, requests->items, requests->n, lesions, s->lesions.means, &o, a.items),
           done);
  cli_progress_free(&progress);
  if (s->json)
    print_json(s, model, &a);
  else
    status = print_tables(s, &a);
done:
  cli_progress_free(&progress);
  free(a.items);
  free(a.intact);
  free(a.influences);
  les_model_close(&model);
  return status;
}

void cli_scorer_free(cli_scorer *s) {
  cli_lesions_free(&s->lesions);
}
