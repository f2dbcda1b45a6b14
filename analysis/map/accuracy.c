#include "map/accuracy.h"

#include <math.h>
#include <stdlib.h>

static les_accuracy compare(const les_result *r, const double *intact, const double *values, int lesion) {
  les_accuracy a = {.p_holm = NAN};
  int before = 0, after = 0;
  for (int p = 0; p < r->n_prompts; p++) {
    size_t cell = (size_t)lesion * (size_t)r->n_prompts + (size_t)p;
    if (r->status[cell] != LES_CELL_DONE || isnan(intact[p]) || isnan(values[cell])) continue;
    bool was = intact[p] > 0.5, is = values[cell] > 0.5;
    a.n++;
    before += was;
    after += is;
    a.lost += was && !is;
    a.won += !was && is;
  }
  a.intact = a.n ? (double)before / a.n : NAN;
  a.lesioned = a.n ? (double)after / a.n : NAN;
  a.exact = a.n ? les_mcnemar_exact(a.lost, a.won) : (les_test){NAN, NAN};
  a.chi2 = a.n ? les_mcnemar_chi2(a.lost, a.won) : (les_test){NAN, NAN};
  return a;
}

static les_status correct(les_accuracy *a, const les_damage *d) {
  int n = d->result->n_lesions;
  double *p = malloc(2 * (size_t)n * sizeof *p);
  if (!p) return les_no_memory("%d p-values", n);
  for (int i = 0; i < n; i++) p[i] = a[i].exact.p;
  les_status s = les_damage_holm(d, p, p + n);
  for (int i = 0; s == LES_OK && i < n; i++) a[i].p_holm = p[n + i];
  free(p);
  return s;
}

les_status les_accuracy_compute(les_accuracy **out, const les_damage *d) {
  const les_result *r = d->result;
  *out = NULL;
  double *values = NULL, *intact = NULL;
  if (!les_result_has(r, "acc")) return LES_OK;
  les_status s;
  LES_GOTO(s, les_result_field(r, "acc", &values), end);
  LES_GOTO(s, les_result_baseline(r, "acc", &intact), end);
  *out = calloc((size_t)r->n_lesions, sizeof **out);
  if (!*out) LES_GOTO(s, les_no_memory("accuracies of %s", r->path), end);
  for (int i = 0; i < r->n_lesions; i++) (*out)[i] = compare(r, intact, values, i);
  LES_GOTO(s, correct(*out, d), end);
end:
  if (s != LES_OK) {
    free(*out);
    *out = NULL;
  }
  free(intact);
  free(values);
  return s;
}
