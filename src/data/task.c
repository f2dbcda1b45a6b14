#include "data/task.h"

#include "data/task_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *les_task_name(int i) {
  return i < les_n_task_rows ? les_task_rows[i].name : NULL;
}

static const les_task_row *find_row(const char *name) {
  for (int i = 0; i < les_n_task_rows; i++)
    if (!strcmp(les_task_rows[i].name, name)) return &les_task_rows[i];
  return NULL;
}

static les_status unknown_task(const char *name) {
  char known[256] = "";
  for (int i = 0; i < les_n_task_rows; i++)
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "",
             les_task_rows[i].name);
  return les_fail(LES_USAGE, "there is no task '%s'; known are %s", name, known);
}

/* ---- reading ---- */

typedef struct reader {
  les_task *task;
  les_task_items items; /* become the task's */
  int limit;
} reader;

static les_status read_line(void *ctx, const cJSON *json, les_json_source at) {
  reader *r = ctx;
  les_task *t = r->task;
  if (r->limit && t->n_documents == r->limit) return LES_OK;
  if ((t->n_documents & (t->n_documents - 1)) == 0) { /* room for as many again */
    size_t room = t->n_documents ? 2 * (size_t)t->n_documents : 1;
    les_task_document *documents = realloc(t->documents, room * sizeof *documents);
    if (!documents) return les_no_memory("the documents of %s", at.path);
    t->documents = documents;
  }
  les_task_document *doc = &t->documents[t->n_documents++];
  *doc = (les_task_document){.line = at.line, .first_item = r->items.n};
  LES_TRY(t->row->read(&r->items, doc, json, at));
  doc->n_items = r->items.n - doc->first_item;
  return LES_OK;
}

les_status les_task_open(les_task **out, const char *name, const char *path, int limit) {
  *out = NULL;
  const les_task_row *row = find_row(name);
  if (!row) return unknown_task(name);
  les_task *task = calloc(1, sizeof *task);
  if (!task || !(task->path = strdup(path))) {
    free(task);
    return les_no_memory("the task %s", path);
  }
  task->row = row;
  reader r = {.task = task, .limit = limit};
  les_status s = les_json_read_lines(path, read_line, &r);
  task->items = r.items.items;
  task->n_items = r.items.n;
  if (s == LES_OK && task->n_documents == 0) s = les_fail(LES_FAILED, "%s: holds no document", path);
  if (s != LES_OK) les_task_close(&task);
  *out = task;
  return s;
}

void les_task_close(les_task **task) {
  les_task *t = *task;
  if (!t) return;
  for (int i = 0; i < t->n_items; i++) {
    free(t->items[i].context);
    free(t->items[i].continuation);
  }
  free(t->items);
  free(t->documents);
  les_requests_free(&t->requests);
  free(t->first_request);
  free(t->path);
  free(t);
  *task = NULL;
}

/* ---- requests ---- */

les_status les_task_tokenize(les_task *task, const les_request_rules *rules) {
  les_requests *all = &task->requests;
  int *first = task->first_request = calloc((size_t)task->n_items + 1, sizeof *first);
  if (!first) return les_no_memory("the requests of %s", task->path);
  for (int d = 0; d < task->n_documents; d++) {
    const les_task_document *doc = &task->documents[d];
    for (int i = doc->first_item; i < doc->first_item + doc->n_items; i++) {
      const les_task_item *item = &task->items[i];
      les_status s = item->context ? les_request_add_pair(all, rules, item->context, item->continuation)
                                   : les_request_add_rolling(all, rules, item->continuation);
      if (s != LES_OK) return les_fail_in(s, "%s:%d", task->path, doc->line);
      first[i + 1] = all->n;
    }
  }
  return LES_OK;
}

const les_request *les_task_document_requests(const les_task *task, int document, int *n) {
  const les_task_document *doc = &task->documents[document];
  const int *first = task->first_request + doc->first_item;
  *n = first[doc->n_items] - first[0];
  return *n > 0 ? task->requests.items + first[0] : NULL;
}

