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

enum { KEY_DATA = 256, KEY_LIMIT, KEY_MAX_LENGTH };

static error_t parse(int key, char *arg, struct argp_state *state) {
  trial *t = state->input;
  task_options *o = &t->options;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &t->scorer;
    return 0;
  case 'k':
    o->task = arg;
    return 0;
  case KEY_DATA:
    o->data = arg;
    return 0;
  case KEY_LIMIT:
    o->limit = (int)cli_number(state, "--limit", arg, 1, INT_MAX);
    return 0;
  case KEY_MAX_LENGTH:
    o->max_length = (int)cli_number(state, "--max-length", arg, 1, INT_MAX);
    return 0;
  case 'p':
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
    {"task", 'k', "NAME", 0, "Whose prompts and scores apply", 1},
    {"data", KEY_DATA, "F.jsonl", 0, "The task's documents, one JSON object a line, as on the hub", 1},
    {"limit", KEY_LIMIT, "N", 0, "Only the first N documents", 1},
    {"max-length", KEY_MAX_LENGTH, "N", 0,
     "Tokens that the model reads at once; longer contexts are cut on the left (default: its context)", 1},
    {"per-document", 'p', NULL, 0, "JSON with the log-likelihoods of each document's choices", 4},
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
  if (!t->items) return les_fail(LES_FAILED, "out of memory for %d documents", t->task->n_documents);
  *requests = &t->task->requests;
  return les_task_tokenize(t->task, &rules);
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

static int finish(cli_scorer *s, const les_loglik *answers, les_score scores[LES_MOST_SCORES], cJSON *row) {
  trial *t = s->ctx;
  les_task_sum(t->task, answers, t->items);
  if (row && t->options.per_document) cJSON_AddItemToObject(row, "loglikelihoods", logliks(t));
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
