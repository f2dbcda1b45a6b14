#include "engine/sequence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool wants(const les_sequence *r, unsigned what) {
  return (r->input->want & what) != 0;
}

static bool forced(const les_sequence *r) {
  return wants(r, LES_WANT_FORCED | LES_WANT_KL | LES_WANT_TRACE);
}

static bool generates(const les_sequence *r) {
  return r->input->max_new_tokens > 0;
}

/* ---- memory ----------------------------------------------------------------------------------------------
 */

static void *take(char *base, size_t *used, size_t bytes) {
  void *p = base ? base + *used : NULL;
  *used += (bytes + 15) / 16 * 16;
  return p;
}

static int capacity_of(const les_input *input) {
  return input->n + input->max_new_tokens;
}

/* Lays the arrays of a reading out from `base` (NULL: only counts) and returns their size. */
static size_t lay_out(les_reading *at, char *base, const les_model *m, const les_input *input, bool intact) {
  size_t used = 0, n = (size_t)capacity_of(input);
  *at = (les_reading){.memory = base};
  at->choice = take(base, &used, n * sizeof(int32_t));
  at->nll = take(base, &used, n * sizeof(float));
  at->kl = take(base, &used, n * sizeof(float));
  at->agrees = take(base, &used, n);
  at->greedy = take(base, &used, n);
  if (intact) {
    at->lse = take(base, &used, n * sizeof(double));
    at->best = take(base, &used, n * sizeof(int32_t));
  }
  if (input->want & LES_WANT_TRACE) {
    at->logprob = take(base, &used, n * sizeof(float));
    at->entropy = take(base, &used, n * sizeof(float));
    at->rank = take(base, &used, n * sizeof(int32_t));
    at->hidden_norm = take(base, &used, n * (size_t)m->hparams.n_layers * sizeof(float));
    at->attn_entropy = take(base, &used, n * (size_t)m->hparams.n_layers * sizeof(float));
  }
  if (input->want & LES_WANT_LAST_LOGITS)
    at->last_logits = take(base, &used, (size_t)m->hparams.n_vocab * sizeof(float));
  return used;
}

static size_t reading_bytes(const les_model *m, const les_input *input, bool intact) {
  les_reading at;
  return lay_out(&at, NULL, m, input, intact);
}

size_t les_sequence_bytes(const les_model *m, const les_input *input, int start) {
  return les_kv_cache_bytes(m, capacity_of(input), start) + reading_bytes(m, input, false);
}

size_t les_sequence_baseline_bytes(const les_model *m, const les_input *input, const bool *keep) {
  size_t state = (size_t)capacity_of(input) * (size_t)m->hparams.n_embd * sizeof(float), states = 0;
  for (int l = 0; l <= m->hparams.n_layers; l++) states += keep[l] ? state : 0;
  return states + les_kv_cache_bytes(m, capacity_of(input), 0) + reading_bytes(m, input, true);
}

static les_status open_run(les_sequence **out, const les_sequence *like, const les_lesion_plan *plan,
                           const les_kv_cache *parent) {
  les_sequence *r = malloc(sizeof *r);
  *out = r;
  if (!r) goto no_memory;
  *r = *like;
  r->capacity = capacity_of(r->input);
  char *memory = calloc(1, reading_bytes(r->model, r->input, !parent));
  r->tokens = malloc((size_t)r->capacity * sizeof *r->tokens);
  if (memory) lay_out(&r->at, memory, r->model, r->input, !parent);
  if (wants(r, LES_WANT_REREAD)) r->reread_logprob = calloc((size_t)r->capacity, sizeof(float));
  if (!memory || !r->tokens || (wants(r, LES_WANT_REREAD) && !r->reread_logprob)) goto no_memory;
  for (int i = 0; i < r->capacity; i++) {
    r->at.nll[i] = NAN;
    r->at.kl[i] = wants(r, LES_WANT_KL) ? NAN : 0;
  }
  memcpy(r->tokens, r->input->tokens, (size_t)r->input->n * sizeof *r->tokens);
  r->n_tokens = r->input->n;
  les_status status = les_kv_cache_open(&r->seq, r->model, plan, parent, r->capacity);
  if (status != LES_OK) les_sequence_close(out);
  return status;
no_memory:
  les_sequence_close(out);
  return les_fail(LES_FAILED, "out of memory for a sequence of %d tokens", capacity_of(like->input));
}

