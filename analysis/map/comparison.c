#include "map/comparison.h"

#include <stdlib.h>

/* Compares the lesion at one end of the ranking with every other one. */
static les_status find_extreme(les_extreme *out, const les_damage *d, const int *order, int n, int place) {
  *out = (les_extreme){.lesion = n > 0 ? order[place] : -1};
  if (n == 0) return LES_OK;
  les_contrast *others = calloc((size_t)d->n_profile + 1, sizeof *others);
  out->tied = calloc((size_t)d->n_profile + 1, sizeof *out->tied);
  les_status s =
      others && out->tied ? LES_OK : les_no_memory("the comparison of lesions of %s", d->result->path);
  int m = 0;
  for (int i = 0; s == LES_OK && i < n; i++)
    if (i != place) others[m++] = (les_contrast){.a = out->lesion, .b = order[i]};
  if (s == LES_OK) s = les_contrasts_compute(d, -1, others, m);
  for (int i = 0; s == LES_OK && i < m; i++)
    if (!les_contrast_holds(&others[i])) out->tied[out->n_tied++] = others[i].b;
  free(others);
  return s;
}

static les_status find_candidates(les_comparison *c, const les_damage *d) {
  const les_extreme *e = &c->least;
  c->candidates = calloc((size_t)c->n_ranked + 1, sizeof *c->candidates);
  if (!c->candidates) return les_no_memory("the comparison of lesions of %s", d->result->path);
  for (int i = 0; i < e->n_tied; i++)
    if (e->tied[i] == c->most.lesion) return LES_OK;
  if (c->n_ranked < 2) return LES_OK;
  c->candidates[c->n_candidates++] = e->lesion;
  for (int i = e->n_tied; i-- > 0;) c->candidates[c->n_candidates++] = e->tied[i];
  return LES_OK;
}

static les_status compare_neighbours(les_comparison *c, const les_damage *d, const int *order) {
  c->neighbours = calloc((size_t)c->n_ranked + 1, sizeof *c->neighbours);
  if (!c->neighbours) return les_no_memory("the comparison of lesions of %s", d->result->path);
  for (int i = 0; i + 1 < c->n_ranked; i++)
    c->neighbours[i] = (les_contrast){.a = order[i], .b = order[i + 1]};
  return les_contrasts_compute(d, -1, c->neighbours, c->n_ranked > 0 ? c->n_ranked - 1 : 0);
}

static les_status compare_firsts(les_comparison *c, const les_damage *d, int *order) {
  c->firsts = calloc((size_t)d->n_domains + 1, sizeof *c->firsts);
  if (!c->firsts) return les_no_memory("the comparison of lesions of %s", d->result->path);
  for (int k = 0; k < d->n_domains; k++) {
    if (les_damage_rank(d, k, order) < 2) continue;
    c->firsts[k] = (les_contrast){.a = order[0], .b = order[1]};
    LES_TRY(les_contrasts_compute(d, k, &c->firsts[k], 1));
  }
  return LES_OK;
}

static les_status compare_with_intact(les_comparison *c, const les_damage *d) {
  int n = d->result->n_lesions;
  if (!d->intact) return LES_OK;
  c->versus = calloc((size_t)n, sizeof *c->versus);
  if (!c->versus) return les_no_memory("the comparison of lesions of %s", d->result->path);
  for (int i = 0; i < n; i++) c->versus[i] = (les_contrast){.a = i, .b = LES_INTACT};
  LES_TRY(les_contrasts_compute(d, -1, c->versus, n));
  double *p = malloc(2 * (size_t)n * sizeof *p);
  if (!p) return les_no_memory("the comparison of lesions of %s", d->result->path);
  for (int i = 0; i < n; i++) p[i] = c->versus[i].difference.p;
  les_status s = les_damage_holm(d, p, p + n);
  for (int i = 0; i < n && s == LES_OK; i++) c->versus[i].p_holm = p[n + i];
  free(p);
  return s;
}

les_status les_comparison_compute(les_comparison *out, const les_damage *d) {
  *out = (les_comparison){0};
  int *order = malloc(((size_t)d->n_profile + 1) * sizeof *order);
  if (!order) return les_no_memory("the comparison of lesions of %s", d->result->path);
  out->n_ranked = les_damage_rank(d, -1, order);
  les_status s;
  LES_GOTO(s, find_extreme(&out->most, d, order, out->n_ranked, 0), end);
  LES_GOTO(s, find_extreme(&out->least, d, order, out->n_ranked, out->n_ranked - 1), end);
  LES_GOTO(s, find_candidates(out, d), end);
  LES_GOTO(s, compare_neighbours(out, d, order), end);
  LES_GOTO(s, compare_firsts(out, d, order), end);
  LES_GOTO(s, compare_with_intact(out, d), end);
end:
  if (s != LES_OK) les_comparison_free(out);
  free(order);
  return s;
}

void les_comparison_free(les_comparison *c) {
  free(c->most.tied);
  free(c->least.tied);
  free(c->candidates);
  free(c->neighbours);
  free(c->firsts);
  free(c->versus);
  *c = (les_comparison){0};
}
