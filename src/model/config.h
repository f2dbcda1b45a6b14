/* A model's configuration in one form, whether it comes from the metadata of a GGUF file or from config.json:
 * what a les_model needs beside its tensors. */
#ifndef LES_MODEL_CONFIG_H
#define LES_MODEL_CONFIG_H

#include "base/status.h"
#include "model/arch.h"
#include "model/rope.h"

typedef struct les_config {
  const les_arch *arch;
  char *name;            /* NULL: none given */
  les_hparams hparams;   /* n_vocab 0: as many as the token embedding has rows */
  int window;            /* of the layers with `sliding`; 0: no layer has one */
  bool *sliding;         /* (n_layers) */
  les_rope_spec rope[2]; /* [0] full attention, [1] sliding windows; equal but for Gemma 3 */
  unsigned biases;       /* bit 1 << les_linear_id: must have a bias */
  bool tied;             /* where the files hold no head, it is the token embedding */
  int32_t *eos;          /* (n_eos) */
  int n_eos;
} les_config;

/* Gives the layers windows, if c->window is set, as the architecture has them, but with another period if
 * `period` is not 0. */
void les_config_set_windows(les_config *c, int period);

/* What both readers end with: checks ranges and relations of the numbers (kv heads divide heads, pairs fit
 * the head, ...), fills what follows from others, and allocates `sliding` (all false). */
les_status les_config_finish(les_config *c, int max_layers);

/* Adds an end token unless it is there. */
les_status les_config_add_eos(les_config *c, int64_t token);

void les_config_free(les_config *c);

#endif