les_status les_sequence_open_baseline(les_sequence **out, const les_model *model,
                                      const les_engine_options *options, const les_input *input,
                                      int input_index, const bool *keep) {
  les_sequence like = {.model = model,
                       .options = options,
                       .input = input,
                       .input_index = input_index,
                       .lesion = -1,
                       .index = -1};
  LES_TRY(open_run(out, &like, NULL, NULL));
  les_sequence *r = *out;
  int n_layers = model->hparams.n_layers;
  r->hidden = calloc((size_t)n_layers + 1, sizeof *r->hidden);
  bool ok = r->hidden != NULL;
  for (int l = 0; ok && l <= n_layers; l++)
    if (keep[l])
      ok = (r->hidden[l] = malloc((size_t)r->capacity * (size_t)model->hparams.n_embd * sizeof(float))) !=
           NULL;
  if (!ok) {
    les_sequence_close(out);
    return les_fail(LES_FAILED, "out of memory for the hidden states of %d tokens", r->capacity);
  }
  /* The last token is run only if somebody reads what follows it. */
  r->end = input->n - (generates(r) || wants(r, LES_WANT_LAST_LOGITS) ? 0 : 1);
  return LES_OK;
}

les_status les_sequence_open(les_sequence **out, les_sequence *trunk, const les_lesion_plan *plan, int lesion,
                             int index, int start) {
  les_sequence like = {.model = trunk->model,
                       .options = trunk->options,
                       .input = trunk->input,
                       .trunk = trunk,
                       .plan = plan,
                       .input_index = trunk->input_index,
                       .lesion = lesion,
                       .index = index,
                       .start = start};
  return open_run(out, &like, plan, trunk->seq);
}

bool les_sequence_can_follow(const les_sequence *trunk) {
  return trunk->phase == LES_PHASE_DONE || (!forced(trunk) && trunk->next >= trunk->input->n);
}

void les_sequence_close(les_sequence **run) {
  les_sequence *r = *run;
  if (!r) return;
  les_kv_cache_close(&r->reread);
  les_kv_cache_close(&r->seq);
  for (int l = 0; r->hidden && l <= r->model->hparams.n_layers; l++) free(r->hidden[l]);
  free(r->hidden);
  free(r->at.memory);
  free(r->tokens);
  free(r->reread_logprob);
  free(r);
  *run = NULL;
}

/* ---- rows ------------------------------------------------------------------------------------------------
 */

/* True while the run's tokens are the intact run's. */
static bool follows(const les_sequence *r) {
  return r->phase == LES_PHASE_GIVEN && r->trunk;
}

/* How far a run that follows may go now: where only the continuation is asked for, past the input by as much
 * as has been right so far, so that at most half is in vain; and never past the intact run. */
static int end_of_following(const les_sequence *r) {
  int n = r->input->n, checked = r->next - n, ready = r->trunk->next;
  int end = forced(r) ? ready : checked < 0 ? n : r->next + (checked > 0 ? checked : 1);
  return end < ready ? end : ready;
}

/* The token at pos + 1 that a teacher-forced row predicts; -1 if there is none. */
static int32_t next_given(const les_sequence *r, int pos) {
  const les_sequence *given = r->trunk ? r->trunk : r;
  return pos + 1 < given->n_tokens ? given->tokens[pos + 1] : -1;
}

static bool reads_forced(const les_sequence *r, int pos) {
  return r->phase == LES_PHASE_GIVEN && forced(r) && pos >= r->input->read_from && next_given(r, pos) >= 0;
}

static bool chooses(const les_sequence *r, int pos) {
  return generates(r) && r->phase != LES_PHASE_REREAD && pos >= r->input->n - 1;
}

static bool reads_last(const les_sequence *r, int pos) {
  return wants(r, LES_WANT_LAST_LOGITS) && pos == r->input->n - 1 && r->phase == LES_PHASE_GIVEN;
}

/* True if the state after the last layer is read though the logits are not. */
static bool reads_final_state(const les_sequence *r) {
  return wants(r, LES_WANT_TRACE) || (r->hidden && r->hidden[r->model->hparams.n_layers]);
}

static les_row row_at(const les_sequence *r, int pos) {
  int n_layers = r->model->hparams.n_layers, n_embd = r->model->hparams.n_embd;
  les_row row = {.seq = r->seq, .token = r->tokens[pos], .pos = pos};
  if (follows(r)) {
    row.token = r->trunk->tokens[pos];
    if (r->start > 0) {
      row.first_layer = r->start;
      row.hidden = r->trunk->hidden[r->start] + (size_t)pos * (size_t)n_embd;
    }
  }
  row.logits = reads_forced(r, pos) || chooses(r, pos) || reads_last(r, pos);
  row.cache_only = !row.logits && !reads_final_state(r);
  if (r->phase == LES_PHASE_REREAD) {
    row.seq = r->reread;
    row.logits = true;
    row.cache_only = false;
    if (pos == r->input->n - 1 + r->common) { /* the last position that the intact run has had too */
      row.first_layer = n_layers;
      row.hidden = r->trunk->hidden[n_layers] + (size_t)pos * (size_t)n_embd;
    }
  }
  return row;
}

