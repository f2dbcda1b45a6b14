#include "job/record.h"

#include "base/text.h"
#include "measure/degeneration.h"
#include "measure/divergence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct les_recorder {
  const les_model *model;
  const les_record_layout *layout;
  les_words known; /* of all prompts */
};

static les_status collect_words(les_recorder *r, const les_prompts *prompts) {
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f) return les_no_memory("the words of the prompts");
  for (int i = 0; i < prompts->n; i++) fprintf(f, "%s\n", prompts->items[i].text);
  les_status status = fclose(f) == 0 && text ? les_words_make_plain(&r->known, text)
                                             : les_no_memory("the words of the prompts");
  free(text);
  return status;
}

les_status les_recorder_open(les_recorder **out, const les_model *model, const les_record_layout *layout,
                             const les_prompts *prompts) {
  les_recorder *r = *out = calloc(1, sizeof *r);
  if (!r) return les_no_memory("a recorder");
  r->model = model;
  r->layout = layout;
  les_status status = layout->has[LES_FIELD_KNOWN_WORDS] ? collect_words(r, prompts) : LES_OK;
  if (status != LES_OK) les_recorder_close(out);
  return status;
}

void les_recorder_close(les_recorder **recorder) {
  les_recorder *r = *recorder;
  if (!r) return;
  les_words_free(&r->known);
  free(r);
  *recorder = NULL;
}

/* ---- writing fields: those that the study does not have are passed over ---- */

/* A record under construction. */
typedef struct writer {
  const les_record_layout *layout;
  char *record;
} writer;

static void put(writer w, les_field_id field, const void *values, int n) {
  if (w.layout->has[field])
    memcpy(w.record + w.layout->offset[field], values, (size_t)n * les_field_size(les_fields[field].type));
}

static void put_float(writer w, les_field_id field, double value) {
  put(w, field, &(float){(float)value}, 1);
}

static void put_int(writer w, les_field_id field, int value) {
  put(w, field, &(int32_t){value}, 1);
}

/* ---- continuations ---- */

/* A continuation and its intact counterpart as text. */
typedef struct pair {
  char *text, *intact;
} pair;

static les_status decode(const les_recorder *r, const les_outcome *o, pair *p) {
  const les_tokenizer *tok = r->model->tokenizer;
  LES_TRY(les_decode(tok, o->tokens, o->n_tokens, &p->text));
  return les_decode(tok, o->intact->tokens, o->intact->n_tokens, &p->intact);
}

static les_status fill_distances(writer w, const les_outcome *o, const pair *p) {
  const les_outcome *in = o->intact;
  double words, tokens;
  LES_TRY(les_jaccard_words(p->intact, p->text, &words));
  LES_TRY(les_jaccard_tokens(in->tokens, in->n_tokens, o->tokens, o->n_tokens, &tokens));
  put_float(w, LES_FIELD_JACCARD, words);
  put_float(w, LES_FIELD_JACCARD_TOKEN, tokens);
  put_float(w, LES_FIELD_COMMON_PREFIX, les_common_prefix(in->tokens, in->n_tokens, o->tokens, o->n_tokens));
  return LES_OK;
}

/* The share of known words: of the prompts, and of this prompt's intact continuation. */
static les_status share_known(const les_recorder *r, const pair *p, double *share) {
  les_words words, intact;
  LES_TRY(les_words_make_plain(&words, p->text));
  les_status status = les_words_make_plain(&intact, p->intact);
  if (status == LES_OK) {
    *share = les_words_known(&words, &r->known, &intact);
    les_words_free(&intact);
  }
  les_words_free(&words);
  return status;
}

static les_status is_blank(const char *text, bool *blank) {
  les_words words;
  LES_TRY(les_words_make(&words, text));
  *blank = words.n == 0;
  les_words_free(&words);
  return LES_OK;
}

static les_status fill_failure(const les_recorder *r, writer w, const les_outcome *o, const pair *p) {
  double distinct[3];
  bool blank;
  LES_TRY(is_blank(p->text, &blank));
  les_signs signs = {.nan = o->stop == LES_STOP_NAN,
                     .same = o->n_tokens == o->intact->n_tokens &&
                             les_common_prefix(o->tokens, o->n_tokens, o->intact->tokens,
                                               o->intact->n_tokens) == o->n_tokens,
                     .blank = blank,
                     .n_tokens = o->n_tokens,
                     .loop = les_loop_find(o->tokens, o->n_tokens),
                     .logprob = o->logprob_intact,
                     .n_vocab = r->model->hparams.n_vocab};
  LES_TRY(les_distinct(o->tokens, o->n_tokens, distinct));
  LES_TRY(share_known(r, p, &signs.known));
  signs.distinct_3 = distinct[2];
  put(w, LES_FIELD_LABEL, &(uint8_t){(uint8_t)les_label_of(&signs)}, 1);
  put_int(w, LES_FIELD_LOOP_LENGTH, signs.loop.length);
  put_int(w, LES_FIELD_LOOP_START, signs.loop.start);
  put_int(w, LES_FIELD_LOOP_COUNT, signs.loop.count);
  for (int k = 0; k < 3; k++) put_float(w, LES_FIELD_DISTINCT_1 + (les_field_id)k, distinct[k]);
  put_float(w, LES_FIELD_LOGPROB_INTACT, signs.logprob);
  put_float(w, LES_FIELD_KNOWN_WORDS, signs.known);
  return LES_OK;
}

