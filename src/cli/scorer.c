#include "cli/scorer.h"

#include "base/json.h"
#include "engine/loglik.h"
#include "model/load.h"

#include <stdio.h>
#include <stdlib.h>

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
} answers;

static const char *spec(const answers *a, int row) {
  return row == 0 ? "none" : a->lesions->items[row - 1].spec;
}

static const les_loglik *answers_of(const answers *a, int row) {
  return a->items + (size_t)row * (size_t)a->n_requests;
}

static void print_json(cli_scorer *s, const les_model *model, const answers *a) {
  cJSON *doc = cli_document(model, s->model.compute), *results = les_json_add_array(doc, "results");
  for (int row = 0; row <= a->lesions->n; row++) {
    les_score scores[LES_MOST_SCORES];
    cJSON *item = les_json_add_object(results, NULL);
    les_json_add_string(item, "lesion", spec(a, row));
    les_json_add_number(item, s->counted, (double)s->count);
    int n = s->finish(s, answers_of(a, row), scores, item);
    for (int i = 0; i < n; i++) les_json_add_number(item, scores[i].name, scores[i].value);
  }
  cli_print_json(doc);
}

static void print_table(cli_scorer *s, const answers *a) {
  for (int row = 0; row <= a->lesions->n; row++) {
    les_score scores[LES_MOST_SCORES];
    int n = s->finish(s, answers_of(a, row), scores, NULL);
    if (row == 0) {
      printf("%-24s %10s", "lesion", s->counted);
      for (int i = 0; i < n; i++) printf(" %20s", scores[i].name);
      putchar('\n');
    }
    printf("%-24s %10lld", spec(a, row), (long long)s->count);
    for (int i = 0; i < n; i++) printf(" %20.6g", scores[i].value);
    putchar('\n');
  }
}

les_status cli_scorer_run(cli_scorer *s) {
  les_model *model = NULL;
  const les_lesions *lesions = &s->lesions.lesions;
  const les_requests *requests;
  answers a = {.lesions = lesions};
  les_status status;
  LES_GOTO(status, les_model_open(&model, s->path, &(les_model_options){.no_sha256 = true}), done);
  LES_GOTO(status, cli_lesions_resolve(&s->lesions, model, &s->model), done);
  LES_GOTO(status, s->prepare(s, model, &requests), done);
  a.n_requests = requests->n;
  a.items = calloc(((size_t)lesions->n + 1) * ((size_t)requests->n + 1), sizeof *a.items);
  if (!a.items) LES_GOTO(status, les_no_memory("the scores of %d lesions", lesions->n), done);
  les_loglik_options o = {.compute = (les_compute)s->model.compute, .threads = cli_threads(s->model.threads)};
  LES_GOTO(status,
           les_loglik_score(model, requests->items, requests->n, lesions, s->lesions.means, &o, a.items),
           done);
  if (s->json)
    print_json(s, model, &a);
  else
    print_table(s, &a);
done:
  free(a.items);
  les_model_close(&model);
  return status;
}

void cli_scorer_free(cli_scorer *s) {
  cli_lesions_free(&s->lesions);
}
