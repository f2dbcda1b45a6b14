#include "measure/field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Ranges of values. */
#define ANY                                                                                                  \
  { -INFINITY, INFINITY }
#define SHARE                                                                                                \
  { 0, 1 }
#define LOG_PROBABILITY                                                                                      \
  { -INFINITY, 0 }
#define FROM_ONE                                                                                             \
  { 1, INFINITY }
#define POSITIVE                                                                                             \
  { 0, INFINITY }

const les_field les_fields[LES_N_FIELDS] = {
    [LES_FIELD_TOKENS] = {"tokens", NULL, LES_FIELD_I32, LES_EXTENT_TOKENS, 0, true, true, 0,
                          "ids of the continuation, padded with -1", ANY, 0},
    [LES_FIELD_LENGTH] = {"length", NULL, LES_FIELD_I32, LES_EXTENT_ONE, 0, true, true, 0,
                          "tokens of the continuation", ANY, 0},
    [LES_FIELD_JACCARD] = {"jaccard", "jaccard", LES_FIELD_F32, LES_EXTENT_ONE, 0, false, true, 1,
                           "Jaccard distance of the word sets of the intact and the lesioned continuation",
                           SHARE, 0.1},
    [LES_FIELD_JACCARD_TOKEN] = {"jaccard_token", "jaccard", LES_FIELD_F32, LES_EXTENT_ONE, 0, false, true, 1,
                                 "Jaccard distance of the token sets of the two continuations", SHARE, 0.1},
    [LES_FIELD_COMMON_PREFIX] = {"common_prefix", "jaccard", LES_FIELD_F32, LES_EXTENT_ONE, 0, false, true,
                                 -1, "tokens before the two continuations diverge", POSITIVE, 0},
    [LES_FIELD_MEAN_NLL] = {"mean_nll", "nll", LES_FIELD_F32, LES_EXTENT_ONE, LES_WANT_FORCED, true, false, 1,
                            "mean negative log-likelihood of the predicted tokens, in nats", POSITIVE, 0.05},
    [LES_FIELD_PERPLEXITY] = {"perplexity", "nll", LES_FIELD_F32, LES_EXTENT_ONE, LES_WANT_FORCED, true,
                              false, 1, "exp of mean_nll", FROM_ONE, 0},
    [LES_FIELD_DELTA_NLL] = {"delta_nll", "nll", LES_FIELD_F32, LES_EXTENT_ONE, LES_WANT_FORCED, false, false,
                             1, "mean_nll of the lesioned minus that of the intact model", ANY, 0.05},
    [LES_FIELD_KL_MEAN] = {"kl_mean", "kl", LES_FIELD_F32, LES_EXTENT_ONE, LES_WANT_KL, false, false, 1,
                           "mean of KL(intact || lesioned) over positions, in nats", POSITIVE, 0.05},
    [LES_FIELD_KL_MAX] = {"kl_max", "kl", LES_FIELD_F32, LES_EXTENT_ONE, LES_WANT_KL, false, false, 1,
                          "largest KL(intact || lesioned) of a position, in nats", POSITIVE, 0.5},
    [LES_FIELD_TOP1_AGREEMENT] = {"top1_agreement", "kl", LES_FIELD_F32, LES_EXTENT_ONE, LES_WANT_KL, false,
                                  false, -1, "share of positions with the same most likely token", SHARE,
                                  0.05},
    [LES_FIELD_LABEL] = {"label", "failure", LES_FIELD_U8, LES_EXTENT_ONE, LES_WANT_LOGPROB_INTACT, false,
                         true, 0,
                         "1 intact, 2 drifted, 3 repetition, 4 gibberish, 5 empty, 6 nan (degeneration.h)",
                         ANY, 0},
    [LES_FIELD_LOOP_LENGTH] = {"loop_length", "failure", LES_FIELD_I32, LES_EXTENT_ONE, 0, true, true, 0,
                               "tokens of the phrase that the continuation repeats; 0: no loop", ANY, 0},
    [LES_FIELD_LOOP_START] = {"loop_start", "failure", LES_FIELD_I32, LES_EXTENT_ONE, 0, true, true, 0,
                              "first token of that loop", ANY, 0},
    [LES_FIELD_LOOP_COUNT] = {"loop_count", "failure", LES_FIELD_I32, LES_EXTENT_ONE, 0, true, true, 1,
                              "complete repetitions of that phrase", POSITIVE, 0},
    [LES_FIELD_DISTINCT_1] = {"distinct_1", "failure", LES_FIELD_F32, LES_EXTENT_ONE, 0, true, true, -1,
                              "distinct tokens over all tokens of the continuation", SHARE, 0},
    [LES_FIELD_DISTINCT_2] = {"distinct_2", "failure", LES_FIELD_F32, LES_EXTENT_ONE, 0, true, true, -1,
                              "distinct bigrams over all bigrams", SHARE, 0},
    [LES_FIELD_DISTINCT_3] = {"distinct_3", "failure", LES_FIELD_F32, LES_EXTENT_ONE, 0, true, true, -1,
                              "distinct trigrams over all trigrams", SHARE, 0},
    [LES_FIELD_LOGPROB_INTACT] = {"logprob_intact", "failure", LES_FIELD_F32, LES_EXTENT_ONE,
                                  LES_WANT_LOGPROB_INTACT, true, true, -1,
                                  "mean ln p of the continuation's tokens under the intact model",
                                  LOG_PROBABILITY, 0},
    [LES_FIELD_KNOWN_WORDS] =
        {"known_words", "failure", LES_FIELD_F32, LES_EXTENT_ONE, 0, false, true, -1,
         "share of the continuation's words known from prompts and intact continuations", SHARE, 0},
    [LES_FIELD_TRACE_LOGPROB] = {"trace_logprob", "trace", LES_FIELD_F32, LES_EXTENT_TOKENS, LES_WANT_TRACE,
                                 true, true, 0, "ln p of each new token", ANY, 0},
    [LES_FIELD_TRACE_ENTROPY] = {"trace_entropy", "trace", LES_FIELD_F32, LES_EXTENT_TOKENS, LES_WANT_TRACE,
                                 true, true, 0,
                                 "entropy in nats of the distribution that each new token is chosen from",
                                 ANY, 0},
    [LES_FIELD_TRACE_RANK] = {"trace_rank", "trace", LES_FIELD_I32, LES_EXTENT_TOKENS, LES_WANT_TRACE, false,
                              true, 0, "rank, 0 the most likely, of the intact run's token at each new token",
                              ANY, 0},
    [LES_FIELD_HIDDEN_NORM] = {"hidden_norm", "trace", LES_FIELD_F32, LES_EXTENT_LAYERS, LES_WANT_TRACE, true,
                               false, 0, "mean norm of the hidden state after each layer", ANY, 0},
    [LES_FIELD_ATTN_ENTROPY] = {"attn_entropy", "trace", LES_FIELD_F32, LES_EXTENT_LAYERS, LES_WANT_TRACE,
                                true, false, 0, "mean entropy in nats of each layer's attention", ANY, 0},
    [LES_FIELD_ACC] = {"acc", "acc", LES_FIELD_F32, LES_EXTENT_ONE, 0, true, false, -1,
                       "1 if the document, or the prompt with a known answer, is answered correctly, else 0",
                       SHARE, 0.02},
    [LES_FIELD_ACC_NORM] = {"acc_norm", "tasks", LES_FIELD_F32, LES_EXTENT_ONE, 0, true, false, -1,
                            "acc with log-likelihoods divided by the choices' characters", SHARE, 0.02},
    [LES_FIELD_ACC_BYTES] = {"acc_bytes", "tasks", LES_FIELD_F32, LES_EXTENT_ONE, 0, true, false, -1,
                             "acc with log-likelihoods divided by the choices' bytes", SHARE, 0.02},
    [LES_FIELD_LOGLIK] = {"loglik", "tasks", LES_FIELD_F32, LES_EXTENT_ONE, 0, true, false, -1,
                          "log-likelihood of a document's correct choice, last word or page", LOG_PROBABILITY,
                          0},
};

