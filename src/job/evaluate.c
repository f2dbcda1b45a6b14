#include "job/evaluate.h"

#include "engine/calibrate.h"
#include "engine/engine.h"
#include "engine/loglik.h"
#include "job/record.h"

#include <stdlib.h>

struct les_evaluator {
  const les_study *study;
  les_recorder *recorder;
  les_means *means;
  les_input *inputs; /* of all prompts and documents: first[p] .. first[p + 1] - 1 are those of the p-th */
  int *first;        /* (prompts.n + 1) */
  les_engine *engine;
  void *record; /* of the cell being reported */
};

/* A prompt is one input, a document one for each of its requests. */
static int count_inputs(const les_prompt *prompt) {
  if (!prompt->task) return 1;
  const les_task_document *doc = &prompt->task->task->documents[prompt->document];
  const int *first = prompt->task->first + doc->first_item;
  return first[doc->n_items] - first[0];
}

static void describe_inputs(const les_evaluator *e, const les_prompt *prompt, les_input *inputs, int n) {
  if (!prompt->task) {
    *inputs = (les_input){.tokens = prompt->tokens.ids,
                          .n = prompt->tokens.n,
                          .max_new_tokens = e->study->job->max_new_tokens,
                          .want = les_recorder_wants(e->recorder)};
    return;
  }
  const les_study_task *t = prompt->task;
  const les_request *requests = t->requests.items + t->first[t->task->documents[prompt->document].first_item];
  for (int i = 0; i < n; i++) inputs[i] = les_loglik_input(&requests[i]);
}

static les_status make_inputs(les_evaluator *e) {
  const les_prompts *prompts = &e->study->prompts;
  e->first = calloc((size_t)prompts->n + 1, sizeof *e->first);
  if (!e->first) return les_fail(LES_FAILED, "out of memory for %d prompts", prompts->n);
  for (int p = 0; p < prompts->n; p++) e->first[p + 1] = e->first[p] + count_inputs(&prompts->items[p]);
  e->inputs = calloc((size_t)e->first[prompts->n] + 1, sizeof *e->inputs);
  if (!e->inputs) return les_fail(LES_FAILED, "out of memory for %d prompts", prompts->n);
  for (int p = 0; p < prompts->n; p++)
    describe_inputs(e, &prompts->items[p], e->inputs + e->first[p], e->first[p + 1] - e->first[p]);
  return LES_OK;
}

les_status les_evaluator_open(les_evaluator **out, const les_study *study,
                              const les_evaluator_options *options) {
  const les_job *job = study->job;
  const les_engine_options o = {.compute = job->compute,
                                .threads = options->threads,
                                .sampling = job->sampling,
                                .ignore_eos = job->ignore_eos,
                                .memory_limit = options->memory_limit};
  les_status status;
  les_evaluator *e = *out = calloc(1, sizeof *e);
  if (!e) return les_fail(LES_FAILED, "out of memory");
  e->study = study;
  e->record = malloc(study->layout.bytes);
  if (!e->record) LES_GOTO(status, les_fail(LES_FAILED, "out of memory"), failed);
  LES_GOTO(status, les_recorder_open(&e->recorder, study), failed);
  LES_GOTO(status, make_inputs(e), failed);
  if (les_lesions_need_means(&study->lesions))
    LES_GOTO(status,
             les_means_compute(&e->means, study->model, study->calibration.passages, study->calibration.n,
                               job->compute, options->threads),
             failed);
  LES_GOTO(status,
           les_engine_open(&e->engine, study->model, e->inputs, e->first[study->prompts.n], &study->lesions,
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
  les_recorder_close(&e->recorder);
  free(e->inputs);
  free(e->first);
  free(e->record);
  free(e);
  *evaluator = NULL;
}

size_t les_evaluator_plan_peak(const les_evaluator *e) {
  return les_engine_plan_peak(e->engine);
}

/* A cell under evaluation: one run, or as many as a document has requests. */
typedef struct pending {
  const les_prompt *prompt;
  les_loglik *answers; /* of a document, in the call's `answers` */
  int left;            /* runs that are not done yet */
} pending;

typedef struct call {
  les_evaluator *e;
  les_cell_fn *done;
  void *ctx;
  bool (*stop)(void *ctx);
  pending *pending;      /* (n) */
  les_engine_item *runs; /* (n_runs) for the engine */
  int *owner;            /* (n_runs) place of the run's cell in the call */
  les_loglik *answers;   /* (n_runs) */
} call;

static les_status on_outcome(void *ctx, int index, const les_outcome *o) {
  const call *c = ctx;
  int owner = c->owner[index];
  pending *p = &c->pending[owner];
  if (!p->prompt->task) {
    LES_TRY(les_record_prompt(c->e->recorder, o, c->e->record));
  } else {
    c->answers[index] = les_loglik_of(&c->e->inputs[o->input], o);
    if (--p->left > 0) return LES_OK;
    LES_TRY(les_record_document(c->e->recorder, p->prompt, p->answers, c->e->record));
  }
  return c->done(c->ctx, owner, c->e->record);
}

static bool on_stop(void *ctx) {
  const call *c = ctx;
  return c->stop && c->stop(c->ctx);
}

/* Spreads the cells out into runs; returns their number. */
static int spread(const call *c, const les_cell *cells, int n) {
  int n_runs = 0;
  for (int i = 0; i < n; i++) {
    int prompt = cells[i].column, first = c->e->first[prompt];
    c->pending[i] = (pending){.prompt = &c->e->study->prompts.items[prompt],
                              .answers = c->answers + n_runs,
                              .left = c->e->first[prompt + 1] - first};
    for (int k = 0; k < c->pending[i].left; k++, n_runs++) {
      c->runs[n_runs] = (les_engine_item){.lesion = cells[i].lesion, .input = first + k};
      c->owner[n_runs] = i;
    }
  }
  return n_runs;
}

/* A page without a token has no request: its record says so at once. */
static les_status report_empty(const call *c, int n) {
  for (int i = 0; i < n; i++) {
    if (c->pending[i].left > 0) continue;
    LES_TRY(les_record_document(c->e->recorder, c->pending[i].prompt, c->pending[i].answers, c->e->record));
    LES_TRY(c->done(c->ctx, i, c->e->record));
  }
  return LES_OK;
}

static les_status run(call *c, const les_cell *cells, int n) {
  int n_runs = spread(c, cells, n);
  LES_TRY(report_empty(c, n));
  return les_engine_run(c->e->engine, c->runs, n_runs, on_outcome, c, on_stop);
}

les_status les_evaluate(les_evaluator *e, const les_cell *cells, int n, les_cell_fn *done, void *ctx,
                        bool (*stop)(void *ctx)) {
  size_t most = 1;
  for (int i = 0; i < n; i++) most += (size_t)(e->first[cells[i].column + 1] - e->first[cells[i].column]);
  call c = {.e = e,
            .done = done,
            .ctx = ctx,
            .stop = stop,
            .pending = calloc((size_t)n + 1, sizeof(pending)),
            .runs = calloc(most, sizeof(les_engine_item)),
            .owner = calloc(most, sizeof(int)),
            .answers = calloc(most, sizeof(les_loglik))};
  les_status status = c.pending && c.runs && c.owner && c.answers
                          ? run(&c, cells, n)
                          : les_fail(LES_FAILED, "out of memory for %d cells", n);
  free(c.pending);
  free(c.runs);
  free(c.owner);
  free(c.answers);
  return status;
}
