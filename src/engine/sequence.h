/* One sequence on its way through the engine: which rows it needs next, what is read from their logits, and
 * when it is done. Internal to the engine. */
#ifndef LES_ENGINE_SEQUENCE_H
#define LES_ENGINE_SEQUENCE_H

#include "engine/engine.h"
#include "engine/forward.h"

/* What is read at the positions of a run; arrays of `capacity`. One block of memory. */
typedef struct les_reading {
  double *lse;     /* ln of the sum of exp of the logits; intact runs only */
  int32_t *best;   /* most likely token; intact runs only */
  int32_t *choice; /* token chosen for the next position */
  float *nll, *kl;
  uint8_t *agrees, *greedy;
  float *logprob, *entropy; /* trace of `choice` */
  int32_t *rank;
  float *hidden_norm, *attn_entropy; /* (capacity, n_layers) */
  float *last_logits;                /* (n_vocab) */
  void *memory;
} les_reading;

typedef enum les_phase {
  LES_PHASE_GIVEN,  /* the input's tokens; of a lesioned run, the intact continuation too, as a draft */
  LES_PHASE_NEW,    /* one new token a step */
  LES_PHASE_REREAD, /* the intact model reads the lesioned continuation */
  LES_PHASE_DONE,
} les_phase;

typedef struct les_sequence {
  const les_model *model;
  const les_engine_options *options;
  const les_input *input;
  int input_index, lesion;
  int index;                   /* place in the call; intact runs: -1 */
  struct les_sequence *trunk;  /* the intact run of the input; NULL for an intact run */
  const les_lesion_plan *plan; /* NULL: intact */
  int start;                   /* lowest layer that differs from the intact model; 0 for an intact run */
  les_phase phase;
  les_kv_cache *seq;    /* of this run */
  les_kv_cache *reread; /* the intact model on this run's continuation */
  int32_t *tokens;      /* (capacity) the input's and the new ones */
  int n_tokens, n_new, capacity;
  int common; /* new tokens that were the intact run's, taken over from the draft */
  les_stop stop;
  int next, end; /* positions below next have been run; next .. end - 1 are to be run in this phase */
  les_reading at;
  float *reread_logprob; /* (capacity) of the token at that position under the intact model */

  /* Of intact runs: */
  float **hidden; /* (n_layers + 1) input of each layer (capacity, n_embd), the last one the final state;
                     NULL: not kept */
  int users;      /* runs and cells of the current call that need it */
  uint64_t used;  /* when it was last needed */

  /* In the current step: */
  int first_row, n_rows;
} les_sequence;

/* An intact run of the input. keep (n_layers + 1) says which hidden states are kept. */
les_status les_sequence_open_baseline(les_sequence **out, const les_model *model,
                                      const les_engine_options *options, const les_input *input,
                                      int input_index, const bool *keep);

/* True if lesioned runs of the input can be opened: their trunk is done, or its continuation is all that they
 * need of it from now on, and they can follow it token by token. */
bool les_sequence_can_follow(const les_sequence *trunk);

/* A lesioned run beside its trunk. */
les_status les_sequence_open(les_sequence **out, les_sequence *trunk, const les_lesion_plan *plan, int lesion,
                             int index, int start);
void les_sequence_close(les_sequence **run);

/* Bytes that such a run holds, about. */
size_t les_sequence_baseline_bytes(const les_model *model, const les_input *input, const bool *keep);
size_t les_sequence_bytes(const les_model *model, const les_input *input, int start);

/* Writes at most `max` rows that the run can do next, and returns their number (0: none). */
int les_sequence_rows(les_sequence *run, les_row *rows, int max);

/* The position of the run's row number i of the current step. */
int les_sequence_position(const les_sequence *run, int i);

/* True if the row at `pos` is compared with the intact run's logits there. */
bool les_sequence_wants_reference(const les_sequence *run, int pos);

/* Reads the logits at `pos`; reference: the intact run's logits there, if wanted. May be called from any
 * thread, for different positions at the same time. */
void les_sequence_read(les_sequence *run, int pos, const float *logits, const float *reference);

/* Reads a state at a layer. The same. */
void les_sequence_probe(les_sequence *run, int pos, int layer, const float *before, const float *after,
                        float attn_entropy);

/* After a step: moves on, over phases. */
les_status les_sequence_advance(les_sequence *run);

/* What the finished run gives. */
void les_sequence_outcome(const les_sequence *run, les_outcome *out, const les_outcome *intact,
                          float *hidden_norm, float *attn_entropy);

#endif