int les_sequence_rows(les_sequence *run, les_row *rows, int max) {
  if (follows(run)) run->end = end_of_following(run);
  int n = run->phase == LES_PHASE_DONE ? 0 : run->end - run->next;
  run->n_rows = n < max ? n : max;
  for (int i = 0; i < run->n_rows; i++) rows[i] = row_at(run, run->next + i);
  return run->n_rows;
}

int les_sequence_position(const les_sequence *run, int i) {
  return run->next + i;
}

bool les_sequence_wants_reference(const les_sequence *run, int pos) {
  return run->trunk && wants(run, LES_WANT_KL) && reads_forced(run, pos);
}

/* ---- reading ---------------------------------------------------------------------------------------------
 */

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

static void read_trace(les_sequence *r, int pos, const float *logits, double lse) {
  int n = r->model->hparams.n_vocab;
  const les_sequence *intact = r->trunk ? r->trunk : r;
  int32_t token = r->at.choice[pos], other = r->trunk ? next_given(intact, pos) : token;
  r->at.logprob[pos] = token < 0 ? NAN : (float)(logits[token] - lse);
  r->at.entropy[pos] = entropy_of(logits, lse, n);
  r->at.rank[pos] = other < 0 ? -1 : rank_of(logits, other, n);
}

void les_sequence_read(les_sequence *r, int pos, const float *logits, const float *reference) {
  int n = r->model->hparams.n_vocab;
  bool force = reads_forced(r, pos), choose = chooses(r, pos);
  double lse =
      force || wants(r, LES_WANT_TRACE | LES_WANT_REREAD) || !r->trunk ? les_log_sum_exp(logits, n) : 0;
  if (r->phase == LES_PHASE_REREAD) {
    r->reread_logprob[pos + 1] = (float)(logits[r->tokens[pos + 1]] - lse);
    return;
  }
  if (reads_last(r, pos)) memcpy(r->at.last_logits, logits, (size_t)n * sizeof *logits);
  if (choose) {
    r->at.choice[pos] = les_sample(logits, n, &r->options->sampling, (uint64_t)r->input_index, pos);
    if (wants(r, LES_WANT_TRACE)) read_trace(r, pos, logits, lse);
  }
  if (!force && !(choose && !r->trunk)) return;
  int32_t best = (int32_t)les_argmax(logits, n), next = next_given(r, pos);
  if (next < 0) next = r->at.choice[pos]; /* an intact run has just made it */
  r->at.nll[pos] = next < 0 ? NAN : (float)(lse - logits[next]);
  r->at.greedy[pos] = best == next;
  if (!r->trunk) {
    r->at.lse[pos] = lse;
    r->at.best[pos] = best;
    r->at.agrees[pos] = best >= 0;
    r->at.kl[pos] = isnan(lse) ? NAN : 0;
  } else if (reference) {
    r->at.kl[pos] = (float)les_kl(reference, r->trunk->at.lse[pos], logits, lse, n);
    r->at.agrees[pos] = best >= 0 && best == r->trunk->at.best[pos];
  }
}

void les_sequence_probe(les_sequence *r, int pos, int layer, const float *before, const float *after,
                        float attn_entropy) {
  int n = r->model->hparams.n_embd, n_layers = r->model->hparams.n_layers;
  size_t bytes = (size_t)n * sizeof *before;
  if (r->hidden && r->hidden[layer]) memcpy(r->hidden[layer] + (size_t)pos * (size_t)n, before, bytes);
  if (r->hidden && layer == n_layers - 1 && r->hidden[n_layers])
    memcpy(r->hidden[n_layers] + (size_t)pos * (size_t)n, after, bytes);
  if (!wants(r, LES_WANT_TRACE) || (r->trunk && r->phase != LES_PHASE_GIVEN)) return;
  size_t at = (size_t)pos * (size_t)n_layers + (size_t)layer;
  r->at.hidden_norm[at] = (float)sqrt(les_dot(after, after, n));
  r->at.attn_entropy[at] = attn_entropy;
}

/* ---- progress --------------------------------------------------------------------------------------------
 */

static bool is_end(const les_sequence *r, int32_t token) {
  if (r->options->ignore_eos) return false;
  for (int i = 0; i < r->model->n_eos; i++)
    if (r->model->eos[i] == token) return true;
  return false;
}

static les_status finish(les_sequence *r) {
  r->phase = LES_PHASE_DONE;
  if (!r->trunk || !wants(r, LES_WANT_REREAD) || r->n_new == r->common) return LES_OK;
  r->phase = LES_PHASE_REREAD;
  r->next = r->input->n - 1 + r->common;
  r->end = r->n_tokens - 1;
  LES_TRY(les_kv_cache_open(&r->reread, r->model, NULL, r->trunk->seq, r->capacity));
  les_kv_cache_share(r->reread, r->model->hparams.n_layers, r->next + 1);
  return LES_OK;
}

