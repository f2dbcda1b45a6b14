#include "sensitivity/sensitivity_json.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { SENSITIVITY_VERSION = 1 };

static cJSON *describe_score(const les_matrix_score *m) {
  cJSON *entry = cJSON_CreateObject();
  cJSON_AddNumberToObject(entry, "layer", m->layer);
  cJSON_AddStringToObject(entry, "matrix", les_linear_name(m->linear));
  cJSON_AddItemToObject(entry, "damage", les_json_number(m->damage.mean));
  cJSON *bounds = cJSON_AddArrayToObject(entry, "ci95");
  cJSON_AddItemToArray(bounds, les_json_number(m->damage.low));
  cJSON_AddItemToArray(bounds, les_json_number(m->damage.high));
  cJSON_AddItemToObject(entry, "p_holm", les_json_number(m->p_holm));
  cJSON_AddNumberToObject(entry, "n", m->n);
  cJSON_AddItemToObject(entry, "share", les_json_number(m->share));
  cJSON_AddItemToObject(entry, "cumulative", les_json_number(m->cumulative));
  cJSON_AddStringToObject(entry, "verdict", m->pillar ? "pillar" : "robust");
  return entry;
}

static cJSON *describe_ranking(const les_ranking *k) {
  cJSON *entry = cJSON_CreateObject();
  cJSON_AddStringToObject(entry, "operation", k->operation);
  cJSON_AddStringToObject(entry, "mode", k->mode);
  cJSON_AddStringToObject(entry, "measure", k->measure);
  cJSON_AddItemToObject(entry, "total", les_json_number(k->total));
  cJSON_AddNumberToObject(entry, "pillars", k->n_pillars);
  cJSON_AddItemToObject(entry, "carried", les_json_number(k->carried));
  cJSON_AddNumberToObject(entry, "prompts", k->n_prompts);
  cJSON_AddNumberToObject(entry, "prompts_needed", k->n_needed);
  cJSON *items = cJSON_AddArrayToObject(entry, "ranking");
  for (int i = 0; i < k->n; i++) cJSON_AddItemToArray(items, describe_score(&k->items[i]));
  return entry;
}

/* The rankings, as "svd/divergence", in which a matrix is a pillar. */
static void add_reasons(cJSON *entry, const les_sensitivity *s, const les_matrix_summary *v) {
  cJSON *reasons = cJSON_AddArrayToObject(entry, "pillar_in");
  for (int k = 0; k < s->n_rankings; k++)
    for (int i = 0; i < s->rankings[k].n; i++) {
      const les_matrix_score *m = &s->rankings[k].items[i];
      if (!m->pillar || m->layer != v->layer || m->linear != v->linear) continue;
      char text[128];
      snprintf(text, sizeof text, "%s/%s", s->rankings[k].operation, s->rankings[k].mode);
      cJSON_AddItemToArray(reasons, cJSON_CreateString(text));
    }
}

static void add_matrices(cJSON *doc, const les_sensitivity *s) {
  cJSON *list = cJSON_AddArrayToObject(doc, "matrices");
  for (int i = 0; i < s->n_matrices; i++) {
    const les_matrix_summary *v = &s->matrices[i];
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(list, entry);
    cJSON_AddNumberToObject(entry, "layer", v->layer);
    cJSON_AddStringToObject(entry, "matrix", les_linear_name(v->linear));
    cJSON_AddStringToObject(entry, "verdict", v->pillar ? "pillar" : "robust");
    add_reasons(entry, s, v);
  }
}

les_status les_sensitivity_json(const les_sensitivity *s, char **text) {
  const les_result *r = s->result;
  cJSON *doc = cJSON_CreateObject();
  cJSON_AddStringToObject(doc, "format", "lesion-sensitivity");
  cJSON_AddNumberToObject(doc, "version", SENSITIVITY_VERSION);
  cJSON *model = cJSON_AddObjectToObject(doc, "model");
  cJSON_AddStringToObject(model, "name", r->model_name);
  cJSON_AddStringToObject(model, "sha256", r->model_sha256);
  cJSON_AddStringToObject(model, "architecture", r->arch);
  cJSON_AddNumberToObject(model, "layers", r->n_layers);
  cJSON *run = cJSON_AddObjectToObject(doc, "run");
  cJSON_AddNumberToObject(run, "prompts", r->n_prompts);
  cJSON_AddItemToObject(run, "share", les_json_number(s->share));
  cJSON_AddStringToObject(run, "result_sha256", s->result_sha256);
  add_matrices(doc, s);
  cJSON *rankings = cJSON_AddArrayToObject(doc, "rankings");
  for (int i = 0; i < s->n_rankings; i++) cJSON_AddItemToArray(rankings, describe_ranking(&s->rankings[i]));
  *text = cJSON_Print(doc);
  cJSON_Delete(doc);
  return *text ? LES_OK : les_no_memory("the sensitivity of %s", r->path);
}
