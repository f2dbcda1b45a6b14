#include "base/json.h"
#include "cli/scorer.h"
#include "data/task.h"
#include "engine/loglik.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct task_options {
  const char *task, *data;
  int limit, max_length;
  bool per_document;
} task_options;

/* A task on its way through a model. */
typedef struct trial {
  task_options options;
  cli_scorer scorer;
  les_task *task;
  les_loglik *items; /* (n_items) under the lesion that is being printed */
} trial;

enum { KEY_DATA = CLI_OWN_KEYS, KEY_LIMIT, KEY_MAX_LENGTH, KEY_PER_DOCUMENT };

static error_t parse(int key, char *arg, struct argp_state *state) {
  trial *t = state->input;
  task_options *o = &t->options;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &t->scorer;
    return 0;
  case CLI_TASK:
    o->task = arg;
    return 0;
  case KEY_DATA:
    o->data = arg;
    return 0;
  case KEY_LIMIT:
    o->limit = cli_int(state, "--limit", arg, 1, INT_MAX);
    return 0;
  case KEY_MAX_LENGTH:
    o->max_length = cli_int(state, "--max-length", arg, 1, INT_MAX);
    return 0;
  case KEY_PER_DOCUMENT:
    o->per_document = t->scorer.json = true;
    return 0;
  case ARGP_KEY_END:
    if (!o->task || !o->data) argp_error(state, "--task and --data are needed");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* Adds the names of the tasks to the help. */
static char *list_tasks(int key, const char *text, void *input) {
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
    {"task", CLI_TASK, "NAME", 0, "The task whose prompts and scores apply; see below", 1},
    {"data", KEY_DATA, "F.jsonl", 0, "The task's documents, one JSON object a line, as on the hub", 1},
    {"limit", KEY_LIMIT, "N", 0, "Only the first N documents", 1},
    {"max-length", KEY_MAX_LENGTH, "N", 0,
     "Tokens that the model reads at once; longer contexts are cut on the left (default: its context)", 1},
    {"per-document", KEY_PER_DOCUMENT, NULL, 0, "JSON with the log-likelihoods of each document's choices",
     4},
    {0}};
static const struct argp_child children[] = {{&cli_scorer_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "MODEL",
    "Scores of an evaluation task, 0-shot, with the prompts and scores of lm-evaluation-harness.\v"
    "Example: lesion task model.gguf --task arc_easy --data arc_easy.jsonl --lesion skip@each.attn",
    children,
    list_tasks,
    NULL};

static les_status prepare(cli_scorer *s, const les_model *model, const les_requests **requests) {
  trial *t = s->ctx;
  les_request_rules rules;
  LES_TRY(les_loglik_rules(&rules, model, t->options.max_length));
  LES_TRY(les_task_open(&t->task, t->options.task, t->options.data, t->options.limit));
  s->count = t->task->n_documents;
  t->items = calloc((size_t)t->task->n_items, sizeof *t->items);
  if (!t->items) return les_no_memory("%d documents", t->task->n_documents);
  *requests = &t->task->requests;
  return les_task_tokenize(t->task, &rules);
}

static void add_logliks(cJSON *row, const trial *t) {
  cJSON *all = les_json_add_array(row, "loglikelihoods");
  for (int d = 0; d < t->task->n_documents; d++) {
    const les_task_document *doc = &t->task->documents[d];
    cJSON *list = les_json_add_array(all, NULL);
    for (int i = 0; i < doc->n_items; i++) les_json_add_number(list, NULL, t->items[doc->first_item + i].sum);
  }
}

static int finish(cli_scorer *s, const les_loglik *answers, les_score scores[LES_MOST_SCORES], cJSON *row) {
  trial *t = s->ctx;
  les_task_sum(t->task, answers, t->items);
  if (row && t->options.per_document) add_logliks(row, t);
  return les_task_score(t->task, t->items, scores);
}

int cmd_task(int argc, char **argv) {
  trial t = {.scorer = {.counted = "documents", .prepare = prepare, .finish = finish, .ctx = &t}};
  cli_parse(&argp, argc, argv, &t);
  les_status status = cli_scorer_run(&t.scorer);
  free(t.items);
  les_task_close(&t.task);
  cli_scorer_free(&t.scorer);
  return cli_finish(status);
}
