/* One sequence on its way through the engine: which rows it puts into the next batch, what is taken from
 * their logits and states, and when it is done. Internal to the engine.
 *
 * The phases of a sequence:
 *
 *      FORCED    the tokens are given: the input, and for a lesioned sequence the baseline's continuation
 *        |       after it, as a draft that the lesioned model verifies
 *        |
 *        | the given tokens end, or a token of the draft is rejected
 *   +----+
 *   |    v
 *   |  DECODE    one new token a step; skipped if there is nothing (more) to generate
 *   |    |
 *   |    | end token, length or NaN
 *   +----+
 *   |    v
 *   |  RESCORE   the intact model reads the lesioned continuation; only for LES_WANT_LOGPROB_INTACT, and if
 *   |    |       not all of the continuation is the baseline's
 *   |    v
 *   +> DONE
 */
#ifndef LES_ENGINE_SEQUENCE_H
#define LES_ENGINE_SEQUENCE_H

#include "engine/forward.h"
#include "engine/input.h"
#include "engine/outcome.h"
#include "engine/sampler.h"
#include "engine/scores.h"

/* What all sequences of an engine have in common. */
typedef struct les_sequence_setup {
  const les_model *model;
  les_sampling sampling;
  bool ignore_eos;
  const bool
      *keep; /* (n_layers + 1) hidden states that baselines keep: inputs of the layers, and the final */
} les_sequence_setup;

typedef enum les_phase { LES_PHASE_FORCED, LES_PHASE_DECODE, LES_PHASE_RESCORE, LES_PHASE_DONE } les_phase;

typedef struct les_sequence {
  const les_sequence_setup *setup;
  const les_model *model;
  const les_input *input;
  int input_index, lesion;
  int item;                      /* place in the call; baselines: -1 */
  struct les_sequence *baseline; /* the intact sequence of the input; NULL for a baseline itself */
  int first_layer;               /* lowest layer that differs from the intact model; 0 for a baseline */
  les_phase phase;
  les_kv_cache *kv_cache;
  les_kv_cache *rescore_cache; /* of the intact model on this sequence's continuation */
  int32_t *tokens;             /* (capacity) the input's and the new ones */
  int n_tokens, n_new, capacity;
  int n_accepted; /* draft tokens accepted: new tokens that are the baseline's */
  les_stop stop;
  int next, end; /* positions below next have been run; next .. end - 1 are to be run in this phase */
  les_scores scores;
  float *logprob_intact; /* (capacity) of the token at that position under the intact model */

  /* Of baselines: */
  float **hidden; /* (n_layers + 1) input of each layer (capacity, n_embd), the last one the final state;
                     NULL: not kept */
  int users;      /* sequences and items of the current call that need it */
  uint64_t used;  /* when it was last needed */

  /* In the current step: */
  int first_row, n_rows;
} les_sequence;

/* The intact sequence of an input. `setup` outlives it. */
les_status les_sequence_open_baseline(les_sequence **out, const les_sequence_setup *setup,
                                      const les_input *input, int input_index);

/* True if lesioned sequences can branch off: the baseline is done, or its continuation is all that they still
 * need of it, and they can follow it token by token. */
bool les_sequence_can_branch(const les_sequence *baseline);

/* A lesioned sequence that branches from `baseline`, which outlives it. */
les_status les_sequence_open(les_sequence **out, les_sequence *baseline, const les_lesion_plan *lesion_plan,
                             int lesion, int item, int first_layer);
void les_sequence_close(les_sequence **sequence);

/* Bytes that such a sequence holds, about. */
size_t les_sequence_baseline_bytes(const les_sequence_setup *setup, const les_input *input);
size_t les_sequence_bytes(const les_model *model, const les_input *input, int first_layer);

/* Writes at most `max` rows that the sequence can run next, and returns their number (0: none). */
int les_sequence_rows(les_sequence *sequence, les_row *rows, int max);

/* The position of the sequence's row number i of the current step. */
int les_sequence_position(const les_sequence *sequence, int i);

/* True if the row at `pos` is compared with the baseline's logits there. */
bool les_sequence_wants_reference(const les_sequence *sequence, int pos);

/* Takes from the logits at `pos` what is wanted; reference: the baseline's logits there, if wanted;
 * candidates: see les_sample. May be called from any thread, for different positions at the same time. */
void les_sequence_take_logits(les_sequence *sequence, int pos, const float *logits, const float *reference,
                              les_candidate *candidates);

/* Takes what is wanted from the hidden state before and after a layer. May be called from any thread too. */
void les_sequence_take_state(les_sequence *sequence, int pos, int layer, const float *before,
                             const float *after, float attn_entropy);

/* After a step: moves on, over phases. */
les_status les_sequence_advance(les_sequence *sequence);

/* The outcome of a finished sequence. hidden_norm, attn_entropy (n_layers): filled for LES_WANT_TRACE. */
void les_sequence_outcome(const les_sequence *sequence, les_outcome *out, const les_outcome *intact,
                          float *hidden_norm, float *attn_entropy);

#endif
