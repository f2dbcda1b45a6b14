/* The plans of a set of lesions, made when first needed and kept while there is memory for them. */
#ifndef LES_LESION_PLAN_CACHE_H
#define LES_LESION_PLAN_CACHE_H

#include "lesion/lesion_plan.h"

typedef struct les_plan_cache les_plan_cache;

/* All arguments are borrowed. */
les_status les_plan_cache_open(les_plan_cache **out, const les_model *model, const les_lesions *lesions,
                               const les_means *means, int threads);
void les_plan_cache_close(les_plan_cache **p);

/* Bytes that taking lesion i would add: 0 if its plan is there. */
size_t les_plan_cache_cost(const les_plan_cache *p, int i);

/* The plan of lesion i, made if needed; kept in memory until it is given back. */
les_status les_plan_cache_take(les_plan_cache *p, int i, const les_lesion_plan **lesion_plan);
void les_plan_cache_give_back(les_plan_cache *p, int i);

/* Drops plans that nobody holds, the longest unused first, until at most `bytes` are held or all are in use.
 */
void les_plan_cache_trim(les_plan_cache *p, size_t bytes);

size_t les_plan_cache_bytes(const les_plan_cache *p);

#endif