static void fill_trace(const les_recorder *r, writer w, const les_outcome *o) {
  if (!o->hidden_norm) return;
  int n_layers = r->model->hparams.n_layers;
  put(w, LES_FIELD_TRACE_LOGPROB, o->trace_logprob, o->n_tokens);
  put(w, LES_FIELD_TRACE_ENTROPY, o->trace_entropy, o->n_tokens);
  put(w, LES_FIELD_TRACE_RANK, o->trace_rank, o->n_tokens);
  put(w, LES_FIELD_HIDDEN_NORM, o->hidden_norm, n_layers);
  put(w, LES_FIELD_ATTN_ENTROPY, o->attn_entropy, n_layers);
}

static les_status fill_continuation(const les_recorder *r, writer w, const les_outcome *o,
                                    const char *answer) {
  put(w, LES_FIELD_TOKENS, o->tokens, o->n_tokens);
  put_int(w, LES_FIELD_LENGTH, o->n_tokens);
  pair p = {0};
  les_status status = decode(r, o, &p);
  bool numbers = o->stop != LES_STOP_NAN && o->intact->stop != LES_STOP_NAN;
  if (status == LES_OK && numbers) status = fill_distances(w, o, &p);
  if (status == LES_OK && w.layout->has[LES_FIELD_LABEL]) status = fill_failure(r, w, o, &p);
  if (status == LES_OK && answer && w.layout->has[LES_FIELD_ACC]) {
    bool right;
    status = les_text_contains(p.text, answer, &right);
    if (status == LES_OK) put_float(w, LES_FIELD_ACC, right);
  }
  free(p.text);
  free(p.intact);
  return status;
}

/* ---- teacher-forced measures ---- */

static les_forced_measures forced_of(const les_outcome *o) {
  les_forced sums = {0};
  for (int i = 0; i < o->n_forced; i++) les_forced_add(&sums, o->nll[i], o->kl[i], o->agrees[i]);
  return les_forced_finish(&sums);
}

static void fill_forced(writer w, const les_outcome *o) {
  les_forced_measures m = forced_of(o);
  put_float(w, LES_FIELD_MEAN_NLL, m.mean_nll);
  put_float(w, LES_FIELD_PERPLEXITY, m.perplexity);
  put_float(w, LES_FIELD_DELTA_NLL, m.mean_nll - forced_of(o->intact).mean_nll);
  put_float(w, LES_FIELD_KL_MEAN, m.kl_mean);
  put_float(w, LES_FIELD_KL_MAX, m.kl_max);
  put_float(w, LES_FIELD_TOP1_AGREEMENT, m.top1_agreement);
}

les_status les_record_prompt(const les_recorder *r, const les_prompt *prompt, const les_outcome *o,
                             void *record) {
  writer w = {r->layout, record};
  les_record_clear(w.layout, record);
  if (w.layout->has[LES_FIELD_TOKENS]) LES_TRY(fill_continuation(r, w, o, prompt->answer));
  fill_trace(r, w, o);
  fill_forced(w, o);
  return LES_OK;
}

/* ---- documents ---- */

les_status les_record_document(const les_recorder *r, const les_task *task, int document,
                               const les_loglik *logliks, void *record) {
  static const les_field_id fields[] = {LES_FIELD_ACC, LES_FIELD_ACC_NORM, LES_FIELD_ACC_BYTES};
  writer w = {r->layout, record};
  les_record_clear(w.layout, record);
  const les_task_document *doc = &task->documents[document];
  les_loglik *items = calloc((size_t)doc->n_items, sizeof *items);
  if (!items) return les_no_memory("a document");
  les_task_sum_document(task, document, logliks, items);
  les_score scores[LES_MOST_SCORES];
  int n = les_task_score_document(task, document, items, scores);
  for (int i = 0; i < n; i++)
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
      if (!strcmp(scores[i].name, les_fields[fields[f]].name)) put_float(w, fields[f], scores[i].value);
  put_float(w, LES_FIELD_LOGLIK, items[doc->gold].sum);
  free(items);
  return LES_OK;
}
