/* What the engine answers for an input under a lesion. */
#ifndef LES_ENGINE_OUTCOME_H
#define LES_ENGINE_OUTCOME_H

#include <stdint.h>

/* Why generation stopped: max_new_tokens reached, an end token, or logits that are not numbers. */
typedef enum les_stop { LES_STOP_LENGTH, LES_STOP_END, LES_STOP_NAN } les_stop;

/* Arrays are the engine's and live until the callback returns. */
typedef struct les_outcome {
  int input, lesion;                /* lesion: index, or LES_INTACT */
  const struct les_outcome *intact; /* of the same input; itself if this is it */

  const int32_t *tokens; /* (n_tokens) generated */
  int n_tokens;
  les_stop stop;

  /* Teacher-forced: position i of the input and the intact continuation predicts the token at i + 1. */
  int n_forced;             /* positions: tokens of both, less one */
  const float *nll;         /* (n_forced) -ln p(next token) */
  const float *kl;          /* (n_forced) KL(intact || lesioned) in nats; 0 for the intact model */
  const uint8_t *agrees;    /* (n_forced) 1: the same most likely token as the intact model's */
  const uint8_t *greedy;    /* (n_forced) 1: the most likely token is the next one */
  const float *last_logits; /* (n_vocab), NULL if not wanted */

  /* Trace of new tokens (n_tokens): ln p of the token, entropy of its distribution in nats, and the rank (0:
   * most likely) of the token that the intact model chose in its place (-1 where it had ended). */
  const float *trace_logprob, *trace_entropy;
  const int32_t *trace_rank;
  /* Means over the teacher-forced positions (n_layers): norm of the hidden state after the layer, entropy of
   * its attention (NaN where the lesion leaves none). */
  const float *hidden_norm, *attn_entropy;
  float logprob_intact; /* mean over new tokens of ln p under the intact model; NaN without new tokens */
} les_outcome;

#endif
