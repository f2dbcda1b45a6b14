#include "map/removal.h"

#include <math.h>
#include <stdlib.h>

enum {
  SEED = 19870315,    /* of the resampling; any fixed number */
  FEWEST_PROMPTS = 10 /* the far tails that the bound needs cannot be had from fewer */
};

/* The mean, if as much damage as can be had without showing in n prompts has not been seen: with the chance
 * `tail`, none of them comes from a share of 1 - tail^(1/n) of all prompts, on which all may be lost. */
static double unseen(const double *damage, int n, double most, double tail) {
  double largest = -INFINITY;
  for (int i = 0; i < n; i++) largest = fmax(largest, damage[i]);
  if (n == 0 || isinf(most)) return -INFINITY;
  return les_mean(damage, n) + (most - largest) * (1 - pow(tail, 1.0 / n));
}

/* Upper bounds of the profile's damage. */
static les_status find_bounds(les_removal *out, const les_damage *d) {
  int width = d->result->n_prompts, m = d->n_profile;
  double *values = calloc((size_t)m * (size_t)width + 1, sizeof *values);
  int *n = calloc((size_t)m + 1, sizeof *n);
  les_interval *intervals = calloc((size_t)m + 1, sizeof *intervals);
  les_range range = les_cells_damage_range(&d->cells);
  double tail = 0.05 / fmax(1, m);
  les_status s = values && n && intervals ? LES_OK : les_no_memory("the damage of %s", d->result->path);
  for (int i = 0; s == LES_OK && i < m; i++)
    for (int p = 0; p < width; p++) {
      double damage = les_cells_damage(&d->cells, d->profile[i], p);
      if (isfinite(damage) && d->domain_of[p] >= 0)
        values[(size_t)i * (size_t)width + (size_t)n[i]++] = damage;
    }
  if (s == LES_OK)
    s = les_bootstrap(values, n, m, width, (les_bounds){tail, range.low, range.high}, SEED, intervals);
  for (int i = 0; s == LES_OK && i < m; i++) {
    double least = unseen(values + (size_t)i * (size_t)width, n[i], range.high, tail);
    out->upper[d->profile[i]] = n[i] < FEWEST_PROMPTS ? NAN : fmax(least, intervals[i].high);
  }
  free(intervals);
  free(n);
  free(values);
  return s;
}

les_status les_removal_compute(les_removal *out, const les_damage *d, double margin) {
  int n_lesions = d->result->n_lesions;
  *out = (les_removal){.margin = margin > 0 ? margin : d->cells.field->margin};
  if (out->margin <= 0) out->margin = NAN;
  out->upper = malloc((size_t)n_lesions * sizeof *out->upper);
  out->lesions = calloc((size_t)d->n_profile + 1, sizeof *out->lesions);
  les_status s = out->upper && out->lesions ? LES_OK : les_no_memory("the damage of %s", d->result->path);
  for (int i = 0; s == LES_OK && i < n_lesions; i++) out->upper[i] = NAN;
  if (s == LES_OK) s = find_bounds(out, d);
  if (s != LES_OK) {
    les_removal_free(out);
    return s;
  }
  int n = les_damage_rank(d, -1, out->lesions);
  for (int i = 0, k = n - 1; i < k; i++, k--) { /* least damage first */
    int t = out->lesions[i];
    out->lesions[i] = out->lesions[k];
    out->lesions[k] = t;
  }
  for (int i = 0; i < n; i++)
    if (out->upper[out->lesions[i]] < out->margin && !d->all[out->lesions[i]].lost)
      out->lesions[out->n++] = out->lesions[i];
  return LES_OK;
}

void les_removal_free(les_removal *r) {
  free(r->upper);
  free(r->lesions);
  *r = (les_removal){0};
}
