#include "engine/sequence.h"

#include "base/cell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool wants(const les_sequence *s, unsigned what) {
  return (s->input->want & what) != 0;
}

/* True if teacher-forced positions are scored. */
static bool wants_forced(const les_sequence *s) {
  return wants(s, LES_WANT_FORCED | LES_WANT_KL | LES_WANT_TRACE);
}

static bool generates(const les_sequence *s) {
  return s->input->max_new_tokens > 0;
}

/* ---- memory ---- */

static size_t state_bytes(const les_model *m, const les_input *input) {
  return (size_t)les_input_capacity(input) * (size_t)m->hparams.n_embd * sizeof(float);
}

size_t les_sequence_bytes(const les_model *m, const les_input *input, int first_layer) {
  return les_kv_cache_bytes(m, les_input_capacity(input), first_layer) + les_scores_bytes(m, input, false);
}

size_t les_sequence_baseline_bytes(const les_sequence_setup *setup, const les_input *input) {
  const les_model *m = setup->model;
  size_t states = 0;
  for (int l = 0; l <= m->hparams.n_layers; l++) states += setup->keep[l] ? state_bytes(m, input) : 0;
  return states + les_kv_cache_bytes(m, les_input_capacity(input), 0) + les_scores_bytes(m, input, true);
}

/* Makes `like` a sequence with memory of its own. */
static les_status open_sequence(les_sequence **out, const les_sequence *like,
                                const les_lesion_plan *lesion_plan) {
  const les_kv_cache *parent = like->baseline ? like->baseline->kv_cache : NULL;
  les_sequence *s = *out = malloc(sizeof *s);
  if (!s) goto no_memory;
  *s = *like;
  s->capacity = les_input_capacity(s->input);
  s->tokens = malloc((size_t)s->capacity * sizeof *s->tokens);
  bool rescores = wants(s, LES_WANT_LOGPROB_INTACT);
  if (rescores) s->logprob_intact = calloc((size_t)s->capacity, sizeof(float));
  if (!s->tokens || (rescores && !s->logprob_intact)) goto no_memory;
  if (!les_scores_init(&s->scores, s->model, s->input, !parent)) goto no_memory;
  memcpy(s->tokens, s->input->tokens, (size_t)s->input->n * sizeof *s->tokens);
  s->n_tokens = s->input->n;
  les_status status = les_kv_cache_open(&s->kv_cache, s->model, lesion_plan, parent, s->capacity);
  if (status != LES_OK) les_sequence_close(out);
  return status;
no_memory:
  les_sequence_close(out);
  return les_no_memory("a sequence of %d tokens", les_input_capacity(like->input));
}

/* Room for the hidden states that a baseline keeps. */
static les_status reserve_states(les_sequence *s) {
  int n_layers = s->model->hparams.n_layers;
  s->hidden = calloc((size_t)n_layers + 1, sizeof *s->hidden);
  bool ok = s->hidden != NULL;
  for (int l = 0; ok && l <= n_layers; l++)
    if (s->setup->keep[l]) ok = (s->hidden[l] = malloc(state_bytes(s->model, s->input))) != NULL;
  return ok ? LES_OK : les_no_memory("the hidden states of %d tokens", s->capacity);
}

les_status les_sequence_open_baseline(les_sequence **out, const les_sequence_setup *setup,
                                      const les_input *input, int input_index) {
  les_sequence like = {.setup = setup,
                       .model = setup->model,
                       .input = input,
                       .input_index = input_index,
                       .lesion = LES_INTACT,
                       .item = -1};
  LES_TRY(open_sequence(out, &like, NULL));
  les_status status = reserve_states(*out);
  if (status != LES_OK) return les_sequence_close(out), status;
  /* the last token is run only if what it predicts is used */
  bool last = generates(*out) || wants(*out, LES_WANT_LAST_LOGITS);
  (*out)->end = input->n - (last ? 0 : 1);
  return LES_OK;
}

