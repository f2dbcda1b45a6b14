#include "lesion/plan_cache.h"

#include <stdlib.h>

typedef struct entry {
  les_lesion_plan *lesion_plan;
  int users;
  uint64_t used; /* clock of the last give-back */
} entry;

struct les_plan_cache {
  const les_model *model;
  const les_lesions *lesions;
  const les_means *means;
  int threads;
  size_t bytes;
  uint64_t clock;
  entry entries[]; /* (lesions->n) */
};

les_status les_plan_cache_open(les_plan_cache **out, const les_model *model, const les_lesions *lesions,
                               const les_means *means, int threads) {
  les_plan_cache *p = calloc(1, sizeof *p + (size_t)lesions->n * sizeof p->entries[0]);
  *out = p;
  if (!p) return les_no_memory("the plans of %d lesions", lesions->n);
  p->model = model;
  p->lesions = lesions;
  p->means = means;
  p->threads = threads;
  return LES_OK;
}

void les_plan_cache_close(les_plan_cache **p) {
  if (!*p) return;
  for (int i = 0; i < (*p)->lesions->n; i++) les_lesion_plan_close(&(*p)->entries[i].lesion_plan);
  free(*p);
  *p = NULL;
}

size_t les_plan_cache_cost(const les_plan_cache *p, int i) {
  return p->entries[i].lesion_plan ? 0 : les_lesion_plan_bytes(p->model, &p->lesions->items[i]);
}

les_status les_plan_cache_take(les_plan_cache *p, int i, const les_lesion_plan **lesion_plan) {
  entry *e = &p->entries[i];
  *lesion_plan = NULL;
  if (!e->lesion_plan) {
    LES_TRY(les_lesion_plan_open(&e->lesion_plan, p->model, &p->lesions->items[i], p->means, p->threads));
    p->bytes += e->lesion_plan->bytes;
  }
  e->users++;
  *lesion_plan = e->lesion_plan;
  return LES_OK;
}

void les_plan_cache_give_back(les_plan_cache *p, int i) {
  p->entries[i].users--;
  p->entries[i].used = ++p->clock;
}

void les_plan_cache_trim(les_plan_cache *p, size_t bytes) {
  while (p->bytes > bytes) {
    entry *oldest = NULL;
    for (int i = 0; i < p->lesions->n; i++) {
      entry *e = &p->entries[i];
      if (e->lesion_plan && e->users == 0 && e->lesion_plan->bytes > 0 && (!oldest || e->used < oldest->used))
        oldest = e;
    }
    if (!oldest) return;
    p->bytes -= oldest->lesion_plan->bytes;
    les_lesion_plan_close(&oldest->lesion_plan);
  }
}

size_t les_plan_cache_bytes(const les_plan_cache *p) {
  return p->bytes;
}
