#include "map/map_json.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>

enum { MAP_VERSION = 1 };

static void add_number(cJSON *object, const char *name, double value) {
  les_json_add(object, name, les_json_number(value));
}

static void add_bounds(cJSON *object, const les_interval *interval) {
  cJSON *bounds = les_json_add_array(object, "ci95");
  les_json_add(bounds, NULL, les_json_number(interval->low));
  les_json_add(bounds, NULL, les_json_number(interval->high));
}

static void add_estimate(cJSON *object, const les_estimate *e) {
  add_number(object, "mean", e->interval.mean);
  add_bounds(object, &e->interval);
}

static void add_model(cJSON *doc, const les_result *r) {
  cJSON *model = les_json_add_object(doc, "model");
  les_json_add_string(model, "name", r->model_name);
  les_json_add_string(model, "sha256", r->model_sha256);
  les_json_add_string(model, "architecture", r->arch);
  les_json_add_number(model, "layers", r->n_layers);
}

static void add_run(cJSON *doc, const les_map *m) {
  cJSON *run = les_json_add_object(doc, "run");
  les_json_add_number(run, "prompts", m->result->n_prompts);
  les_json_add_number(run, "max_new_tokens", m->result->max_new_tokens);
  les_json_add_string(run, "measure", m->damage->measure);
  les_json_add_string(run, "result_sha256", m->result_sha256);
  les_json_add_string(run, "compute", m->result->compute);
  if (m->damage->family)
    les_json_add_string(run, "lesions", m->damage->family);
  else
    les_json_add_null(run, "lesions");
  cJSON *cells = les_json_add_object(run, "cells");
  les_json_add_number(cells, "total", (double)m->total);
  les_json_add_number(cells, "done", (double)m->done);
  les_json_add_number(cells, "failed", (double)m->failed);
}

static void add_contrast(cJSON *object, const les_contrast *c) {
  les_json_add_number(object, "n", c->n);
  add_number(object, "difference", c->difference.mean);
  add_bounds(object, &c->difference);
  add_number(object, "p", c->difference.p);
  add_number(object, "p_holm", c->p_holm);
}

static void add_accuracy(cJSON *entry, const les_accuracy *a) {
  cJSON *object = les_json_add_object(entry, "accuracy");
  les_json_add_number(object, "n", a->n);
  add_number(object, "intact", a->intact);
  add_number(object, "lesioned", a->lesioned);
  les_json_add_number(object, "lost", a->lost);
  les_json_add_number(object, "won", a->won);
  add_number(object, "mcnemar_p", a->exact.p);
  add_number(object, "mcnemar_p_holm", a->p_holm);
  add_number(object, "mcnemar_chi2", a->chi2.statistic);
  add_number(object, "mcnemar_chi2_p", a->chi2.p);
}

static void add_labels(cJSON *entry, const les_label_counts *c) {
  cJSON *object = les_json_add_object(entry, "labels");
  for (int i = LES_LABEL_INTACT; i < LES_N_LABELS; i++)
    les_json_add_number(object, les_label_name((les_label)i), c->of[i]);
}

static cJSON *describe_lesion(const les_map *m, int i) {
  const les_damage *d = m->damage;
  cJSON *entry = cJSON_CreateObject();
  const char *zone = les_map_zone(m, i);
  les_json_add_number(entry, "layer", les_map_layer(m, i));
  les_json_add_string(entry, "lesion", m->result->lesion_specs[i]);
  add_estimate(entry, &d->all[i]);
  if (zone)
    les_json_add_string(entry, "zone", zone);
  else
    les_json_add_null(entry, "zone");
  les_json_add_number(entry, "n", d->all[i].n);
  les_json_add_number(entry, "lost", d->all[i].lost);
  cJSON *domains = les_json_add_object(entry, "domains");
  for (int k = 0; k < d->n_domains; k++) {
    const les_estimate *e = les_damage_estimate(d, i, k);
    cJSON *part = les_json_add_object(domains, d->domains[k]);
    add_estimate(part, e);
    les_json_add_number(part, "n", e->n);
  }
  if (m->comparison.versus)
    add_contrast(les_json_add_object(entry, "versus_intact"), &m->comparison.versus[i]);
  if (m->accuracy) add_accuracy(entry, &m->accuracy[i]);
  if (m->labels) add_labels(entry, &m->labels[i]);
  return entry;
}

