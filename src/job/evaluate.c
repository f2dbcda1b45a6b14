#include "job/evaluate.h"

#include "engine/calibrate.h"
#include "engine/loglik.h"

#include <stdlib.h>

struct les_evaluator {
  const les_study *study;
  les_means *means;
  les_engine *engine; /* its inputs are those of the study's columns */
  void *record;       /* of the cell being reported */
};

les_status les_evaluator_open(les_evaluator **out, const les_study *study,
                              const les_evaluator_options *options) {
  const les_job *job = study->job;
  const les_columns *columns = &study->columns;
  const les_engine_options o = {.compute = job->compute,
                                .threads = options->threads,
                                .sampling = job->sampling,
                                .ignore_eos = job->ignore_eos,
                                .memory_limit = options->memory_limit};
  les_status status;
  les_evaluator *e = *out = calloc(1, sizeof *e);
  if (!e) return les_no_memory("an evaluator");
  e->study = study;
  e->record = malloc(study->layout.bytes);
  if (!e->record) LES_GOTO(status, les_no_memory("a record"), failed);
  if (les_lesions_need_means(&study->lesions))
    LES_GOTO(status,
             les_means_compute(&e->means, study->model, study->calibration.passages, study->calibration.n,
                               job->compute, options->threads),
             failed);
  LES_GOTO(status,
           les_engine_open(&e->engine, study->model, columns->inputs, columns->n_inputs, &study->lesions,
                           e->means, &o),
           failed);
  return LES_OK;
failed:
  les_evaluator_close(out);
  return status;
}

void les_evaluator_close(les_evaluator **evaluator) {
  les_evaluator *e = *evaluator;
  if (!e) return;
  les_engine_close(&e->engine);
  les_means_free(&e->means);
  free(e->record);
  free(e);
  *evaluator = NULL;
}

/* A cell whose outcomes are being gathered. */
typedef struct gathering {
  les_cell cell;
  les_loglik *logliks; /* (n_inputs of its column) in the call's */
  int left;            /* outcomes to come */
} gathering;

typedef struct call {
  const les_evaluator *e;
  les_cell_fn *done;
  void *ctx;
  bool (*stop)(void *ctx);
  gathering *cells;       /* (n) */
  int n_items;            /* inputs of the columns of all cells, a cell's one after another */
  les_engine_item *items; /* (n_items) for the engine */
  gathering **cell_of;    /* (n_items) */
  les_loglik *logliks;    /* (n_items) */
} call;

static const les_column *column_of(const call *c, les_cell cell) {
  return &c->e->study->columns.items[cell.column];
}

/* All outcomes of the cell are there, `last` the last of them (NULL: there are none). */
static les_status finish(const call *c, const gathering *g, const les_outcome *last) {
  const les_column *column = column_of(c, g->cell);
  const les_cell_outcomes outcomes = {.only = column->n_inputs == 1 ? last : NULL, .logliks = g->logliks};
  LES_TRY(column->record(column, c->e->study->recorder, &outcomes, c->e->record));
  return c->done(c->ctx, g->cell, c->e->record);
}

static les_status on_outcome(void *ctx, int index, const les_outcome *o) {
  const call *c = ctx;
  gathering *g = c->cell_of[index];
  c->logliks[index] = les_loglik_of(&c->e->study->columns.inputs[o->input], o);
  return --g->left > 0 ? LES_OK : finish(c, g, o);
}

static bool on_stop(void *ctx) {
  const call *c = ctx;
  return c->stop && c->stop(c->ctx);
}

/* The inputs of the cell's column become items for the engine. */
static void add_cell(call *c, gathering *g, les_cell cell) {
  const les_column *column = column_of(c, cell);
  *g = (gathering){.cell = cell, .logliks = c->logliks + c->n_items, .left = column->n_inputs};
  for (int i = 0; i < column->n_inputs; i++, c->n_items++) {
    c->items[c->n_items] = (les_engine_item){.lesion = cell.lesion, .input = column->first_input + i};
    c->cell_of[c->n_items] = g;
  }
}

static les_status run(call *c, const les_cell *cells, int n) {
  for (int i = 0; i < n; i++) add_cell(c, &c->cells[i], cells[i]);
  for (int i = 0; i < n; i++) /* a column without inputs has its record at once */
    if (c->cells[i].left == 0) LES_TRY(finish(c, &c->cells[i], NULL));
  return les_engine_run(c->e->engine, c->items, c->n_items, on_outcome, c, on_stop);
}

les_status les_evaluate(les_evaluator *e, const les_cell *cells, int n, les_cell_fn *done, void *ctx,
                        bool (*stop)(void *ctx)) {
  call c = {.e = e, .done = done, .ctx = ctx, .stop = stop};
  size_t most = 1; /* calloc(0) may be NULL */
  for (int i = 0; i < n; i++) most += (size_t)column_of(&c, cells[i])->n_inputs;
  c.cells = calloc((size_t)n + 1, sizeof *c.cells);
  c.items = calloc(most, sizeof *c.items);
  c.cell_of = calloc(most, sizeof *c.cell_of);
  c.logliks = calloc(most, sizeof *c.logliks);
  les_status status =
      c.cells && c.items && c.cell_of && c.logliks ? run(&c, cells, n) : les_no_memory("%d cells", n);
  free(c.cells);
  free(c.items);
  free(c.cell_of);
  free(c.logliks);
  return status;
}
