#include "map/contrast.h"

#include "stats/sign_flip.h"

#include <math.h>
#include <stdlib.h>

enum { SEED = 19350301 }; /* of random signs; any fixed number */

bool les_contrast_holds(const les_contrast *c) {
  return c->p_family <= LES_LEVEL;
}

/* The value of a lesion, or of the intact run, on a prompt. */
static double value_of(const les_damage *d, int lesion, int prompt) {
  if (lesion == LES_INTACT) return d->cells.intact ? d->cells.intact[prompt] : NAN;
  return d->cells.values[(size_t)lesion * (size_t)d->result->n_prompts + (size_t)prompt];
}

static int gather_differences(const les_damage *d, int domain, const les_contrast *c, double *out) {
  int n = 0;
  for (int p = 0; p < d->result->n_prompts; p++) {
    double difference = d->sign * (value_of(d, c->a, p) - value_of(d, c->b, p));
    if (isfinite(difference) && (domain < 0 || d->domain_of[p] == domain)) out[n++] = difference;
  }
  return n;
}

les_status les_contrasts_compute(const les_damage *d, int domain, double family, les_contrast *contrasts,
                                 int m) {
  size_t width = (size_t)d->result->n_prompts, some = (size_t)m + 1;
  double *values = calloc(some * width, sizeof *values), *p = calloc(some, sizeof *p);
  int *n = calloc(some, sizeof *n);
  les_status s = values && p && n ? LES_OK : les_no_memory("%d comparisons of %s", m, d->result->path);
  for (int i = 0; s == LES_OK && i < m; i++) {
    const double *series = values + (size_t)i * width;
    n[i] = contrasts[i].n = gather_differences(d, domain, &contrasts[i], values + (size_t)i * width);
    contrasts[i].difference = les_mean(series, n[i]);
    contrasts[i].error = les_standard_error(series, n[i]);
  }
  if (s == LES_OK) s = les_sign_flip(values, n, m, (int)width, (les_family){family, SEED}, p);
  for (int i = 0; s == LES_OK && i < m; i++) {
    contrasts[i].p = p[i];
    contrasts[i].p_family = isnan(p[i]) ? NAN : fmin(1, p[i] * fmax(1, family));
  }
  free(n);
  free(p);
  free(values);
  return s;
}
