/* The parameters that a lesion replaces in a model, and the memory behind them. */
#ifndef LES_SURGERY_H
#define LES_SURGERY_H

#include "lesion.h"

/* Replaced parameters of one lesion. Matrices are dense f32; those that are 0 throughout share one mapping of
 * pages that the kernel never has to fill, and those that a stroke leaves as they are (svd at full rank) stay
 * the model's own. */
typedef struct les_surgery les_surgery;

/* Bytes that les_surgery_open allocates. */
size_t les_surgery_bytes(const les_model *model, const les_lesion *lesion);

/* Room for all that `lesion` replaces; nothing is replaced yet. */
les_status les_surgery_open(les_surgery **out, const les_model *model, const les_lesion *lesion, int threads);
void les_surgery_close(les_surgery **surgery);

/* Applies a stroke of the lesion, of zero, reinit, noise, svd or quant, to one of its layers: `layer` points
 * to the replaced parameters afterwards, which live as long as the surgery. Strokes on the same matrix
 * compose. */
les_status les_surgery_apply(les_surgery *surgery, const les_stroke *s, int l, les_layer *layer);

#endif
