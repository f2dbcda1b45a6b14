#include "map/map_json.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>

enum { MAP_VERSION = 1 };

static void add_number(cJSON *object, const char *name, double value) {
  cJSON_AddItemToObject(object, name, les_json_number(value));
}

static void add_estimate(cJSON *object, const les_estimate *e) {
  add_number(object, "mean", e->interval.mean);
  cJSON *bounds = cJSON_AddArrayToObject(object, "ci95");
  cJSON_AddItemToArray(bounds, les_json_number(e->interval.low));
  cJSON_AddItemToArray(bounds, les_json_number(e->interval.high));
}

static void add_model(cJSON *doc, const les_result *r) {
  cJSON *model = cJSON_AddObjectToObject(doc, "model");
  cJSON_AddStringToObject(model, "name", r->model_name);
  cJSON_AddStringToObject(model, "sha256", r->model_sha256);
  cJSON_AddStringToObject(model, "architecture", r->arch);
  cJSON_AddNumberToObject(model, "layers", r->n_layers);
}

static void add_run(cJSON *doc, const les_map *m) {
  cJSON *run = cJSON_AddObjectToObject(doc, "run");
  cJSON_AddNumberToObject(run, "prompts", m->result->n_prompts);
  cJSON_AddNumberToObject(run, "max_new_tokens", m->result->max_new_tokens);
  if (m->result->samples > 1) cJSON_AddNumberToObject(run, "samples", m->result->samples);
  cJSON_AddStringToObject(run, "measure", m->damage->measure);
  cJSON_AddStringToObject(run, "result_sha256", m->result_sha256);
  cJSON_AddStringToObject(run, "compute", m->result->compute);
  if (m->damage->family)
    cJSON_AddStringToObject(run, "lesions", m->damage->family);
  else
    cJSON_AddNullToObject(run, "lesions");
  cJSON *cells = cJSON_AddObjectToObject(run, "cells");
  cJSON_AddNumberToObject(cells, "total", (double)m->total);
  cJSON_AddNumberToObject(cells, "done", (double)m->done);
  cJSON_AddNumberToObject(cells, "failed", (double)m->failed);
}

static void add_contrast(cJSON *object, const les_contrast *c) {
  cJSON_AddNumberToObject(object, "n", c->n);
  add_number(object, "difference", c->difference.mean);
  cJSON *bounds = cJSON_AddArrayToObject(object, "ci95");
  cJSON_AddItemToArray(bounds, les_json_number(c->difference.low));
  cJSON_AddItemToArray(bounds, les_json_number(c->difference.high));
  add_number(object, "p", c->difference.p);
  add_number(object, "p_holm", c->p_holm);
}

static void add_accuracy(cJSON *entry, const les_accuracy *a) {
  cJSON *object = cJSON_AddObjectToObject(entry, "accuracy");
  cJSON_AddNumberToObject(object, "n", a->n);
  add_number(object, "intact", a->intact);
  add_number(object, "lesioned", a->lesioned);
  cJSON_AddNumberToObject(object, "lost", a->lost);
  cJSON_AddNumberToObject(object, "won", a->won);
  add_number(object, "mcnemar_p", a->exact.p);
  add_number(object, "mcnemar_p_holm", a->p_holm);
  add_number(object, "mcnemar_chi2", a->chi2.statistic);
  add_number(object, "mcnemar_chi2_p", a->chi2.p);
}

static void add_labels(cJSON *entry, const les_label_counts *c) {
  cJSON *object = cJSON_AddObjectToObject(entry, "labels");
  for (int i = LES_LABEL_INTACT; i < LES_N_LABELS; i++)
    cJSON_AddNumberToObject(object, les_label_name((les_label)i), c->of[i]);
}

static cJSON *describe_lesion(const les_map *m, int i) {
  const les_damage *d = m->damage;
  cJSON *entry = cJSON_CreateObject();
  const char *zone = les_map_zone(m, i);
  cJSON_AddNumberToObject(entry, "layer", les_map_layer(m, i));
  cJSON_AddStringToObject(entry, "lesion", m->result->lesion_specs[i]);
  add_estimate(entry, &d->all[i]);
  if (zone)
    cJSON_AddStringToObject(entry, "zone", zone);
  else
    cJSON_AddNullToObject(entry, "zone");
  cJSON_AddNumberToObject(entry, "n", d->all[i].n);
  cJSON_AddNumberToObject(entry, "lost", d->all[i].lost);
  cJSON *domains = cJSON_AddObjectToObject(entry, "domains");
  for (int k = 0; k < d->n_domains; k++) {
    const les_estimate *e = les_damage_estimate(d, i, k);
    cJSON *part = cJSON_AddObjectToObject(domains, d->domains[k]);
    add_estimate(part, e);
    cJSON_AddNumberToObject(part, "n", e->n);
  }
  if (m->comparison.versus)
    add_contrast(cJSON_AddObjectToObject(entry, "versus_intact"), &m->comparison.versus[i]);
  if (m->accuracy) add_accuracy(entry, &m->accuracy[i]);
  if (m->labels) add_labels(entry, &m->labels[i]);
  return entry;
}

/* Adds the layers of the profile as a list, most damaging first; order is scratch (n_profile). */
static void add_ranking(cJSON *object, const char *name, const les_map *m, int domain, int *order) {
  cJSON *list = cJSON_AddArrayToObject(object, name);
  int n = les_damage_rank(m->damage, domain, order);
  for (int i = 0; i < n; i++) cJSON_AddItemToArray(list, cJSON_CreateNumber(les_map_layer(m, order[i])));
}

