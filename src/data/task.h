/* Tasks: data sets whose documents a model is scored on by the log-likelihood of given texts, with the
 * prompts, choices and scores of lm-evaluation-harness 0.4.13, 0-shot (the yaml and py files of its folder
 * tasks/: arc, hellaswag, piqa, winogrande, lambada, super_glue/boolq, mmlu/default, wikitext; scores:
 * api/task.py and api/metrics.py).
 *
 *   open a data file -> items (texts) -> requests (tokens) -> log-likelihoods from a model -> scores */
#ifndef LES_DATA_TASK_H
#define LES_DATA_TASK_H

#include "data/perplexity.h"

/* How a document is scored. */
typedef enum les_task_kind {
  LES_TASK_CHOICE,    /* the most likely of several items should be the right one */
  LES_TASK_LAST_WORD, /* one item, which should be the greedy continuation */
  LES_TASK_PAGE,      /* one item, a long text that is scored in rolling windows */
} les_task_kind;

/* A text to be scored: a choice, a last word, a page. */
typedef struct les_task_item {
  char *context;        /* NULL for a page */
  char *continuation;   /* the text that is scored, with the space before it */
  int64_t chars, bytes; /* length of the choice itself, as acc_norm and acc_bytes divide by it */
} les_task_item;

typedef struct les_task_document {
  int line;       /* of the data file */
  int first_item; /* in les_task.items */
  int n_items;
  int gold;             /* right item of a choice */
  int64_t words, bytes; /* of a page before it is rewritten */
} les_task_document;

typedef struct les_task {
  const struct les_task_row *row; /* name, kind, scores */
  char *path;
  les_task_document *documents;
  int n_documents;
  les_task_item *items;
  int n_items;
} les_task;

/* Name of the i-th task that there is; NULL behind the last. */
const char *les_task_name(int i);

/* Reads the data file of the task called `name`: JSONL as on the Hugging Face hub, at most `limit` documents
 * (0: all). A name that does not exist is LES_USAGE; a line that is no document of that task (a field that is
 * missing or of another type, a label without its choice) an error that names file and line. */
les_status les_task_open(les_task **out, const char *name, const char *path, int limit);
void les_task_close(les_task **task);

/* Tokenizes the items: item i's requests are first[i] to first[i + 1] - 1. `first` has n_items + 1 places.
 * Errors name file and line. */
les_status les_task_requests(const les_task *task, const les_request_rules *rules, les_requests *out,
                             int *first);

/* Sums the likelihoods of requests, as les_loglik_score gives them, to those of the items: (n_items). */
void les_task_sum(const les_task *task, const int *first, const les_loglik *requests, les_loglik *items);

/* The same of one document alone: `requests` are its own, `items` its n_items. */
void les_task_sum_document(const les_task *task, int document, const int *first, const les_loglik *requests,
                           les_loglik *items);

/* The scores of one document alone, from its items (n_items of it). Returns their number. */
int les_task_score_document(const les_task *task, int document, const les_loglik *items,
                            les_score scores[LES_MOST_SCORES]);

/* The task's scores, means over all its documents, from the sum and the greedy flag of each item. A document
 * with a NaN among its items is not answered right. Returns their number. */
int les_task_score(const les_task *task, const les_loglik *items, les_score scores[LES_MOST_SCORES]);

#endif