les_status les_sequence_open(les_sequence **out, les_sequence *baseline, const les_lesion_plan *lesion_plan,
                             int lesion, int item, int first_layer) {
  les_sequence like = {.setup = baseline->setup,
                       .model = baseline->model,
                       .input = baseline->input,
                       .baseline = baseline,
                       .input_index = baseline->input_index,
                       .lesion = lesion,
                       .item = item,
                       .first_layer = first_layer};
  return open_sequence(out, &like, lesion_plan);
}

bool les_sequence_can_branch(const les_sequence *baseline) {
  return baseline->phase == LES_PHASE_DONE ||
         (!wants_forced(baseline) && baseline->next >= baseline->input->n);
}

void les_sequence_close(les_sequence **sequence) {
  les_sequence *s = *sequence;
  if (!s) return;
  les_kv_cache_close(&s->rescore_cache);
  les_kv_cache_close(&s->kv_cache);
  for (int l = 0; s->hidden && l <= s->model->hparams.n_layers; l++) free(s->hidden[l]);
  free(s->hidden);
  les_scores_free(&s->scores);
  free(s->tokens);
  free(s->logprob_intact);
  free(s);
  *sequence = NULL;
}

/* ---- rows ---- */

/* True while a lesioned sequence has the baseline's tokens: the input's, then the draft's. */
static bool shares_tokens(const les_sequence *s) {
  return s->phase == LES_PHASE_FORCED && s->baseline;
}

/* End of the rows that a sequence on the baseline's tokens may run now; never beyond the baseline. If all
 * positions are scored, all of them are needed. If only the continuation is, the draft's length doubles while
 * its tokens are accepted, so that at most half of the rows are wasted on a rejected draft. */
static int draft_end(const les_sequence *s) {
  int n = s->input->n, verified = s->next - n, ready = s->baseline->next;
  int end = wants_forced(s) ? ready : verified < 0 ? n : s->next + (verified > 0 ? verified : 1);
  return end < ready ? end : ready;
}

/* The token at pos + 1 that teacher forcing gives; -1 if there is none. */
static int32_t forced_token(const les_sequence *s, int pos) {
  const les_sequence *given = s->baseline ? s->baseline : s;
  return pos + 1 < given->n_tokens ? given->tokens[pos + 1] : -1;
}

/* True if the row at `pos` is scored on the token that teacher forcing gives. */
static bool is_scored(const les_sequence *s, int pos) {
  return s->phase == LES_PHASE_FORCED && wants_forced(s) && pos >= s->input->read_from &&
         forced_token(s, pos) >= 0;
}

/* True if a next token is chosen from the logits at `pos`. */
static bool is_sampled(const les_sequence *s, int pos) {
  return generates(s) && s->phase != LES_PHASE_RESCORE && pos >= s->input->n - 1;
}

static bool gives_last_logits(const les_sequence *s, int pos) {
  return wants(s, LES_WANT_LAST_LOGITS) && pos == s->input->n - 1 && s->phase == LES_PHASE_FORCED;
}

/* True if the state after the last layer is needed even where the logits are not. */
static bool needs_final_state(const les_sequence *s) {
  return wants(s, LES_WANT_TRACE) || (s->hidden && s->hidden[s->model->hparams.n_layers]);
}

static const float *baseline_state(const les_sequence *s, int layer, int pos) {
  return s->baseline->hidden[layer] + (size_t)pos * (size_t)s->model->hparams.n_embd;
}

/* A row of the intact model over the lesioned continuation. The baseline has run the first position too. */
static les_row rescore_row(const les_sequence *s, int pos) {
  les_row row = {.kv_cache = s->rescore_cache, .token = s->tokens[pos], .pos = pos, .logits = true};
  if (pos == s->input->n - 1 + s->n_accepted) {
    row.first_layer = s->model->hparams.n_layers;
    row.hidden = baseline_state(s, row.first_layer, pos);
  }
  return row;
}

