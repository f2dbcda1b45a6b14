#include "sensitivity/sensitivity_json.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { SENSITIVITY_VERSION = 1 };

static cJSON *describe_score(const les_matrix_score *m) {
  cJSON *entry = cJSON_CreateObject();
  les_json_add_number(entry, "layer", m->layer);
  les_json_add_string(entry, "matrix", les_linear_name(m->linear));
  les_json_add(entry, "damage", les_json_number(m->damage.mean));
  cJSON *bounds = les_json_add_array(entry, "ci95");
  les_json_add(bounds, NULL, les_json_number(m->damage.low));
  les_json_add(bounds, NULL, les_json_number(m->damage.high));
  les_json_add_number(entry, "n", m->n);
  les_json_add(entry, "share", les_json_number(m->share));
  les_json_add(entry, "cumulative", les_json_number(m->cumulative));
  les_json_add_string(entry, "verdict", m->pillar ? "pillar" : "robust");
  return entry;
}

static cJSON *describe_ranking(const les_ranking *k) {
  cJSON *entry = cJSON_CreateObject();
  les_json_add_string(entry, "operation", k->operation);
  les_json_add_string(entry, "mode", k->mode);
  les_json_add_string(entry, "measure", k->measure);
  les_json_add(entry, "total", les_json_number(k->total));
  les_json_add_number(entry, "pillars", k->n_pillars);
  cJSON *items = les_json_add_array(entry, "ranking");
  for (int i = 0; i < k->n; i++) les_json_add(items, NULL, describe_score(&k->items[i]));
  return entry;
}

/* The rankings, as "svd/divergence", in which a matrix is a pillar. */
static void add_reasons(cJSON *entry, const les_sensitivity *s, const les_matrix_summary *v) {
  cJSON *reasons = les_json_add_array(entry, "pillar_in");
  for (int k = 0; k < s->n_rankings; k++)
    for (int i = 0; i < s->rankings[k].n; i++) {
      const les_matrix_score *m = &s->rankings[k].items[i];
      if (!m->pillar || m->layer != v->layer || m->linear != v->linear) continue;
      char text[128];
      snprintf(text, sizeof text, "%s/%s", s->rankings[k].operation, s->rankings[k].mode);
      les_json_add_string(reasons, NULL, text);
    }
}

static void add_matrices(cJSON *doc, const les_sensitivity *s) {
  cJSON *list = les_json_add_array(doc, "matrices");
  for (int i = 0; i < s->n_matrices; i++) {
    const les_matrix_summary *v = &s->matrices[i];
    cJSON *entry = les_json_add_object(list, NULL);
    les_json_add_number(entry, "layer", v->layer);
    les_json_add_string(entry, "matrix", les_linear_name(v->linear));
    les_json_add_string(entry, "verdict", v->pillar ? "pillar" : "robust");
    add_reasons(entry, s, v);
  }
}

les_status les_sensitivity_json(const les_sensitivity *s, char **text) {
  const les_result *r = s->result;
  cJSON *doc = cJSON_CreateObject();
  les_json_add_string(doc, "format", "lesion-sensitivity");
  les_json_add_number(doc, "version", SENSITIVITY_VERSION);
  cJSON *model = les_json_add_object(doc, "model");
  les_json_add_string(model, "name", r->model_name);
  les_json_add_string(model, "sha256", r->model_sha256);
  les_json_add_string(model, "architecture", r->arch);
  les_json_add_number(model, "layers", r->n_layers);
  cJSON *run = les_json_add_object(doc, "run");
  les_json_add_number(run, "prompts", r->n_prompts);
  les_json_add(run, "share", les_json_number(s->share));
  les_json_add_string(run, "result_sha256", s->result_sha256);
  add_matrices(doc, s);
  cJSON *rankings = les_json_add_array(doc, "rankings");
  for (int i = 0; i < s->n_rankings; i++) les_json_add(rankings, NULL, describe_ranking(&s->rankings[i]));
  *text = cJSON_Print(doc);
  cJSON_Delete(doc);
  return *text ? LES_OK : les_no_memory("the sensitivity of %s", r->path);
}
