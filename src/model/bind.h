/* From a configuration and a table of tensors to a les_model: every tensor by its role, its shape checked. */
#ifndef LES_MODEL_BIND_H
#define LES_MODEL_BIND_H

#include "model/config.h"
#include "model/model.h"

/* Memory that a model owns beside its mapped files. */
typedef struct les_owned {
  void **items;
  int n;
} les_owned;

/* n zeroed elements that live until les_owned_free; NULL if there is no memory. */
void *les_owned_alloc(les_owned *o, size_t n, size_t size);
void les_owned_free(les_owned *o);

/* Fills shape, matrices, norms, layers and rope tables of *m. hub: tensors are named and laid out as in
 * safetensors files. A tensor that is missing, of another shape or type, or that has no place in the
 * architecture is an error that names it. What is not in the mapped files goes to `owned`. */
les_status les_model_bind(les_model *m, const les_config *c, const les_tensors *tensors, bool hub,
                          les_owned *owned);

#endif
