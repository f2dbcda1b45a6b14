#include "job/column.h"

#include "engine/loglik.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for more columns and inputs, so that adding them cannot fail half-way. */
static les_status reserve(les_columns *c, int n, int n_inputs) {
  les_column *items = realloc(c->items, ((size_t)c->n + (size_t)n + 1) * sizeof *items);
  if (items) c->items = items;
  les_input *inputs = realloc(c->inputs, ((size_t)c->n_inputs + (size_t)n_inputs + 1) * sizeof *inputs);
  if (inputs) c->inputs = inputs;
  return items && inputs ? LES_OK : les_no_memory("%d prompts or documents", n);
}

/* Appends a column without inputs; takes `id` over (NULL: it could not be made). */
static les_status append(les_columns *c, char *id, const char *domain, const char *text, les_column like) {
  les_column *column = &c->items[c->n++];
  *column = like;
  column->id = id;
  column->domain = strdup(domain);
  column->text = strdup(text);
  column->first_input = c->n_inputs;
  return column->id && column->domain && column->text ? LES_OK : les_no_memory("a column");
}

static void append_input(les_columns *c, les_input input) {
  c->inputs[c->n_inputs++] = input;
  c->items[c->n - 1].n_inputs++;
}

/* ---- prompts ---- */

static les_status record_prompt(const les_column *column, const les_recorder *r,
                                const les_cell_outcomes *outcomes, void *record) {
  const les_prompts *prompts = column->source;
  return les_record_prompt(r, &prompts->items[column->place], outcomes->only, record);
}

les_status les_columns_add_prompts(les_columns *c, const les_prompts *prompts, int max_new_tokens,
                                   unsigned want) {
  LES_TRY(reserve(c, prompts->n, prompts->n));
  for (int i = 0; i < prompts->n; i++) {
    const les_prompt *p = &prompts->items[i];
    LES_TRY(append(c, strdup(p->id), p->domain, p->text,
                   (les_column){.record = record_prompt, .source = prompts, .place = i}));
    append_input(
        c, (les_input){
               .tokens = p->tokens.ids, .n = p->tokens.n, .max_new_tokens = max_new_tokens, .want = want});
  }
  return LES_OK;
}

/* ---- documents of tasks ---- */

static les_status record_document(const les_column *column, const les_recorder *r,
                                  const les_cell_outcomes *outcomes, void *record) {
  return les_record_document(r, column->source, column->place, outcomes->logliks, record);
}

static char *document_id(const char *name, int line) {
  char *id;
  return asprintf(&id, "%s-%d", name, line) < 0 ? NULL : id;
}

les_status les_columns_add_task(les_columns *c, const les_task *task, const char *name) {
  LES_TRY(reserve(c, task->n_documents, task->requests.n));
  for (int d = 0; d < task->n_documents; d++) {
    const les_task_document *doc = &task->documents[d];
    const les_task_item *item = &task->items[doc->first_item];
    LES_TRY(append(c, document_id(name, doc->line), name, item->context ? item->context : item->continuation,
                   (les_column){.record = record_document, .source = task, .place = d}));
    int n;
    const les_request *requests = les_task_document_requests(task, d, &n);
    for (int i = 0; i < n; i++) append_input(c, les_loglik_input(&requests[i]));
  }
  return LES_OK;
}

/* ---- all ---- */

void les_columns_free(les_columns *c) {
  for (int i = 0; i < c->n; i++) {
    free(c->items[i].id);
    free(c->items[i].domain);
    free(c->items[i].text);
  }
  free(c->items);
  free(c->inputs);
  *c = (les_columns){0};
}

int64_t les_columns_cost(const les_columns *c, int i) {
  const les_input *inputs = c->inputs + c->items[i].first_input;
  int64_t tokens = 0;
  for (int k = 0; k < c->items[i].n_inputs; k++) tokens += inputs[k].n + inputs[k].max_new_tokens;
  return tokens;
}
