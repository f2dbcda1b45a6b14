#include "map/contrast.h"

#include "stats/inference.h"

#include <math.h>
#include <stdlib.h>

enum { SEED = 19070121 }; /* of the resampling; any fixed number */

bool les_contrast_holds(const les_contrast *c) {
  return c->n >= LES_FEWEST_PAIRS && c->p_holm <= 0.05;
}

/* The value of a lesion, or of the intact run, on a prompt. */
static double value_of(const les_damage *d, int lesion, int prompt) {
  if (lesion == LES_INTACT) return d->intact ? d->intact[prompt] : NAN;
  return d->values[(size_t)lesion * (size_t)d->result->n_prompts + (size_t)prompt];
}

static int gather_differences(const les_damage *d, int domain, const les_contrast *c, double *out) {
  int n = 0;
  for (int p = 0; p < d->result->n_prompts; p++) {
    double difference = d->sign * (value_of(d, c->a, p) - value_of(d, c->b, p));
    if (isfinite(difference) && (domain < 0 || d->domain_of[p] == domain)) out[n++] = difference;
  }
  return n;
}

les_status les_contrasts_compute(const les_damage *d, int domain, les_contrast *contrasts, int m) {
  size_t width = (size_t)d->result->n_prompts, some = (size_t)m + 1;
  double *values = calloc(some * width, sizeof *values), *p = calloc(2 * some, sizeof *p);
  les_interval *intervals = malloc(some * sizeof *intervals);
  int *n = calloc(some, sizeof *n);
  les_status s =
      values && p && intervals && n ? LES_OK : les_no_memory("%d comparisons of %s", m, d->result->path);
  for (int i = 0; s == LES_OK && i < m; i++)
    n[i] = contrasts[i].n = gather_differences(d, domain, &contrasts[i], values + (size_t)i * width);
  if (s == LES_OK) s = les_bootstrap(values, n, m, (int)width, (uint64_t)(SEED + domain), intervals);
  for (int i = 0; s == LES_OK && i < m; i++) p[i] = intervals[i].p;
  if (s == LES_OK) s = les_holm(p, m, p + some);
  for (int i = 0; s == LES_OK && i < m; i++) {
    contrasts[i].difference = intervals[i];
    contrasts[i].p_holm = p[some + (size_t)i];
  }
  free(n);
  free(intervals);
  free(p);
  free(values);
  return s;
}
