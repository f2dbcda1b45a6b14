/* The description of a made-up model. */
#ifndef LES_SYNTH_SYNTH_SPEC_H
#define LES_SYNTH_SYNTH_SPEC_H

#include "model/config.h"

typedef struct les_synth {
  const les_config *config; /* finished, with n_vocab; c->sliding as les_config_set_windows makes it */
  les_dtype type;           /* of matrices; in safetensors files of all tensors */
  uint64_t seed;
  const char *vocab; /* a GGUF file whose vocabulary is copied, or a tokenizer.json for a folder; NULL: one is
                        made up */
  bool sparse;       /* leave the weights out: a sparse file of the full size that takes no space on disk */
} les_synth;

#endif
