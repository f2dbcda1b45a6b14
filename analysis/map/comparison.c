#include "map/comparison.h"

#include <stdlib.h>

/* Compares the lesion at one end of the ranking with every other one. */
static les_status find_extreme(les_extreme *out, const les_damage *d, double family, const int *order, int n,
                               int place) {
  *out = (les_extreme){.lesion = n > 0 ? order[place] : -1};
  if (n == 0) return LES_OK;
  les_contrast *others = calloc((size_t)d->n_profile + 1, sizeof *others);
  out->tied = calloc((size_t)d->n_profile + 1, sizeof *out->tied);
  les_status s =
      others && out->tied ? LES_OK : les_no_memory("the comparison of lesions of %s", d->result->path);
  int m = 0;
  for (int i = 0; s == LES_OK && i < n; i++)
    if (i != place) others[m++] = (les_contrast){.a = out->lesion, .b = order[i]};
  if (s == LES_OK) s = les_contrasts_compute(d, -1, family, others, m);
  for (int i = 0; s == LES_OK && i < m; i++)
    if (!les_contrast_holds(&others[i])) out->tied[out->n_tied++] = others[i].b;
  free(others);
  return s;
}

static les_status compare_neighbours(les_comparison *c, const les_damage *d, const int *order) {
  c->neighbours = calloc((size_t)c->n_ranked + 1, sizeof *c->neighbours);
  if (!c->neighbours) return les_no_memory("the comparison of lesions of %s", d->result->path);
  for (int i = 0; i + 1 < c->n_ranked; i++)
    c->neighbours[i] = (les_contrast){.a = order[i], .b = order[i + 1]};
  return les_contrasts_compute(d, -1, c->family, c->neighbours, c->n_ranked > 0 ? c->n_ranked - 1 : 0);
}

static les_status compare_firsts(les_comparison *c, const les_damage *d, int *order) {
  c->firsts = calloc((size_t)d->n_domains + 1, sizeof *c->firsts);
  if (!c->firsts) return les_no_memory("the comparison of lesions of %s", d->result->path);
  for (int k = 0; k < d->n_domains; k++) {
    if (les_damage_rank(d, k, order) < 2) continue;
    c->firsts[k] = (les_contrast){.a = order[0], .b = order[1]};
    LES_TRY(les_contrasts_compute(d, k, c->family * d->n_domains, &c->firsts[k], 1));
  }
  return LES_OK;
}

/* Tests the family of lesion i against the intact run; scratch (n_lesions). */
static les_status compare_family(les_comparison *c, const les_damage *d, int i, les_contrast *scratch) {
  int m = 0;
  for (int k = 0; k < d->result->n_lesions; k++)
    if (les_damage_same_family(d, i, k)) scratch[m++] = (les_contrast){.a = k, .b = LES_INTACT};
  LES_TRY(les_contrasts_compute(d, -1, m, scratch, m));
  for (int k = 0; k < m; k++) c->versus[scratch[k].a] = scratch[k];
  return LES_OK;
}

static les_status compare_with_intact(les_comparison *c, const les_damage *d) {
  int n = d->result->n_lesions;
  if (!d->cells.intact) return LES_OK;
  c->versus = calloc((size_t)n, sizeof *c->versus);
  les_contrast *scratch = calloc((size_t)n, sizeof *scratch);
  double *p = malloc(2 * (size_t)n * sizeof *p);
  les_status s =
      c->versus && scratch && p ? LES_OK : les_no_memory("the comparison of lesions of %s", d->result->path);
  for (int i = 0; s == LES_OK && i < n; i++) {
    bool first = true;
    for (int k = 0; k < i; k++) first = first && !les_damage_same_family(d, i, k);
    if (first) s = compare_family(c, d, i, scratch);
  }
  for (int i = 0; s == LES_OK && i < n; i++) p[i] = c->versus[i].p;
  if (s == LES_OK) s = les_damage_holm(d, p, p + n);
  for (int i = 0; i < n && s == LES_OK; i++) c->versus[i].p_family = p[n + i];
  free(p);
  free(scratch);
  return s;
}

les_status les_comparison_compute(les_comparison *out, const les_damage *d) {
  *out = (les_comparison){0};
  int *order = malloc(((size_t)d->n_profile + 1) * sizeof *order);
  if (!order) return les_no_memory("the comparison of lesions of %s", d->result->path);
  out->n_ranked = les_damage_rank(d, -1, order);
  out->family = out->n_ranked * (out->n_ranked - 1.0) / 2;
  les_status s;
  LES_GOTO(s, find_extreme(&out->most, d, out->family, order, out->n_ranked, 0), end);
  LES_GOTO(s, find_extreme(&out->least, d, out->family, order, out->n_ranked, out->n_ranked - 1), end);
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
  free(c->neighbours);
  free(c->firsts);
  free(c->versus);
  *c = (les_comparison){0};
}
