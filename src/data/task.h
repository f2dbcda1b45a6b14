/* Tasks: data sets whose documents a model is scored on by the log-likelihood of given texts, with the
 * prompts, choices and scores of lm-evaluation-harness 0.4.13, 0-shot (the yaml and py files of its folder
 * tasks/: arc, hellaswag, piqa, winogrande, lambada, super_glue/boolq, mmlu/default, wikitext; scores:
 * api/task.py and api/metrics.py).
 *
 *   open a data file -> items (texts) -> requests (tokens) -> log-likelihoods from a model -> scores */
#ifndef LES_DATA_TASK_H
#define LES_DATA_TASK_H

#include "data/perplexity.h"
#include "data/task_item.h"

typedef struct les_task {
  const struct les_task_row *row; /* name, kind, scores (task_rows.h) */
  char *path;
  les_task_document *documents;
  int n_documents;
  les_task_item *items;
  int n_items;

  /* From les_task_tokenize on: item i's requests are first_request[i] to first_request[i + 1] - 1. */
  les_requests requests;
  int *first_request; /* (n_items + 1) */
} les_task;

/* Name of the i-th task that there is; NULL beyond the last. */
const char *les_task_name(int i);

/* Reads the data file of the task called `name`: JSONL as on the Hugging Face hub, at most `limit` documents
 * (0: all). A name that does not exist is LES_USAGE; a line that is no document of that task (a field that is
 * missing or of another type, a label without its choice) an error that names file and line. */
les_status les_task_open(les_task **out, const char *name, const char *path, int limit);
void les_task_close(les_task **task);

/* Makes the requests of all items, once. Errors name file and line. */
les_status les_task_tokenize(les_task *task, const les_request_rules *rules);

/* The requests of one document, and their number: 0 (and NULL) for a page without a token. */
const les_request *les_task_document_requests(const les_task *task, int document, int *n);

/* Sums the log-likelihoods of all requests to those of the items: (n_items). */
void les_task_sum(const les_task *task, const les_loglik *requests, les_loglik *items);

/* The same of one document alone: `requests` are its own, `items` its n_items. */
void les_task_sum_document(const les_task *task, int document, const les_loglik *requests, les_loglik *items);

/* The scores of one document alone, from its items (n_items of it). Returns their number. */
int les_task_score_document(const les_task *task, int document, const les_loglik *items,
                            les_score scores[LES_MOST_SCORES]);

/* The task's scores, means over all its documents, from the sum and the greedy flag of each item. A document
 * with a NaN among its items is not answered right. Returns their number. */
int les_task_score(const les_task *task, const les_loglik *items, les_score scores[LES_MOST_SCORES]);

#endif
