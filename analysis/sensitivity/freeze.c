#include "sensitivity/freeze.h"

#include "base/json.h"
#include "model/arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One module of the transformers library: a matrix, or several fused in one. */
typedef struct module {
  char name[128];
  int layer;
  bool frozen;
} module;

static const char *module_part(const les_arch *arch, les_linear_id linear) {
  if (arch->fused_qkv && linear <= LES_V) return arch->hub->qkv;
  if (arch->fused_gate_up && (linear == LES_GATE || linear == LES_UP)) return arch->hub->gate_up;
  return arch->hub->linear[linear];
}

static void name_module(const les_arch *arch, const les_matrix_summary *v, char name[128]) {
  char layer[64];
  const char *number = strstr(arch->hub->layer, "%d");
  snprintf(layer, sizeof layer, "%.*s%d%s", (int)(number - arch->hub->layer), arch->hub->layer, v->layer,
           number + 2);
  snprintf(name, 128, "%s%s%s", arch->hub->prefixes[0], layer, module_part(arch, v->linear));
}

/* The modules of the matrices, fused ones once; a pillar freezes its module. Returns their number. */
static int find_modules(const les_sensitivity *s, const les_arch *arch, module *modules) {
  int n = 0;
  for (int i = 0; i < s->n_matrices; i++) {
    module m = {.layer = s->matrices[i].layer, .frozen = s->matrices[i].pillar};
    name_module(arch, &s->matrices[i], m.name);
    int k = 0;
    while (k < n && strcmp(modules[k].name, m.name)) k++;
    if (k == n)
      modules[n++] = m;
    else
      modules[k].frozen = modules[k].frozen || m.frozen;
  }
  return n;
}

static void add_names(cJSON *object, const char *key, const module *modules, int n, bool frozen) {
  cJSON *list = les_json_add_array(object, key);
  for (int i = 0; i < n; i++)
    if (modules[i].frozen == frozen) les_json_add_string(list, NULL, modules[i].name);
}

/* Layers that have a module which is trained, or, with frozen, layers that have none. */
static void add_layers(cJSON *object, const char *key, const module *modules, int n, bool frozen) {
  cJSON *list = les_json_add_array(object, key);
  for (int i = 0; i < n; i++) {
    bool trained = false, first = true;
    for (int k = 0; k < n; k++) {
      if (modules[k].layer != modules[i].layer) continue;
      trained = trained || !modules[k].frozen;
      first = first && k >= i;
    }
    if (first && trained != frozen) les_json_add_number(list, NULL, modules[i].layer);
  }
}

les_status les_freeze_json(const les_sensitivity *s, char **text) {
  const les_result *r = s->result;
  const les_arch *arch = les_arch_find(r->arch);
  *text = NULL;
  if (!arch) return les_fail(LES_FAILED, "%s: the architecture '%s' is not known", r->path, r->arch);
  module *modules = calloc((size_t)s->n_matrices + 1, sizeof *modules);
  cJSON *doc = cJSON_CreateObject();
  if (modules && doc) {
    int n = find_modules(s, arch, modules);
    les_json_add_string(doc, "format", "lesion-freeze-list");
    les_json_add_number(doc, "version", 1);
    les_json_add_string(doc, "model", r->model_name);
    les_json_add(doc, "share", les_json_number(s->share));
    add_layers(doc, "frozen_layers", modules, n, true);
    add_names(doc, "frozen", modules, n, true);
    cJSON *peft = les_json_add_object(doc, "peft");
    add_names(peft, "target_modules", modules, n, false);
    add_layers(peft, "layers_to_transform", modules, n, false);
    *text = cJSON_Print(doc);
  }
  cJSON_Delete(doc);
  free(modules);
  return *text ? LES_OK : les_no_memory("the freeze list of %s", r->path);
}
