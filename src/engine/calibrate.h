/* Calibration: mean contributions of the parts of a model over a text, which `mean` lesions put in the place
 * of the parts' own. */
#ifndef LES_ENGINE_CALIBRATE_H
#define LES_ENGINE_CALIBRATE_H

#include "engine/activations.h"
#include "lesion/lesion_plan.h"

/* Means over all tokens of the passages, weighted; sums in double and in one order. Not all weights may be 0.
 */
les_status les_means_compute(les_means **out, const les_model *model, const les_passage *passages, int n,
                             les_compute compute, int threads);
void les_means_free(les_means **means);

#endif
