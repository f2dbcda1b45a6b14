#include "cli/scorer.h"
#include "data/documents.h"
#include "engine/loglik.h"

#include <limits.h>
#include <stdlib.h>

typedef struct reading {
  cli_scorer scorer;
  cli_list files;
  int window; /* 0: the rule's own */
  les_perplexity texts;
} reading;

enum { KEY_RULE = CLI_OWN_KEYS };

static error_t parse(int key, char *arg, struct argp_state *state) {
  reading *r = state->input;
  int rule;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &r->scorer;
    return 0;
  case CLI_FILE:
    cli_list_add(&r->files, arg);
    return 0;
  case KEY_RULE:
    if ((rule = les_text_rule_find(arg)) < 0)
      argp_error(state, "--rule is lm-eval or llama.cpp, not '%s'", arg);
    r->texts.rule = (les_text_rule)rule;
    return 0;
  case CLI_WINDOW:
    r->window = cli_int(state, "--window", arg, 4, INT_MAX);
    return 0;
  case ARGP_KEY_END:
    if (r->files.n == 0) argp_error(state, "--file is missing");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    CLI_FILE_OPTION(
        "A text file, or .jsonl, .json, .csv or .tsv with a text a row; several are scored together", 1),
    {"rule", KEY_RULE, "RULE", 0,
     "lm-eval (default): rolling windows, per word and byte. llama.cpp: chunks, of each the second half", 1},
    {"window", CLI_WINDOW, "N", 0,
     "Tokens of a window or chunk (default: the model's context for lm-eval, 512 for llama.cpp)", 1},
    {0}};
static const struct argp_child children[] = {{&cli_scorer_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "MODEL",
    "Perplexity of long texts, intact and under lesions, as lm-evaluation-harness or llama.cpp measures "
    "it.\v"
    "Example: lesion perplexity model.gguf --file wiki.test.raw --rule llama.cpp --lesion skip@each",
    children,
    NULL,
    NULL};

static les_status add_file(reading *r, const les_request_rules *rules, const char *path) {
  les_documents documents = {0};
  les_status status = les_documents_read(&documents, path, NULL);
  for (int i = 0; i < documents.n && status == LES_OK; i++) {
    status = les_perplexity_add(&r->texts, rules, documents.items[i].text, documents.items[i].n);
    if (status != LES_OK) les_fail_in(status, "%s", path);
  }
  les_documents_free(&documents);
  return status;
}

static les_status prepare(cli_scorer *s, const les_model *model, const les_requests **requests) {
  reading *r = s->ctx;
  les_request_rules rules;
  int window = r->window || r->texts.rule == LES_RULE_LM_EVAL ? r->window : LES_LLAMA_CPP_CHUNK;
  LES_TRY(les_loglik_rules(&rules, model, window));
  for (int i = 0; i < r->files.n; i++) LES_TRY(add_file(r, &rules, r->files.items[i]));
  s->count = r->texts.tokens;
  s->n_units = r->texts.requests.n;
  *requests = &r->texts.requests;
  return LES_OK;
}

static int finish(cli_scorer *s, const les_loglik *answers, les_score scores[LES_MOST_SCORES], cJSON *row) {
  (void)row;
  return les_perplexity_finish(&((reading *)s->ctx)->texts, answers, scores);
}

static void influences(cli_scorer *s, const les_loglik *answers, const les_score *scores, double *out) {
  les_perplexity_influences(&((reading *)s->ctx)->texts, answers, scores, out);
}

int cmd_perplexity(int argc, char **argv) {
  reading r = {
      .scorer = {
          .counted = "tokens", .prepare = prepare, .finish = finish, .influences = influences, .ctx = &r}};
  cli_parse(&argp, argc, argv, &r);
  les_status status = cli_scorer_run(&r.scorer);
  les_perplexity_free(&r.texts);
  cli_list_free(&r.files);
  cli_scorer_free(&r.scorer);
  return cli_finish(status);
}
