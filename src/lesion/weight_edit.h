/* The parameters that a lesion replaces in a model, and the memory behind them. */
#ifndef LES_LESION_WEIGHT_EDIT_H
#define LES_LESION_WEIGHT_EDIT_H

#include "lesion/lesion.h"
#include "model/model.h"

/* Replaced parameters of one lesion. Replaced matrices are f32 copies. Those that are 0 throughout share one
 * mapping of zero pages, which takes no memory, and those that an edit leaves as they are (svd at full rank)
 * stay the model's own. */
typedef struct les_weight_edit les_weight_edit;

/* Bytes that les_weight_edit_open allocates. */
size_t les_weight_edit_bytes(const les_model *model, const les_lesion *lesion);

/* Memory for all that `lesion` replaces; nothing is replaced yet. */
les_status les_weight_edit_open(les_weight_edit **out, const les_model *model, const les_lesion *lesion,
                                int threads);
void les_weight_edit_close(les_weight_edit **weight_edit);

/* Applies an edit of the lesion (zero, reinit, noise, svd or quant) to layer number l: `layer` points to the
 * replaced parameters afterwards, which live as long as `weight_edit`. Edits of the same matrix compose. */
les_status les_weight_edit_apply(les_weight_edit *weight_edit, const les_edit *edit, int l, les_layer *layer);

#endif