size_t les_field_size(les_field_type type) {
  return type == LES_FIELD_U8 ? 1 : 4;
}

int les_field_find(const char *name) {
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (!strcmp(les_fields[i].name, name)) return i;
  return -1;
}

int les_field_preferred(les_preference preference, const bool has[LES_N_FIELDS]) {
  static const les_field_id orders[][3] = {
      [LES_PREFER_TEXT] = {LES_FIELD_JACCARD, LES_FIELD_KL_MEAN, LES_FIELD_DELTA_NLL},
      [LES_PREFER_LOGITS] = {LES_FIELD_KL_MEAN, LES_FIELD_JACCARD, LES_FIELD_JACCARD}};
  for (int i = 0; i < 3; i++)
    if (has[orders[preference][i]]) return (int)orders[preference][i];
  return -1;
}

static bool is_among(const char *name, const char *const *names, int n) {
  for (int i = 0; i < n; i++)
    if (!strcmp(names[i], name)) return true;
  return false;
}

int les_group_list(const char *groups[LES_N_FIELDS]) {
  int n = 0;
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (les_fields[i].group && !is_among(les_fields[i].group, groups, n)) groups[n++] = les_fields[i].group;
  return n;
}

les_status les_field_refuse(const char *name, const bool has[LES_N_FIELDS]) {
  char known[512] = "";
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (has[i] && les_fields[i].damage != 0)
      snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "",
               les_fields[i].name);
  return les_fail(LES_USAGE, "'%s' is no measure of damage; the file has %s", name, *known ? known : "none");
}

bool les_group_exists(const char *group) {
  const char *groups[LES_N_FIELDS];
  return is_among(group, groups, les_group_list(groups));
}

les_status les_record_layout_compute(les_record_layout *out, const char *const *groups, int n_groups,
                                     int max_new_tokens, int n_layers) {
  *out = (les_record_layout){0};
  for (int i = 0; i < n_groups; i++)
    if (!les_group_exists(groups[i])) return les_fail(LES_USAGE, "there is no measure '%s'", groups[i]);
  for (int i = 0; i < LES_N_FIELDS; i++) {
    const les_field *field = &les_fields[i];
    if ((field->generated && max_new_tokens == 0) ||
        (field->group && !is_among(field->group, groups, n_groups)))
      continue;
    out->has[i] = true;
    out->want |= field->want;
    out->count[i] = field->extent == LES_EXTENT_ONE      ? 1
                    : field->extent == LES_EXTENT_TOKENS ? max_new_tokens
                                                         : n_layers;
    size_t size = les_field_size(field->type);
    out->offset[i] = (out->bytes + size - 1) / size * size;
    out->bytes = out->offset[i] + (size_t)out->count[i] * size;
  }
  out->bytes = (out->bytes + 3) / 4 * 4; /* records follow one another */
  return LES_OK;
}

void les_record_clear(const les_record_layout *layout, void *record) {
  memset(record, 0, layout->bytes);
  for (int i = 0; i < LES_N_FIELDS; i++) {
    if (!layout->has[i] || les_fields[i].type == LES_FIELD_U8) continue;
    char *at = (char *)record + layout->offset[i];
    for (int k = 0; k < layout->count[i]; k++, at += 4) {
      if (les_fields[i].type == LES_FIELD_F32)
        memcpy(at, &(float){NAN}, 4);
      else
        memcpy(at, &(int32_t){-1}, 4);
    }
  }
}
