/* Binds tensors to their roles in a les_model, by name, and checks their shapes. */
#ifndef LES_MODEL_BIND_H
#define LES_MODEL_BIND_H

#include "model/config.h"
#include "model/model.h"

/* Memory that a model owns beside its mapped files. */
typedef struct les_owned {
  void **items;
  int n;
} les_owned;

/* n zeroed elements that live until les_owned_free; NULL: out of memory. */
void *les_owned_alloc(les_owned *o, size_t n, size_t size);
void les_owned_free(les_owned *o);

/* Fills hyperparameters, matrices, norms, layers and rope tables of *m. hub: tensors are named and laid out
 * as in safetensors files, else as in GGUF. A tensor that is missing, has another shape or a type that cannot
 * be read, or has no role in the architecture is an error that names it. Converted copies go to `owned`. */
les_status les_model_bind(les_model *m, const les_config *c, const les_tensors *tensors, bool hub,
                          les_owned *owned);

#endif
