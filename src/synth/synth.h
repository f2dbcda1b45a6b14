/* Models that are made up: random weights in a real file of any supported architecture, hparams, weight type
 * and format, to plan runs and to test with. The same description gives the same bytes. */
#ifndef LES_SYNTH_SYNTH_H
#define LES_SYNTH_SYNTH_H

#include "model/config.h"

typedef struct les_synth {
  const les_config *config; /* finished, with n_vocab; c->sliding as les_config_set_windows makes it */
  les_dtype type;           /* of matrices; in safetensors files of all tensors */
  uint64_t seed;
  const char *vocab; /* a GGUF file whose vocabulary is copied, or a tokenizer.json for a folder; NULL: one is
                        made up */
  bool sparse;       /* leave the weights out: a file of the full size that takes no room on the disk */
} les_synth;

/* Writes a GGUF file if `path` ends with .gguf, else a folder with config.json, tokenizer.json and
 * model.safetensors. Memory does not depend on the model's size. A type, vocabulary or architecture that the
 * format or the shape does not allow is LES_USAGE. */
les_status les_synth_write(const char *path, const les_synth *s);

#endif