static les_row row_at(const les_sequence *s, int pos) {
  if (s->phase == LES_PHASE_RESCORE) return rescore_row(s, pos);
  les_row row = {.kv_cache = s->kv_cache, .token = s->tokens[pos], .pos = pos};
  if (shares_tokens(s)) {
    row.token = s->baseline->tokens[pos];
    row.first_layer = s->first_layer;
    if (s->first_layer > 0) row.hidden = baseline_state(s, s->first_layer, pos);
  }
  row.logits = is_scored(s, pos) || is_sampled(s, pos) || gives_last_logits(s, pos);
  row.cache_only = !row.logits && !needs_final_state(s);
  return row;
}

int les_sequence_rows(les_sequence *s, les_row *rows, int max) {
  if (shares_tokens(s)) s->end = draft_end(s);
  int n = s->phase == LES_PHASE_DONE ? 0 : s->end - s->next;
  s->n_rows = n < max ? n : max;
  for (int i = 0; i < s->n_rows; i++) rows[i] = row_at(s, s->next + i);
  return s->n_rows;
}

int les_sequence_position(const les_sequence *s, int i) {
  return s->next + i;
}

bool les_sequence_wants_reference(const les_sequence *s, int pos) {
  return s->baseline && wants(s, LES_WANT_KL) && is_scored(s, pos);
}

/* ---- logits and states ---- */

/* In nats, from logits and the ln of their sum of exp. */
static float entropy_of(const float *logits, double lse, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    double l = logits[i] - lse;
    if (l > -100)
      sum -= exp(l) * l; /* below, a term is under 1e-41 */
    else if (isnan(l))
      return NAN;
  }
  return (float)sum;
}

static int rank_of(const float *logits, int32_t token, int n) {
  int rank = 0;
  for (int i = 0; i < n; i++) rank += logits[i] > logits[token] || (logits[i] == logits[token] && i < token);
  return rank;
}

static void take_trace(les_sequence *s, int pos, const float *logits, double lse) {
  int n = s->model->hparams.n_vocab;
  int32_t token = s->scores.choice[pos], intact = s->baseline ? forced_token(s->baseline, pos) : token;
  s->scores.logprob[pos] = token < 0 ? NAN : (float)(logits[token] - lse);
  s->scores.entropy[pos] = entropy_of(logits, lse, n);
  s->scores.rank[pos] = intact < 0 ? -1 : rank_of(logits, intact, n);
}

/* Loss on the next token, and distance from the baseline's distribution. */
static void take_scores(les_sequence *s, int pos, const float *logits, double lse, const float *reference) {
  les_scores *at = &s->scores;
  int n = s->model->hparams.n_vocab;
  int32_t best = (int32_t)les_argmax(logits, n), next = forced_token(s, pos);
  if (next < 0) next = at->choice[pos]; /* a baseline has just chosen it */
  at->nll[pos] = next < 0 ? NAN : (float)(lse - logits[next]);
  at->greedy[pos] = best == next;
  if (!s->baseline) {
    at->lse[pos] = lse;
    at->best[pos] = best;
    at->agrees[pos] = best >= 0;
    at->kl[pos] = isnan(lse) ? NAN : 0;
  } else if (reference) {
    at->kl[pos] = (float)les_kl(reference, s->baseline->scores.lse[pos], logits, lse, n);
    at->agrees[pos] = best >= 0 && best == s->baseline->scores.best[pos];
  }
}

