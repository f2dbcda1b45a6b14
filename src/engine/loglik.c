#include "engine/loglik.h"

#include <stdlib.h>

typedef struct sink {
  const les_input *inputs;
  int n;
  les_loglik *out;
} sink;

les_status les_loglik_rules(les_request_rules *out, const les_model *model, int max_length) {
  LES_TRY(les_model_need_tokenizer(model));
  return les_request_rules_make(out, model->tokenizer, model->n_eos ? model->eos[0] : -1,
                                model->hparams.n_ctx, max_length);
}

les_input les_loglik_input(const les_request *r) {
  return (les_input){
      .tokens = r->tokens, .n = r->n, .read_from = r->n - r->n_continuation - 1, .want = LES_WANT_FORCED};
}

les_loglik les_loglik_of(const les_input *input, const les_outcome *o) {
  les_loglik l = {0, true};
  for (int pos = input->read_from; pos < input->n - 1; pos++) {
    l.sum -= o->nll[pos];
    l.greedy = l.greedy && o->greedy[pos];
  }
  return l;
}

static les_status on_outcome(void *ctx, int index, const les_outcome *o) {
  (void)index;
  const sink *s = ctx;
  s->out[(size_t)(o->lesion - LES_INTACT) * (size_t)s->n + (size_t)o->input] =
      les_loglik_of(&s->inputs[o->input], o);
  return LES_OK;
}

les_status les_loglik_score(const les_model *model, const les_request *requests, int n,
                            const les_lesions *lesions, const les_means *means,
                            const les_loglik_options *options, les_loglik *out) {
  int n_rows = lesions->n + 1;
  les_input *inputs = calloc((size_t)n + 1, sizeof *inputs);
  les_engine_item *cells = calloc((size_t)n * (size_t)n_rows + 1, sizeof *cells);
  les_engine *engine = NULL;
  les_status status = LES_OK;
  if (!inputs || !cells) status = les_no_memory("%d requests", n);
  for (int i = 0; status == LES_OK && i < n; i++) {
    inputs[i] = les_loglik_input(&requests[i]);
    for (int l = 0; l < n_rows; l++)
      cells[i * n_rows + l] = (les_engine_item){.lesion = LES_INTACT + l, .input = i};
  }
  les_engine_options o = {
      .compute = options->compute, .threads = options->threads, .memory_limit = options->memory_limit};
  if (status == LES_OK) status = les_engine_open(&engine, model, inputs, n, lesions, means, &o);
  if (status == LES_OK)
    status = les_engine_run(engine, cells, n * n_rows, on_outcome, &(sink){inputs, n, out}, NULL);
  les_engine_close(&engine);
  free(cells);
  free(inputs);
  return status;
}