/* ---- scores ---- */

void les_task_sum_document(const les_task *task, int document, const les_loglik *requests,
                           les_loglik *items) {
  const les_task_document *doc = &task->documents[document];
  const int *from = task->first_request + doc->first_item;
  for (int i = 0; i < doc->n_items; i++) {
    items[i] = (les_loglik){0, true};
    for (int r = from[i] - from[0]; r < from[i + 1] - from[0]; r++) {
      items[i].sum += requests[r].sum;
      items[i].greedy = items[i].greedy && requests[r].greedy;
    }
  }
}

void les_task_sum(const les_task *task, const les_loglik *requests, les_loglik *items) {
  for (int d = 0; d < task->n_documents; d++) {
    int item = task->documents[d].first_item;
    les_task_sum_document(task, d, requests + task->first_request[item], items + item);
  }
}

typedef enum per { PER_CHOICE, PER_CHAR, PER_BYTE } per;

/* 1 if the gold item has the largest likelihood per unit of its length; of equal ones the first counts. */
static int is_right(const les_task *task, const les_task_document *doc, const les_loglik *items, per unit) {
  int best = -1;
  double most = 0;
  for (int i = 0; i < doc->n_items; i++) {
    const les_task_item *item = &task->items[doc->first_item + i];
    double length = unit == PER_CHAR ? (double)item->chars : unit == PER_BYTE ? (double)item->bytes : 1;
    double value = items[doc->first_item + i].sum / length;
    if (isnan(value)) return 0;
    if (best < 0 || value > most) best = i, most = value;
  }
  return best == doc->gold;
}

static double accuracy(const les_task *task, const les_loglik *items, per unit) {
  int right = 0;
  for (int d = 0; d < task->n_documents; d++) right += is_right(task, &task->documents[d], items, unit);
  return (double)right / task->n_documents;
}

static int score_choices(const les_task *task, const les_loglik *items, les_score *scores) {
  scores[0] = (les_score){"acc", accuracy(task, items, PER_CHOICE)};
  if (!task->row->normalized) return 1;
  scores[1] = (les_score){"acc_norm", accuracy(task, items, PER_CHAR)};
  scores[2] = (les_score){"acc_bytes", accuracy(task, items, PER_BYTE)};
  return 3;
}

static int score_last_words(const les_task *task, const les_loglik *items, les_score *scores) {
  double sum = 0;
  int right = 0;
  for (int i = 0; i < task->n_items; i++) sum += items[i].sum, right += items[i].greedy;
  scores[0] = (les_score){"perplexity", exp(-sum / task->n_items)};
  scores[1] = (les_score){"acc", (double)right / task->n_items};
  return 2;
}

static int score_pages(const les_task *task, const les_loglik *items, les_score *scores) {
  double sum = 0;
  int64_t words = 0, bytes = 0;
  for (int d = 0; d < task->n_documents; d++) {
    sum += items[task->documents[d].first_item].sum;
    words += task->documents[d].words;
    bytes += task->documents[d].bytes;
  }
  return les_perplexity_rolling(sum, words, bytes, scores);
}

int les_task_score(const les_task *task, const les_loglik *items, les_score scores[LES_MOST_SCORES]) {
  switch (task->row->kind) {
  case LES_TASK_LAST_WORD:
    return score_last_words(task, items, scores);
  case LES_TASK_PAGE:
    return score_pages(task, items, scores);
  default:
    return score_choices(task, items, scores);
  }
}

int les_task_score_document(const les_task *task, int document, const les_loglik *items,
                            les_score scores[LES_MOST_SCORES]) {
  les_task_document alone = task->documents[document];
  les_task one = *task;
  one.documents = &alone;
  one.n_documents = 1;
  one.items = task->items + alone.first_item;
  one.n_items = alone.n_items;
  alone.first_item = 0;
  return les_task_score(&one, items, scores);
}
