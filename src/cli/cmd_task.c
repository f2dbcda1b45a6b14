#include "cli.h"

#include "task.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct task_options {
  cli_model_options model;
  cli_list lesions;
  const char *path, *task, *data;
  int limit, max_length;
  bool json, per_document;
} task_options;

enum { KEY_DATA = 256, KEY_LIMIT, KEY_MAX_LENGTH };

static error_t parse(int key, char *arg, struct argp_state *state) {
  task_options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->model;
    return 0;
  case 'k':
    o->task = arg;
    return 0;
  case KEY_DATA:
    o->data = arg;
    return 0;
  case 'l':
    cli_list_add(&o->lesions, arg);
    return 0;
  case KEY_LIMIT:
    o->limit = (int)cli_number(state, "--limit", arg, 1, INT_MAX);
    return 0;
  case KEY_MAX_LENGTH:
    o->max_length = (int)cli_number(state, "--max-length", arg, 1, INT_MAX);
    return 0;
  case 'j':
    o->json = true;
    return 0;
  case 'p':
    o->per_document = o->json = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->path) argp_error(state, "one MODEL is enough: '%s'", arg);
    o->path = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->path || !o->task || !o->data) argp_error(state, "MODEL, --task and --data are needed");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* Adds the names of the tasks to the help. */
static char *filter_help(int key, const char *text, void *input) {
  (void)input;
  if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
  char *help = NULL;
  size_t n;
  FILE *f = open_memstream(&help, &n);
  if (!f) return (char *)text;
  fprintf(f, "%s\n\nTasks:", text);
  for (int i = 0; les_task_name(i); i++) fprintf(f, " %s", les_task_name(i));
  return fclose(f) ? (char *)text : help;
}

static const struct argp_option options[] = {
    {"task", 'k', "NAME", 0, "Whose prompts and scores apply", 3},
    {"data", KEY_DATA, "F.jsonl", 0, "The task's documents, one JSON object a line, as on the hub", 3},
    {"limit", KEY_LIMIT, "N", 0, "Only the first N documents", 3},
    {"max-length", KEY_MAX_LENGTH, "N", 0,
     "Tokens that the model reads at once; longer contexts are cut on the left (default: its context)", 3},
    {"lesion", 'l', "SPEC", 0, "Score under this lesion too, e.g. skip@3 or skip@each.attn; several times",
     3},
    {"json", 'j', NULL, 0, "Print one JSON document", 4},
    {"per-document", 'p', NULL, 0, "JSON with the log-likelihoods of each document's choices", 4},
    {0}};
static const struct argp_child children[] = {{&cli_model_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "MODEL",
    "Scores of an evaluation task, 0-shot, with the prompts and scores of lm-evaluation-harness.\v"
    "Example: lesion task model.gguf --task arc_easy --data arc_easy.jsonl --lesion skip@each.attn",
    children,
    filter_help,
    NULL};

/* A task on its way through a model. */
typedef struct trial {
  les_task *task;
  les_requests requests;
  int *first;          /* (n_items + 1) request of each item */
  les_loglik *answers; /* (n_lesions + 1, n_requests) */
  les_loglik *items;   /* (n_items) of the lesion that is being printed */
} trial;

static void close_trial(trial *t) {
  free(t->items);
  free(t->answers);
  free(t->first);
  les_requests_free(&t->requests);
  les_task_close(&t->task);
}

static les_status open_trial(trial *t, const task_options *o, const les_model *model, int n_lesions) {
  les_request_rules rules;
  LES_TRY(les_request_rules_make(&rules, model, o->max_length));
  LES_TRY(les_task_open(&t->task, o->task, o->data, o->limit));
  t->first = calloc((size_t)t->task->n_items + 1, sizeof *t->first);
  t->items = calloc((size_t)t->task->n_items, sizeof *t->items);
  if (!t->first || !t->items)
    return les_fail(LES_FAILED, "out of memory for %d documents", t->task->n_documents);
  LES_TRY(les_task_requests(t->task, &rules, &t->requests, t->first));
  t->answers = calloc(((size_t)n_lesions + 1) * ((size_t)t->requests.n + 1), sizeof *t->answers);
  return t->answers ? LES_OK : les_fail(LES_FAILED, "out of memory for %d lesions", n_lesions);
}

/* The scores under lesion number `row` - 1; row 0: intact. */
static int score(trial *t, int row, les_score scores[LES_MOST_SCORES]) {
  les_task_sum(t->task, t->first, t->answers + (size_t)row * (size_t)t->requests.n, t->items);
  return les_task_score(t->task, t->items, scores);
}

static const char *spec(const les_lesions *lesions, int row) {
  return row == 0 ? "none" : lesions->items[row - 1].spec;
}

static cJSON *logliks(const trial *t) {
  cJSON *all = cJSON_CreateArray();
  for (int d = 0; d < t->task->n_documents; d++) {
    const les_task_document *doc = &t->task->documents[d];
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < doc->n_items; i++)
      cJSON_AddItemToArray(list, cJSON_CreateNumber(t->items[doc->first_item + i].sum));
    cJSON_AddItemToArray(all, list);
  }
  return all;
}

