/* The freeze list: which modules fine-tuning should leave alone. */
#ifndef LES_SENSITIVITY_FREEZE_H
#define LES_SENSITIVITY_FREEZE_H

#include "sensitivity/sensitivity.h"

/* Writes JSON: the pillars as `frozen` modules and `frozen_layers` (layers with nothing but pillars), named
 * as transformers names them, and `peft`, the keyword arguments of PEFT's LoraConfig that train the robust
 * matrices only: target_modules by full name, layers_to_transform. A fused matrix (GPT-2's c_attn) is frozen
 * if one of its slices is. Matrices that the sweep did not touch are in neither list, and not trained.
 * `prompts` says how many it rests on; `supported` is false where they are too few to find any pillar, and
 * `frozen` says nothing. *text is malloc'ed, the caller's. LES_FAILED for an architecture that is not known.
 */
les_status les_freeze_json(const les_sensitivity *s, char **text);

#endif
