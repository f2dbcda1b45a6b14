#include "map/floor.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_control(const les_damage *d, int lesion) {
  return !strncmp(d->result->lesion_specs[lesion], "none:", 5) && d->all[lesion].n > 0;
}

static les_status find_controls(les_floor *f, const les_damage *d) {
  int n = d->result->n_lesions;
  f->controls = calloc((size_t)n + 1, sizeof *f->controls);
  if (!f->controls) return les_no_memory("the controls of %s", d->result->path);
  double sum = 0;
  f->interval = (les_interval){.low = INFINITY, .high = -INFINITY};
  for (int i = 0; i < n; i++) {
    if (!is_control(d, i)) continue;
    const les_interval *own = &d->all[i].interval;
    f->controls[f->n_controls++] = i;
    sum += own->mean;
    f->interval.low = fmin(f->interval.low, own->low);
    f->interval.high = fmax(f->interval.high, own->high);
  }
  if (f->n_controls) f->interval.mean = sum / f->n_controls;
  return LES_OK;
}

/* Compares each lesion of the profile with each control. */
static les_status find_hidden(les_floor *f, const les_damage *d) {
  int n = d->n_profile * f->n_controls;
  les_contrast *contrasts = calloc((size_t)n + 1, sizeof *contrasts);
  f->hidden = calloc((size_t)d->n_profile + 1, sizeof *f->hidden);
  les_status s = contrasts && f->hidden ? LES_OK : les_no_memory("the controls of %s", d->result->path);
  for (int i = 0; s == LES_OK && i < n; i++)
    contrasts[i] = (les_contrast){.a = d->profile[i / f->n_controls], .b = f->controls[i % f->n_controls]};
  if (s == LES_OK) s = les_contrasts_compute(d, -1, n, contrasts, n);
  for (int i = 0; s == LES_OK && i < d->n_profile; i++) {
    bool above = true;
    for (int k = 0; k < f->n_controls; k++) {
      const les_contrast *c = &contrasts[i * f->n_controls + k];
      above = above && les_contrast_holds(c) && c->difference > 0;
    }
    if (!above) f->hidden[f->n_hidden++] = d->profile[i];
  }
  free(contrasts);
  return s;
}

les_status les_floor_compute(les_floor *out, const les_damage *d) {
  *out = (les_floor){0};
  les_status s = find_controls(out, d);
  if (s == LES_OK && out->n_controls) s = find_hidden(out, d);
  if (s != LES_OK) les_floor_free(out);
  return s;
}

void les_floor_free(les_floor *f) {
  free(f->controls);
  free(f->hidden);
  *f = (les_floor){0};
}

void les_floor_write(FILE *out, const les_floor *f, const les_damage *d) {
  if (f->n_controls == 0) return;
  fprintf(out, "\nfloor: sampling alone gives %.4f  [%.4f, %.4f] (the intact model with %d other seed%s)\n",
          f->interval.mean, f->interval.low, f->interval.high, f->n_controls, f->n_controls == 1 ? "" : "s");
  if (f->n_hidden == 0) {
    if (d->n_profile) fputs("every layer does more damage than that\n", out);
    return;
  }
  fprintf(out, "not told apart from it: layer%s", f->n_hidden == 1 ? "" : "s");
  for (int i = 0; i < f->n_hidden; i++)
    fprintf(out, "%s %d", i ? "," : "", d->result->lesion_layers[f->hidden[i]]);
  fputc('\n', out);
}

static void add_number(cJSON *list, double value) {
  les_json_add(list, NULL, les_json_number(value));
}

void les_floor_json(cJSON *doc, const les_floor *f, const les_damage *d) {
  if (f->n_controls == 0) return;
  cJSON *floor = les_json_add_object(doc, "floor");
  les_json_add(floor, "mean", les_json_number(f->interval.mean));
  cJSON *bounds = les_json_add_array(floor, "ci95");
  add_number(bounds, f->interval.low);
  add_number(bounds, f->interval.high);
  cJSON *controls = les_json_add_array(floor, "controls");
  for (int i = 0; i < f->n_controls; i++)
    les_json_add(controls, NULL, cJSON_CreateString(d->result->lesion_specs[f->controls[i]]));
  cJSON *hidden = les_json_add_array(floor, "layers_not_above");
  for (int i = 0; i < f->n_hidden; i++) add_number(hidden, d->result->lesion_layers[f->hidden[i]]);
}