static void print_json(trial *t, const les_model *model, const les_lesions *lesions, const task_options *o) {
  cJSON *doc = cli_results(model, o->model.compute), *results = cJSON_GetObjectItem(doc, "results");
  for (int row = 0; row <= lesions->n; row++) {
    les_score scores[LES_MOST_SCORES];
    int n = score(t, row, scores);
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "lesion", spec(lesions, row));
    cJSON_AddNumberToObject(item, "documents", t->task->n_documents);
    for (int i = 0; i < n; i++) cJSON_AddNumberToObject(item, scores[i].name, scores[i].value);
    if (o->per_document) cJSON_AddItemToObject(item, "loglikelihoods", logliks(t));
    cJSON_AddItemToArray(results, item);
  }
  cli_print_json(doc);
}

static void print_table(trial *t, const les_lesions *lesions) {
  for (int row = 0; row <= lesions->n; row++) {
    les_score scores[LES_MOST_SCORES];
    int n = score(t, row, scores);
    if (row == 0) {
      printf("%-24s %10s", "lesion", "documents");
      for (int i = 0; i < n; i++) printf(" %16s", scores[i].name);
      putchar('\n');
    }
    printf("%-24s %10d", spec(lesions, row), t->task->n_documents);
    for (int i = 0; i < n; i++) printf(" %16.6g", scores[i].value);
    putchar('\n');
  }
}

static les_status run(const task_options *o) {
  les_model *model = NULL;
  les_lesions lesions = {0};
  trial t = {0};
  les_status status;
  LES_GOTO(status, les_model_open(&model, o->path, &(les_model_options){.no_sha256 = true}), done);
  LES_GOTO(status,
           les_lesions_parse(&lesions, (const char *const *)o->lesions.items, o->lesions.n, &model->shape),
           done);
  LES_GOTO(status, open_trial(&t, o, model, lesions.n), done);
  les_loglik_options e = {.compute = (les_compute)o->model.compute, .threads = cli_threads(o->model.threads)};
  LES_GOTO(status, les_loglik_score(model, t.requests.items, t.requests.n, &lesions, NULL, &e, t.answers),
           done);
  if (o->json)
    print_json(&t, model, &lesions, o);
  else
    print_table(&t, &lesions);
done:
  close_trial(&t);
  les_lesions_free(&lesions);
  les_model_close(&model);
  return status;
}

int cmd_task(int argc, char **argv) {
  task_options o = {0};
  cli_parse(&argp, argc, argv, &o);
  les_status status = run(&o);
  cli_list_free(&o.lesions);
  return cli_finish(status);
}