/* Adds the layers of the profile as a list, most damaging first; order is scratch (n_profile). */
static void add_ranking(cJSON *object, const char *name, const les_map *m, int domain, int *order) {
  cJSON *list = les_json_add_array(object, name);
  int n = les_damage_rank(m->damage, domain, order);
  for (int i = 0; i < n; i++) les_json_add_number(list, NULL, les_map_layer(m, order[i]));
}

static void add_zones(cJSON *doc, const les_map *m) {
  cJSON *zones = les_json_add_array(doc, "zones");
  for (int i = 0; i < m->n_zones; i++) {
    const les_zone *z = &m->zones[i];
    cJSON *entry = les_json_add_object(zones, NULL);
    les_json_add_string(entry, "name", z->name);
    les_json_add_number(entry, "first", les_map_layer(m, m->damage->profile[z->first]));
    les_json_add_number(entry, "last", les_map_layer(m, m->damage->profile[z->last]));
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
  cJSON *domains = les_json_add_object(doc, "domains");
  for (int k = 0; k < m->damage->n_domains; k++) {
    cJSON *entry = les_json_add_object(domains, m->damage->domains[k]);
    add_number(entry, "mean", domain_mean(m->damage, k));
    add_ranking(entry, "ranked_layers", m, k, order);
  }
}

static void add_extreme(cJSON *verdict, const char *name, const les_map *m, const les_extreme *e) {
  if (e->lesion < 0) {
    les_json_add_null(verdict, name);
    return;
  }
  cJSON *object = les_json_add_object(verdict, name);
  les_json_add_number(object, "layer", les_map_layer(m, e->lesion));
  cJSON *tied = les_json_add_array(object, "not_told_apart_from");
  for (int i = 0; i < e->n_tied; i++) les_json_add_number(tied, NULL, les_map_layer(m, e->tied[i]));
}

static cJSON *describe_pair(const les_map *m, const les_contrast *c) {
  cJSON *entry = cJSON_CreateObject();
  les_json_add_number(entry, "more", les_map_layer(m, c->a));
  les_json_add_number(entry, "less", les_map_layer(m, c->b));
  add_contrast(entry, c);
  return entry;
}

/* What the data support of the rankings: paired differences of damage. */
static void add_comparison(cJSON *doc, const les_map *m) {
  const les_comparison *c = &m->comparison;
  cJSON *verdict = les_json_add_object(doc, "verdict");
  add_extreme(verdict, "most_critical", m, &c->most);
  add_extreme(verdict, "least_critical", m, &c->least);
  cJSON *candidates = les_json_add_array(verdict, "removal_candidates");
  for (int i = 0; i < c->n_candidates; i++)
    les_json_add_number(candidates, NULL, les_map_layer(m, c->candidates[i]));
  cJSON *hierarchy = les_json_add_array(verdict, "hierarchy");
  for (int i = 0; i + 1 < c->n_ranked; i++)
    les_json_add(hierarchy, NULL, describe_pair(m, &c->neighbours[i]));
  cJSON *domains = les_json_add_object(verdict, "domains");
  for (int k = 0; k < m->damage->n_domains; k++)
    if (c->firsts[k].n > 0) les_json_add(domains, m->damage->domains[k], describe_pair(m, &c->firsts[k]));
}

static void add_test(cJSON *object, const char *name, const char *p_name, const les_test *t) {
  add_number(object, name, t->statistic);
  add_number(object, p_name, t->p);
}

static void add_proxies(cJSON *doc, const les_proxies *p) {
  cJSON *list = les_json_add_array(doc, "proxies");
  for (int i = 0; i < p->n_correlations; i++) {
    const les_correlation *c = &p->correlations[i];
    cJSON *entry = les_json_add_object(list, NULL);
    les_json_add_string(entry, "proxy", p->items[c->proxy].name);
    les_json_add_string(entry, "measure", c->measure);
    les_json_add_number(entry, "layers", c->n);
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
    les_json_add_string(doc, "format", "lesion-map");
    les_json_add_number(doc, "version", MAP_VERSION);
    add_model(doc, m->result);
    add_run(doc, m);
    cJSON *layers = les_json_add_array(doc, "layers");
    for (int i = 0; i < m->result->n_lesions; i++) les_json_add(layers, NULL, describe_lesion(m, i));
    add_ranking(doc, "hierarchy", m, -1, order);
    add_zones(doc, m);
    add_domains(doc, m, order);
    add_comparison(doc, m);
    if (m->proxies.n) add_proxies(doc, &m->proxies);
    *text = cJSON_Print(doc);
  }
  cJSON_Delete(doc);
  free(order);
  return *text ? LES_OK : les_no_memory("the map of %s", m->result->path);
}
