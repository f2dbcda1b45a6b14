/* Runs token sequences through a model, intact and under lesions, in one continuous batch.
 *
 * The intact sequence of an input is the baseline from which its lesioned sequences branch. Below its first
 * lesioned layer, and as long as its tokens are the baseline's, a lesioned sequence has the baseline's hidden
 * states, keys and values: they are shared, not computed again. The baseline's continuation serves as a draft
 * for the lesioned ones, as in speculative decoding (Leviathan et al. 2023).
 *
 * An outcome depends on its input and lesion alone, to the byte: not on what else is in the batch, on memory
 * or threads. */
#ifndef LES_ENGINE_ENGINE_H
#define LES_ENGINE_ENGINE_H

#include "base/cell.h"
#include "engine/input.h"
#include "engine/outcome.h"
#include "engine/sampler.h"
#include "lesion/lesion_plan.h"
#include "model/model.h"

typedef struct les_engine les_engine;

typedef struct les_engine_options {
  les_compute compute;
  int threads;
  les_sampling sampling;
  bool ignore_eos;
  int max_rows; /* of a batch; 0: LES_BATCH_ROWS */
  size_t
      memory_limit; /* bytes for states, caches, replaced matrices and the scratch of sampling; 0: a quarter
                       of the machine's memory. One input with one lesion is run whatever it needs */
} les_engine_options;

enum { LES_BATCH_ROWS = 256 };

/* Bytes of buffers that an engine holds whatever it runs: those of a batch, and the scratch of sampling. */
size_t les_engine_fixed_bytes(const les_model *model, const les_engine_options *options);

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

/* Called once per item when it is done, in any order; `index` is the item's place in the call. A failure ends
 * the call with it. */
typedef les_status les_outcome_fn(void *ctx, int index, const les_outcome *outcome);

/* Runs n items. Baselines of their inputs are computed as needed and kept for later calls while there is
 * memory. `stop` (may be NULL) is asked between steps: true ends with LES_STOPPED, and items not yet reported
 * are lost. */
les_status les_engine_run(les_engine *e, const les_engine_item *items, int n, les_outcome_fn *done, void *ctx,
                          bool (*stop)(void *ctx));

#endif
