/* The plans of a set of lesions, made when first needed and kept while there is memory for them. */
#ifndef LES_PLANS_H
#define LES_PLANS_H

#include "plan.h"

typedef struct les_plans les_plans;

/* All arguments are borrowed. */
les_status les_plans_open(les_plans **out, const les_model *model, const les_lesions *lesions,
                          const les_means *means, int threads);
void les_plans_close(les_plans **p);

/* Bytes that taking lesion i would add: 0 if its plan is there. */
size_t les_plans_cost(const les_plans *p, int i);

/* The plan of lesion i, made if needed; pinned until given back. */
les_status les_plans_take(les_plans *p, int i, const les_plan **plan);
void les_plans_give_back(les_plans *p, int i);

/* Drops plans that nobody holds, the longest unused first, until at most `bytes` are held or all are in use.
 */
void les_plans_trim(les_plans *p, size_t bytes);

size_t les_plans_bytes(const les_plans *p);
size_t les_plans_peak(const les_plans *p);

#endif
