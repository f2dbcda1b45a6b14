#include "map/verdict.h"

#include <stdlib.h>

static les_status no_memory(const les_damage *d) {
  return les_fail(LES_FAILED, "%s: out of memory for the comparison of layers", d->result->path);
}

/* Compares the lesion at one end of the ranking with every other one. */
static les_status find_extreme(les_extreme *out, const les_damage *d, const int *order, int n, int place) {
  *out = (les_extreme){.lesion = n > 0 ? order[place] : -1};
  if (n == 0) return LES_OK;
  les_contrast *others = calloc((size_t)d->n_profile + 1, sizeof *others);
  out->tied = calloc((size_t)d->n_profile + 1, sizeof *out->tied);
  les_status s = others && out->tied ? LES_OK : no_memory(d);
  int m = 0;
  for (int i = 0; s == LES_OK && i < n; i++)
    if (i != place) others[m++] = (les_contrast){.a = out->lesion, .b = order[i]};
  if (s == LES_OK) s = les_contrasts_make(d, -1, others, m);
  for (int i = 0; s == LES_OK && i < m; i++)
    if (!les_contrast_holds(&others[i])) out->tied[out->n_tied++] = others[i].b;
  free(others);
  return s;
}

static les_status find_candidates(les_verdict *v, const les_damage *d) {
  const les_extreme *e = &v->least;
  v->candidates = calloc((size_t)v->n_ranked + 1, sizeof *v->candidates);
  if (!v->candidates) return no_memory(d);
  for (int i = 0; i < e->n_tied; i++)
    if (e->tied[i] == v->most.lesion) return LES_OK;
  if (v->n_ranked < 2) return LES_OK;
  v->candidates[v->n_candidates++] = e->lesion;
  for (int i = e->n_tied; i-- > 0;) v->candidates[v->n_candidates++] = e->tied[i];
  return LES_OK;
}

static les_status compare_neighbours(les_verdict *v, const les_damage *d, const int *order) {
  v->neighbours = calloc((size_t)v->n_ranked + 1, sizeof *v->neighbours);
  if (!v->neighbours) return no_memory(d);
  for (int i = 0; i + 1 < v->n_ranked; i++)
    v->neighbours[i] = (les_contrast){.a = order[i], .b = order[i + 1]};
  return les_contrasts_make(d, -1, v->neighbours, v->n_ranked > 0 ? v->n_ranked - 1 : 0);
}

static les_status compare_firsts(les_verdict *v, const les_damage *d, int *order) {
  v->firsts = calloc((size_t)d->n_domains + 1, sizeof *v->firsts);
  if (!v->firsts) return no_memory(d);
  for (int k = 0; k < d->n_domains; k++) {
    if (les_damage_rank(d, k, order) < 2) continue;
    v->firsts[k] = (les_contrast){.a = order[0], .b = order[1]};
    LES_TRY(les_contrasts_make(d, k, &v->firsts[k], 1));
  }
  return LES_OK;
}

static les_status compare_with_intact(les_verdict *v, const les_damage *d) {
  int n = d->result->n_lesions;
  if (!d->intact) return LES_OK;
  v->versus = calloc((size_t)n, sizeof *v->versus);
  if (!v->versus) return no_memory(d);
  for (int i = 0; i < n; i++) v->versus[i] = (les_contrast){.a = i, .b = LES_INTACT};
  LES_TRY(les_contrasts_make(d, -1, v->versus, n));
  double *p = malloc(2 * (size_t)n * sizeof *p);
  if (!p) return no_memory(d);
  for (int i = 0; i < n; i++) p[i] = v->versus[i].difference.p;
  les_status s = les_damage_holm(d, p, p + n);
  for (int i = 0; i < n && s == LES_OK; i++) v->versus[i].p_holm = p[n + i];
  free(p);
  return s;
}

les_status les_verdict_make(les_verdict *out, const les_damage *d) {
  *out = (les_verdict){0};
  int *order = malloc(((size_t)d->n_profile + 1) * sizeof *order);
  if (!order) return no_memory(d);
  out->n_ranked = les_damage_rank(d, -1, order);
  les_status s;
  LES_GOTO(s, find_extreme(&out->most, d, order, out->n_ranked, 0), end);
  LES_GOTO(s, find_extreme(&out->least, d, order, out->n_ranked, out->n_ranked - 1), end);
  LES_GOTO(s, find_candidates(out, d), end);
  LES_GOTO(s, compare_neighbours(out, d, order), end);
  LES_GOTO(s, compare_firsts(out, d, order), end);
  LES_GOTO(s, compare_with_intact(out, d), end);
end:
  if (s != LES_OK) les_verdict_free(out);
  free(order);
  return s;
}

void les_verdict_free(les_verdict *v) {
  free(v->most.tied);
  free(v->least.tied);
  free(v->candidates);
  free(v->neighbours);
  free(v->firsts);
  free(v->versus);
  *v = (les_verdict){0};
}