void les_sequence_take_logits(les_sequence *s, int pos, const float *logits, const float *reference,
                              les_candidate *candidates) {
  int n = s->model->hparams.n_vocab;
  bool scored = is_scored(s, pos), sampled = is_sampled(s, pos);
  bool needs_lse = scored || wants(s, LES_WANT_TRACE | LES_WANT_LOGPROB_INTACT) || !s->baseline;
  double lse = needs_lse ? les_log_sum_exp(logits, n) : 0;
  if (s->phase == LES_PHASE_RESCORE) {
    s->logprob_intact[pos + 1] = (float)(logits[s->tokens[pos + 1]] - lse);
    return;
  }
  if (gives_last_logits(s, pos)) memcpy(s->scores.last_logits, logits, (size_t)n * sizeof *logits);
  if (sampled) {
    const les_sampling *sampling = &s->setup->sampling;
    s->scores.choice[pos] = les_sample(logits, n, sampling, (uint64_t)s->input_index, pos, candidates);
    if (wants(s, LES_WANT_TRACE)) take_trace(s, pos, logits, lse);
  }
  if (scored || (sampled && !s->baseline)) take_scores(s, pos, logits, lse, reference);
}

void les_sequence_take_state(les_sequence *s, int pos, int layer, const float *before, const float *after,
                             float attn_entropy) {
  int n = s->model->hparams.n_embd, n_layers = s->model->hparams.n_layers;
  size_t bytes = (size_t)n * sizeof *before;
  if (s->hidden && s->hidden[layer]) memcpy(s->hidden[layer] + (size_t)pos * (size_t)n, before, bytes);
  if (s->hidden && layer == n_layers - 1 && s->hidden[n_layers])
    memcpy(s->hidden[n_layers] + (size_t)pos * (size_t)n, after, bytes);
  if (!wants(s, LES_WANT_TRACE) || (s->baseline && s->phase != LES_PHASE_FORCED)) return;
  size_t at = (size_t)pos * (size_t)n_layers + (size_t)layer;
  s->scores.hidden_norm[at] = (float)sqrt(les_dot(after, after, n));
  s->scores.attn_entropy[at] = attn_entropy;
}

/* ---- phases ---- */

static bool is_end(const les_sequence *s, int32_t token) {
  if (s->setup->ignore_eos) return false;
  for (int i = 0; i < s->model->n_eos; i++)
    if (s->model->eos[i] == token) return true;
  return false;
}

/* Ends generation; what follows is rescoring or nothing. */
static les_status finish(les_sequence *s) {
  s->phase = LES_PHASE_DONE;
  if (!s->baseline || !wants(s, LES_WANT_LOGPROB_INTACT) || s->n_new == s->n_accepted) return LES_OK;
  s->phase = LES_PHASE_RESCORE;
  s->next = s->input->n - 1 + s->n_accepted;
  s->end = s->n_tokens - 1;
  LES_TRY(les_kv_cache_open(&s->rescore_cache, s->model, NULL, s->baseline->kv_cache, s->capacity));
  les_kv_cache_share(s->rescore_cache, s->model->hparams.n_layers, s->next + 1);
  return LES_OK;
}

/* Appends the token chosen at the last position that was run. */
static les_status append_choice(les_sequence *s) {
  int32_t token = s->scores.choice[s->n_tokens - 1];
  if (token < 0 || is_end(s, token)) {
    s->stop = token < 0 ? LES_STOP_NAN : LES_STOP_END;
    return finish(s);
  }
  s->tokens[s->n_tokens++] = token;
  s->n_new++;
  s->stop = LES_STOP_LENGTH;
  if (s->n_new == s->input->max_new_tokens) return finish(s);
  s->phase = LES_PHASE_DECODE;
  s->next = s->n_tokens - 1;
  s->end = s->n_tokens;
  return LES_OK;
}

/* After rows of the draft: accepts the tokens that the lesioned model chooses too. At the first that it does
 * not, or at the draft's end, the sequence goes on by itself. */
