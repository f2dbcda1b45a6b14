/* Runs token sequences through a model, intact and under lesions, in one continuous batch: sequences that
 * generate give one row a step, sequences whose tokens are given fill the rest, finished ones make room for
 * new ones. What an intact run has computed is taken, not computed again: below its first lesioned layer, and
 * while its tokens are the intact run's, a lesioned sequence has the intact one's hidden states, keys and
 * values.
 *
 * An outcome depends on its input and lesion alone, to the byte: not on what else is in the batch, on memory
 * or threads. */
#ifndef LES_ENGINE_ENGINE_H
#define LES_ENGINE_ENGINE_H

#include "base/cell.h"
#include "base/want.h"
#include "engine/sampler.h"
#include "lesion/lesion_plan.h"
#include "model/model.h"

typedef struct les_engine les_engine;

/* A text or prompt, and what is wanted of it. */
typedef struct les_input {
  const int32_t *tokens; /* (n), n > 0; borrowed for the life of the engine */
  int n;
  int read_from;      /* teacher-forced positions below are not read: their nll and the rest stay NaN or 0 */
  int max_new_tokens; /* 0: nothing is generated */
  unsigned want;      /* LES_WANT_ flags */
} les_input;

typedef struct les_engine_options {
  les_compute compute;
  int threads;
  les_sampling sampling;
  bool ignore_eos;
  int max_rows;        /* of a batch; 0: 256 */
  size_t memory_limit; /* bytes for states, caches and replaced matrices; 0: a quarter of the machine's
                          memory. One input with one lesion is run whatever it needs */
} les_engine_options;

typedef enum les_stop { LES_STOP_LENGTH, LES_STOP_END, LES_STOP_NAN } les_stop;

/* What a run gives. Arrays are the engine's and live until the callback returns. */
typedef struct les_outcome {
  int input, lesion;                /* lesion -1: intact */
  const struct les_outcome *intact; /* of the same input; itself if lesion is -1 */

  const int32_t *tokens; /* (n_tokens) generated */
  int n_tokens;
  les_stop stop;

  /* Teacher-forced: position i of the input and the intact continuation predicts the token at i + 1. */
  int n_forced;             /* positions: tokens of both, less one */
  const float *nll;         /* (n_forced) -ln p(next token) */
  const float *kl;          /* (n_forced) KL(intact || lesioned); 0 for the intact run */
  const uint8_t *agrees;    /* (n_forced) 1: the most likely token is the intact run's most likely token */
  const uint8_t *greedy;    /* (n_forced) 1: the most likely token is the next one */
  const float *last_logits; /* (n_vocab), NULL if not wanted */

  /* Trace of new tokens (n_tokens): ln p of the token, entropy of its distribution in nats, and rank (0: most
   * likely) of the token that the intact run chose in its place (-1 where it had ended). */
  const float *trace_logprob, *trace_entropy;
  const int32_t *trace_rank;
  /* Means over the teacher-forced positions (n_layers): norm of the hidden state after the layer, entropy of
   * its attention (NaN where the lesion leaves none). */
  const float *hidden_norm, *attn_entropy;
  float reread_logprob; /* mean over new tokens of ln p under the intact model; NaN without new tokens */
} les_outcome;

/* `lesions` and `inputs` are borrowed; `means` may be NULL if no lesion needs them. */
les_status les_engine_open(les_engine **out, const les_model *model, const les_input *inputs, int n_inputs,
                           const les_lesions *lesions, const les_means *means,
                           const les_engine_options *options);
void les_engine_close(les_engine **e);

/* An input under a lesion: one sequence. */
typedef struct les_engine_item {
  int lesion; /* index in the engine's lesions, or LES_INTACT */
  int input;  /* index in its inputs */
} les_engine_item;

/* Called once per cell when it is done, in an order that may vary; `index` is its place in the call. A
 * failure ends the run with it. */
typedef les_status les_outcome_fn(void *ctx, int index, const les_outcome *outcome);

/* Runs n cells. Intact runs of their inputs are made as needed and kept for later calls while there is
 * memory. `stop` (may be NULL) is asked between steps: true ends with LES_STOPPED, and cells not yet reported
 * are lost. */
les_status les_engine_run(les_engine *e, const les_engine_item *cells, int n, les_outcome_fn *done, void *ctx,
                          bool (*stop)(void *ctx));

/* Largest number of bytes held for replaced parameters so far. */
size_t les_engine_plan_peak(const les_engine *e);

#endif
