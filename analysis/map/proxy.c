#include "map/proxy.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const measures[] = {"jaccard", "kl_mean", "delta_nll", "acc"};
enum { N_MEASURES = sizeof measures / sizeof *measures };

/* True if `list` holds one number for each layer. */
static bool is_profile(const cJSON *list, int n_layers) {
  const cJSON *item;
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != n_layers) return false;
  cJSON_ArrayForEach(item, list) if (!cJSON_IsNumber(item) && !cJSON_IsNull(item)) return false;
  return true;
}

static les_status add_proxy(les_proxies *p, const char *name, const cJSON *list, int n_layers,
                            const char *path) {
  les_proxy *proxy = &p->items[p->n++];
  const cJSON *item;
  int n = 0;
  proxy->name = strdup(name);
  proxy->values = calloc((size_t)n_layers, sizeof *proxy->values);
  if (!proxy->name || !proxy->values) return les_no_memory("the proxies of %s", path);
  cJSON_ArrayForEach(item, list) proxy->values[n++] = cJSON_IsNumber(item) ? item->valuedouble : NAN;
  return LES_OK;
}

static les_status read_proxies(les_proxies *p, const cJSON *doc, int n_layers, const char *path) {
  const cJSON *item;
  p->items = calloc((size_t)cJSON_GetArraySize(doc) + 1, sizeof *p->items);
  if (!p->items) return les_no_memory("the proxies of %s", path);
  cJSON_ArrayForEach(item, doc) {
    const cJSON *list = cJSON_IsArray(item) && cJSON_IsArray(item->child) ? item->child : item;
    if (item->string && is_profile(list, n_layers)) LES_TRY(add_proxy(p, item->string, list, n_layers, path));
  }
  if (p->n > 0) return LES_OK;
  return les_fail(LES_FAILED,
                  "%s: holds no list of %d numbers, one for each layer; give what `lesion importance --json` "
                  "prints of this model",
                  path, n_layers);
}

/* Mean damage by a measure of each lesion of the profile; NaN where there is none. */
static les_status mean_damage(const les_damage *d, const char *measure, double *out) {
  const les_result *r = d->result;
  les_cells cells;
  LES_TRY(les_cells_read(&cells, r, les_field_find(measure)));
  for (int i = 0; i < d->n_profile; i++) {
    double sum = 0;
    int n = 0;
    for (int p = 0; p < r->n_prompts; p++) {
      double value = cells.values[(size_t)d->profile[i] * (size_t)r->n_prompts + (size_t)p];
      if (isnan(value)) continue;
      sum += value;
      n++;
    }
    out[i] = n ? cells.field->damage * sum / n : NAN;
  }
  les_cells_free(&cells);
  return LES_OK;
}

/* Correlates every proxy with one measure; x and y are scratch (n_profile). */
static les_status correlate(les_proxies *p, const les_damage *d, const char *measure, double *x, double *y) {
  LES_TRY(mean_damage(d, measure, y));
  for (int k = 0; k < p->n; k++) {
    les_correlation *c = &p->correlations[p->n_correlations++];
    *c = (les_correlation){.proxy = k, .measure = measure, .n = d->n_profile};
    for (int i = 0; i < d->n_profile; i++) x[i] = p->items[k].values[d->result->lesion_layers[d->profile[i]]];
    LES_TRY(les_spearman(x, y, d->n_profile, &c->spearman));
    LES_TRY(les_kendall(x, y, d->n_profile, &c->kendall));
  }
  return LES_OK;
}

static les_status correct(les_proxies *p, const char *path) {
  size_t n = (size_t)p->n_correlations;
  double *values = calloc(2 * n + 1, sizeof *values);
  if (!values) return les_no_memory("the proxies of %s", path);
  for (size_t i = 0; i < n; i++) values[i] = p->correlations[i].spearman.p;
  les_status s = les_holm(values, p->n_correlations, values + n);
  for (size_t i = 0; s == LES_OK && i < n; i++) p->correlations[i].p_holm = values[n + i];
  free(values);
  return s;
}

static les_status correlate_all(les_proxies *p, const les_damage *d, const char *path) {
  double *x = calloc(2 * (size_t)d->n_profile + 1, sizeof *x);
  p->correlations = calloc((size_t)p->n * N_MEASURES, sizeof *p->correlations);
  les_status s = x && p->correlations ? LES_OK : les_no_memory("the proxies of %s", path);
  for (int i = 0; i < N_MEASURES && s == LES_OK; i++)
    if (les_result_has(d->result, measures[i])) s = correlate(p, d, measures[i], x, x + d->n_profile);
  if (s == LES_OK) s = correct(p, path);
  free(x);
  return s;
}

les_status les_proxies_compute(les_proxies *out, const char *path, const les_damage *d) {
  cJSON *doc;
  *out = (les_proxies){0};
  LES_TRY(les_json_read(&doc, path));
  les_status s = read_proxies(out, doc, d->result->n_layers, path);
  if (s == LES_OK) s = correlate_all(out, d, path);
  if (s != LES_OK) les_proxies_free(out);
  cJSON_Delete(doc);
  return s;
}

void les_proxies_free(les_proxies *p) {
  for (int i = 0; i < p->n; i++) {
    free(p->items[i].name);
    free(p->items[i].values);
  }
  free(p->items);
  free(p->correlations);
  *p = (les_proxies){0};
}