static les_status verify_draft(les_sequence *s) {
  const les_sequence *b = s->baseline;
  int n = s->input->n;
  while (s->n_accepted < b->n_new && n + s->n_accepted <= s->next &&
         s->scores.choice[n - 1 + s->n_accepted] == b->tokens[n + s->n_accepted])
    s->n_accepted++;
  bool at_end = b->phase == LES_PHASE_DONE && s->next == b->next;
  bool rejected = s->n_accepted < b->n_new && n + s->n_accepted <= s->next;
  if (!at_end && (wants_forced(s) || !rejected)) return LES_OK;
  memcpy(s->tokens + n, b->tokens + n, (size_t)s->n_accepted * sizeof *s->tokens);
  s->n_new = s->n_accepted;
  s->n_tokens = n + s->n_new;
  s->stop = LES_STOP_LENGTH;
  if (s->n_new == s->input->max_new_tokens) return finish(s);
  les_kv_cache_share(s->kv_cache, s->first_layer, s->n_tokens);
  return append_choice(s);
}

les_status les_sequence_advance(les_sequence *s) {
  s->next += s->n_rows;
  s->n_rows = 0;
  switch (s->phase) {
  case LES_PHASE_FORCED:
    if (shares_tokens(s) && generates(s)) return verify_draft(s);
    if (s->next < s->end) return LES_OK;
    return generates(s) ? append_choice(s) : finish(s);
  case LES_PHASE_DECODE:
    return append_choice(s);
  case LES_PHASE_RESCORE:
    if (s->next == s->end) s->phase = LES_PHASE_DONE;
    return LES_OK;
  case LES_PHASE_DONE:
    return LES_OK;
  }
  return LES_OK;
}

/* ---- outcome ---- */

/* Means over n teacher-forced positions; below the lesion they are the baseline's. */
static void layer_means(const les_sequence *s, int n, float *hidden_norm, float *attn_entropy) {
  int n_layers = s->model->hparams.n_layers;
  for (int l = 0; l < n_layers; l++) {
    const les_scores *at = s->baseline && l < s->first_layer ? &s->baseline->scores : &s->scores;
    double norm = 0, entropy = 0;
    for (int pos = 0; pos < n; pos++) {
      norm += at->hidden_norm[(size_t)pos * (size_t)n_layers + (size_t)l];
      entropy += at->attn_entropy[(size_t)pos * (size_t)n_layers + (size_t)l];
    }
    hidden_norm[l] = (float)(norm / n);
    attn_entropy[l] = (float)(entropy / n);
  }
}

/* Of accepted tokens the baseline knows the log-probability. */
static float mean_logprob_intact(const les_sequence *s) {
  const float *nll = s->baseline ? s->baseline->scores.nll : s->scores.nll;
  double sum = 0;
  for (int pos = s->input->n; pos < s->n_tokens; pos++)
    sum += !s->baseline || pos < s->input->n + s->n_accepted ? -(double)nll[pos - 1]
                                                             : (double)s->logprob_intact[pos];
  return s->n_new > 0 ? (float)(sum / s->n_new) : NAN;
}

void les_sequence_outcome(const les_sequence *s, les_outcome *out, const les_outcome *intact,
                          float *hidden_norm, float *attn_entropy) {
  const les_sequence *given = s->baseline ? s->baseline : s;
  int first = s->input->n - 1;
  *out = (les_outcome){
      .input = s->input_index,
      .lesion = s->lesion,
      .intact = intact ? intact : out,
      .tokens = s->tokens + s->input->n,
      .n_tokens = s->n_new,
      .stop = s->stop,
      .n_forced = given->n_tokens - 1,
      .nll = s->scores.nll,
      .kl = s->scores.kl,
      .agrees = s->scores.agrees,
      .greedy = s->scores.greedy,
      .last_logits = s->scores.last_logits,
      .logprob_intact = wants(s, LES_WANT_LOGPROB_INTACT) ? mean_logprob_intact(s) : NAN,
  };
  if (!wants(s, LES_WANT_TRACE)) return;
  out->trace_logprob = s->scores.logprob + first;
  out->trace_entropy = s->scores.entropy + first;
  out->trace_rank = s->scores.rank + first;
  out->hidden_norm = hidden_norm;
  out->attn_entropy = attn_entropy;
  layer_means(s, out->n_forced, hidden_norm, attn_entropy);
}