static void add_zones(cJSON *doc, const les_map *m) {
  cJSON *zones = cJSON_AddArrayToObject(doc, "zones");
  for (int i = 0; i < m->n_zones; i++) {
    const les_zone *z = &m->zones[i];
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(zones, entry);
    cJSON_AddStringToObject(entry, "name", z->name);
    cJSON_AddNumberToObject(entry, "first", les_map_layer(m, m->damage->profile[z->first]));
    cJSON_AddNumberToObject(entry, "last", les_map_layer(m, m->damage->profile[z->last]));
    add_number(entry, "mean", z->mean);
    add_number(entry, "min", z->min);
    add_number(entry, "max", z->max);
  }
}

/* Mean over the profile's cells of a domain. */
static double domain_mean(const les_damage *d, int domain) {
  double sum = 0;
  int n = 0;
  for (int i = 0; i < d->n_profile; i++) {
    const les_estimate *e = les_damage_estimate(d, d->profile[i], domain);
    if (e->n > 0) sum += e->interval.mean * e->n;
    n += e->n;
  }
  return n > 0 ? sum / n : NAN;
}

static void add_domains(cJSON *doc, const les_map *m, int *order) {
  cJSON *domains = cJSON_AddObjectToObject(doc, "domains");
  for (int k = 0; k < m->damage->n_domains; k++) {
    cJSON *entry = cJSON_AddObjectToObject(domains, m->damage->domains[k]);
    add_number(entry, "mean", domain_mean(m->damage, k));
    add_ranking(entry, "ranked_layers", m, k, order);
  }
}

static void add_extreme(cJSON *verdict, const char *name, const les_map *m, const les_extreme *e) {
  if (e->lesion < 0) {
    cJSON_AddNullToObject(verdict, name);
    return;
  }
  cJSON *object = cJSON_AddObjectToObject(verdict, name);
  cJSON_AddNumberToObject(object, "layer", les_map_layer(m, e->lesion));
  cJSON *tied = cJSON_AddArrayToObject(object, "not_told_apart_from");
  for (int i = 0; i < e->n_tied; i++)
    cJSON_AddItemToArray(tied, cJSON_CreateNumber(les_map_layer(m, e->tied[i])));
}

static cJSON *describe_pair(const les_map *m, const les_contrast *c) {
  cJSON *entry = cJSON_CreateObject();
  cJSON_AddNumberToObject(entry, "more", les_map_layer(m, c->a));
  cJSON_AddNumberToObject(entry, "less", les_map_layer(m, c->b));
  add_contrast(entry, c);
  return entry;
}

/* What the data support of the rankings: paired differences of damage. */
static void add_comparison(cJSON *doc, const les_map *m) {
  const les_comparison *c = &m->comparison;
  cJSON *verdict = cJSON_AddObjectToObject(doc, "verdict");
  add_extreme(verdict, "most_critical", m, &c->most);
  add_extreme(verdict, "least_critical", m, &c->least);
  cJSON *candidates = cJSON_AddArrayToObject(verdict, "removal_candidates");
  for (int i = 0; i < c->n_candidates; i++)
    cJSON_AddItemToArray(candidates, cJSON_CreateNumber(les_map_layer(m, c->candidates[i])));
  cJSON *hierarchy = cJSON_AddArrayToObject(verdict, "hierarchy");
  for (int i = 0; i + 1 < c->n_ranked; i++)
    cJSON_AddItemToArray(hierarchy, describe_pair(m, &c->neighbours[i]));
  cJSON *domains = cJSON_AddObjectToObject(verdict, "domains");
  for (int k = 0; k < m->damage->n_domains; k++)
    if (c->firsts[k].n > 0)
      cJSON_AddItemToObject(domains, m->damage->domains[k], describe_pair(m, &c->firsts[k]));
}

static void add_test(cJSON *object, const char *name, const char *p_name, const les_test *t) {
  add_number(object, name, t->statistic);
  add_number(object, p_name, t->p);
}

static void add_proxies(cJSON *doc, const les_proxies *p) {
  cJSON *list = cJSON_AddArrayToObject(doc, "proxies");
  for (int i = 0; i < p->n_correlations; i++) {
    const les_correlation *c = &p->correlations[i];
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(list, entry);
    cJSON_AddStringToObject(entry, "proxy", p->items[c->proxy].name);
    cJSON_AddStringToObject(entry, "measure", c->measure);
    cJSON_AddNumberToObject(entry, "layers", c->n);
    add_test(entry, "spearman", "spearman_p", &c->spearman);
    add_test(entry, "kendall", "kendall_p", &c->kendall);
    add_number(entry, "spearman_p_holm", c->p_holm);
  }
}

les_status les_map_json(const les_map *m, char **text) {
  *text = NULL;
  int *order = malloc(((size_t)m->damage->n_profile + 1) * sizeof *order);
  cJSON *doc = cJSON_CreateObject();
  if (order && doc) {
    cJSON_AddStringToObject(doc, "format", "lesion-map");
    cJSON_AddNumberToObject(doc, "version", MAP_VERSION);
    add_model(doc, m->result);
    add_run(doc, m);
    cJSON *layers = cJSON_AddArrayToObject(doc, "layers");
    for (int i = 0; i < m->result->n_lesions; i++) cJSON_AddItemToArray(layers, describe_lesion(m, i));
    add_ranking(doc, "hierarchy", m, -1, order);
    add_zones(doc, m);
    add_domains(doc, m, order);
    add_comparison(doc, m);
    les_floor_json(doc, &m->floor, m->damage);
    if (m->proxies.n) add_proxies(doc, &m->proxies);
    *text = cJSON_Print(doc);
  }
  cJSON_Delete(doc);
  free(order);
  return *text ? LES_OK : les_no_memory("the map of %s", m->result->path);
}
