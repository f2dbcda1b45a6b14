#include "evaluate.h"

#include "calibrate.h"
#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct les_evaluator {
  const les_study *study;
  les_input *inputs; /* (prompts.n) */
  les_means *means;  /* NULL: no lesion needs them */
  les_engine *engine;
  void *record; /* of the cell being reported */
};

/* What the fields of this study ask of a run. */
static unsigned wants_of(const les_record_layout *layout) {
  unsigned want = 0;
  if (layout->has[LES_FIELD_MEAN_NLL]) want |= LES_WANT_FORCED;
  if (layout->has[LES_FIELD_KL_MEAN]) want |= LES_WANT_KL;
  return want;
}

les_status les_evaluator_open(les_evaluator **out, const les_study *study,
                              const les_evaluator_options *options) {
  les_evaluator *e = calloc(1, sizeof *e);
  *out = e;
  if (!e) return les_fail(LES_FAILED, "out of memory");
  e->study = study;
  e->inputs = calloc((size_t)study->prompts.n, sizeof *e->inputs);
  e->record = malloc(study->layout.bytes);
  if (!e->inputs || !e->record) {
    les_evaluator_close(out);
    return les_fail(LES_FAILED, "out of memory for %d prompts", study->prompts.n);
  }
  unsigned want = wants_of(&study->layout);
  for (int i = 0; i < study->prompts.n; i++)
    e->inputs[i] = (les_input){.tokens = study->prompts.items[i].tokens.ids,
                               .n = study->prompts.items[i].tokens.n,
                               .max_new_tokens = study->job->max_new_tokens,
                               .want = want};
  const les_job *job = study->job;
  les_engine_options o = {.compute = job->compute,
                          .threads = options->threads,
                          .sampling = job->sampling,
                          .ignore_eos = job->ignore_eos,
                          .memory_limit = options->memory_limit};
  les_status status = LES_OK;
  if (les_lesions_need_means(&study->lesions))
    status = les_calibrate(&e->means, study->model, study->calibration.passages, study->calibration.n,
                           job->compute, options->threads);
  if (status == LES_OK)
    status =
        les_engine_open(&e->engine, study->model, e->inputs, study->prompts.n, &study->lesions, e->means, &o);
  if (status != LES_OK) les_evaluator_close(out);
  return status;
}

void les_evaluator_close(les_evaluator **evaluator) {
  les_evaluator *e = *evaluator;
  if (!e) return;
  les_engine_close(&e->engine);
  les_means_close(&e->means);
  free(e->inputs);
  free(e->record);
  free(e);
  *evaluator = NULL;
}

static void put_float(const les_evaluator *e, les_field_id field, double value) {
  const les_record_layout *layout = &e->study->layout;
  if (layout->has[field])
    memcpy((char *)e->record + layout->offset[field], &(float){(float)value}, sizeof(float));
}

static les_status fill_continuation(const les_evaluator *e, const les_outcome *o) {
  const les_record_layout *layout = &e->study->layout;
  if (layout->has[LES_FIELD_TOKENS])
    memcpy((char *)e->record + layout->offset[LES_FIELD_TOKENS], o->tokens,
           (size_t)o->n_tokens * sizeof *o->tokens);
  if (layout->has[LES_FIELD_LENGTH])
    memcpy((char *)e->record + layout->offset[LES_FIELD_LENGTH], &(int32_t){o->n_tokens}, sizeof(int32_t));
  if (!layout->has[LES_FIELD_JACCARD] || o->stop == LES_STOP_NAN || o->intact->stop == LES_STOP_NAN)
    return LES_OK;

  char *text = NULL, *intact = NULL;
  double words = 0, tokens = 0;
  const les_tokenizer *tok = e->study->model->tokenizer;
  les_status status = les_decode(tok, o->tokens, o->n_tokens, &text);
  if (status == LES_OK) status = les_decode(tok, o->intact->tokens, o->intact->n_tokens, &intact);
  if (status == LES_OK) status = les_jaccard_words(intact, text, &words);
  if (status == LES_OK)
    status = les_jaccard_tokens(o->intact->tokens, o->intact->n_tokens, o->tokens, o->n_tokens, &tokens);
  free(text);
  free(intact);
  put_float(e, LES_FIELD_JACCARD, words);
  put_float(e, LES_FIELD_JACCARD_TOKEN, tokens);
  put_float(e, LES_FIELD_COMMON_PREFIX,
            les_common_prefix(o->intact->tokens, o->intact->n_tokens, o->tokens, o->n_tokens));
  return status;
}

static les_forced_measures forced_of(const les_outcome *o) {
  les_forced sums = {0};
  for (int i = 0; i < o->n_forced; i++) les_forced_add(&sums, o->nll[i], o->kl[i], o->agrees[i]);
  return les_forced_finish(&sums);
}

static void fill_forced(const les_evaluator *e, const les_outcome *o) {
  les_forced_measures m = forced_of(o);
  put_float(e, LES_FIELD_MEAN_NLL, m.mean_nll);
  put_float(e, LES_FIELD_PERPLEXITY, m.perplexity);
  put_float(e, LES_FIELD_DELTA_NLL, m.mean_nll - forced_of(o->intact).mean_nll);
  put_float(e, LES_FIELD_KL_MEAN, m.kl_mean);
  put_float(e, LES_FIELD_KL_MAX, m.kl_max);
  put_float(e, LES_FIELD_TOP1_AGREEMENT, m.top1_agreement);
}

typedef struct call {
  les_evaluator *e;
  les_cell_fn *done;
  void *ctx;
  bool (*stop)(void *ctx);
} call;

static les_status on_outcome(void *ctx, int index, const les_outcome *o) {
  const call *c = ctx;
  les_record_clear(&c->e->study->layout, c->e->record);
  LES_TRY(fill_continuation(c->e, o));
  fill_forced(c->e, o);
  return c->done(c->ctx, index, c->e->record);
}

static bool on_stop(void *ctx) {
  const call *c = ctx;
  return c->stop && c->stop(c->ctx);
}

les_status les_evaluate(les_evaluator *e, const les_cell *cells, int n, les_cell_fn *done, void *ctx,
                        bool (*stop)(void *ctx)) {
  call c = {e, done, ctx, stop};
  return les_engine_run(e->engine, cells, n, on_outcome, &c, on_stop);
}