/* Takes the token chosen at the last position that was run. */
static les_status take_choice(les_sequence *r) {
  int32_t token = r->at.choice[r->n_tokens - 1];
  if (token < 0 || is_end(r, token)) {
    r->stop = token < 0 ? LES_STOP_NAN : LES_STOP_END;
    return finish(r);
  }
  r->tokens[r->n_tokens++] = token;
  r->n_new++;
  r->stop = LES_STOP_LENGTH;
  if (r->n_new == r->input->max_new_tokens) return finish(r);
  r->phase = LES_PHASE_NEW;
  r->next = r->n_tokens - 1;
  r->end = r->n_tokens;
  return LES_OK;
}

/* After rows of the draft: how far does the lesioned run say the same? */
static les_status check_draft(les_sequence *r) {
  const les_sequence *t = r->trunk;
  int n = r->input->n;
  while (r->common < t->n_new && n + r->common <= r->next &&
         r->at.choice[n - 1 + r->common] == t->tokens[n + r->common])
    r->common++;
  bool all_run = t->phase == LES_PHASE_DONE && r->next == t->next;
  bool parted = r->common < t->n_new && n + r->common <= r->next;
  if (!all_run && (forced(r) || !parted)) return LES_OK;
  memcpy(r->tokens + n, t->tokens + n, (size_t)r->common * sizeof *r->tokens);
  r->n_new = r->common;
  r->n_tokens = n + r->n_new;
  r->stop = LES_STOP_LENGTH;
  if (r->n_new == r->input->max_new_tokens) return finish(r);
  les_kv_cache_share(r->seq, r->start, r->n_tokens);
  return take_choice(r);
}

les_status les_sequence_advance(les_sequence *r) {
  r->next += r->n_rows;
  r->n_rows = 0;
  switch (r->phase) {
  case LES_PHASE_GIVEN:
    if (follows(r) && generates(r)) return check_draft(r);
    if (r->next < r->end) return LES_OK;
    return generates(r) ? take_choice(r) : finish(r);
  case LES_PHASE_NEW:
    return take_choice(r);
  case LES_PHASE_REREAD:
    if (r->next == r->end) r->phase = LES_PHASE_DONE;
    return LES_OK;
  case LES_PHASE_DONE:
    return LES_OK;
  }
  return LES_OK;
}

/* Means over the teacher-forced positions: below the lesion, the intact run's. */
static void layer_means(const les_sequence *r, int n, float *hidden_norm, float *attn_entropy) {
  int n_layers = r->model->hparams.n_layers;
  for (int l = 0; l < n_layers; l++) {
    const les_reading *at = r->trunk && l < r->start ? &r->trunk->at : &r->at;
    double norm = 0, entropy = 0;
    for (int pos = 0; pos < n; pos++) {
      norm += at->hidden_norm[(size_t)pos * (size_t)n_layers + (size_t)l];
      entropy += at->attn_entropy[(size_t)pos * (size_t)n_layers + (size_t)l];
    }
    hidden_norm[l] = (float)(norm / n);
    attn_entropy[l] = (float)(entropy / n);
  }
}

static float mean_reread(const les_sequence *r) {
  double sum = 0;
  for (int pos = r->input->n; pos < r->n_tokens; pos++)
    sum += !r->trunk || pos < r->input->n + r->common ? -(double)(r->trunk ? r->trunk : r)->at.nll[pos - 1]
                                                      : (double)r->reread_logprob[pos];
  return r->n_new > 0 ? (float)(sum / r->n_new) : NAN;
}

void les_sequence_outcome(const les_sequence *r, les_outcome *out, const les_outcome *intact,
                          float *hidden_norm, float *attn_entropy) {
  const les_sequence *given = r->trunk ? r->trunk : r;
  int first = r->input->n - 1;
  *out = (les_outcome){
      .input = r->input_index,
      .lesion = r->lesion,
      .intact = intact ? intact : out,
      .tokens = r->tokens + r->input->n,
      .n_tokens = r->n_new,
      .stop = r->stop,
      .n_forced = given->n_tokens - 1,
      .nll = r->at.nll,
      .kl = r->at.kl,
      .agrees = r->at.agrees,
      .greedy = r->at.greedy,
      .last_logits = r->at.last_logits,
      .reread_logprob = wants(r, LES_WANT_REREAD) ? mean_reread(r) : NAN,
  };
  if (!wants(r, LES_WANT_TRACE)) return;
  out->trace_logprob = r->at.logprob + first;
  out->trace_entropy = r->at.entropy + first;
  out->trace_rank = r->at.rank + first;
  out->hidden_norm = hidden_norm;
  out->attn_entropy = attn_entropy;
  layer_means(r, out->n_forced, hidden_norm, attn_entropy);
}
