/* A model's configuration, what a les_model needs beside its tensors, in one form for GGUF metadata and
 * config.json. */
#ifndef LES_MODEL_CONFIG_H
#define LES_MODEL_CONFIG_H

#include "base/status.h"
#include "model/arch.h"
#include "model/rope.h"

typedef struct les_config {
  const les_arch *arch;
  char *name;            /* NULL: none given */
  les_hparams hparams;   /* n_vocab 0: as many as the token embedding has rows */
  int window;            /* positions that a sliding layer sees; 0: there are no such layers */
  bool *sliding;         /* (n_layers) */
  les_rope_spec rope[2]; /* [0] full attention, [1] sliding windows; equal but for Gemma 3 */
  unsigned biases;       /* bit 1 << les_linear_id: must have a bias */
  bool tied;             /* without an output matrix in the files, it is the token embedding */
  int32_t *eos;          /* (n_eos) */
  int n_eos;
} les_config;

/* Sets `sliding` by the architecture's pattern if c->window is set; `period` replaces the pattern's unless it
 * is 0. */
void les_config_set_windows(les_config *c, int period);

/* The end of both readers: checks ranges and relations of the numbers (KV heads divide heads, rope pairs fit
 * the head, ...), fills in what follows from others, and allocates `sliding` (all false). A model has at
 * least one tensor a layer: max_layers bounds what is allocated. */
les_status les_config_finish(les_config *c, int max_layers);

/* Adds an end token, once. */
les_status les_config_add_eos(les_config *c, int64_t token);

void les_config_free(les_config *c);

#endif
