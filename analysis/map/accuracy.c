#include "map/accuracy.h"

#include <math.h>
#include <stdlib.h>

static les_accuracy compare(const les_cells *cells, int lesion) {
  les_accuracy a = {.p_holm = NAN};
  int before = 0, after = 0;
  for (int p = 0; p < cells->n_prompts; p++) {
    double value = cells->values[(size_t)lesion * (size_t)cells->n_prompts + (size_t)p];
    if (isnan(cells->intact[p]) || isnan(value)) continue;
    bool was = cells->intact[p] > 0.5, is = value > 0.5;
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
  les_cells cells;
  *out = NULL;
  if (!les_result_has(r, "acc")) return LES_OK;
  LES_TRY(les_cells_read(&cells, r, LES_FIELD_ACC));
  *out = calloc((size_t)r->n_lesions, sizeof **out);
  les_status s = *out ? LES_OK : les_no_memory("accuracies of %s", r->path);
  for (int i = 0; s == LES_OK && i < r->n_lesions; i++) (*out)[i] = compare(&cells, i);
  if (s == LES_OK) s = correct(*out, d);
  if (s != LES_OK) {
    free(*out);
    *out = NULL;
  }
  les_cells_free(&cells);
  return s;
}
