#include "map/map.h"

#include "result/digest.h"

#include <math.h>
#include <stdlib.h>

static void count_cells(les_map *m) {
  const les_result *r = m->result;
  m->total = (int64_t)r->n_lesions * r->n_prompts;
  for (int64_t i = 0; i < m->total; i++) {
    m->done += r->status[i] == LES_CELL_DONE;
    m->failed += r->status[i] == LES_CELL_FAILED;
  }
}

/* The search for zones sees damage, which grows where the measure may fall. */
static void mirror_zones(les_map *m) {
  for (int i = 0; i < m->n_zones && m->damage->sign < 0; i++) {
    les_zone *z = &m->zones[i];
    double low = -z->max;
    z->max = -z->min;
    z->min = low;
    z->mean = -z->mean;
  }
}

static les_status find_zones(les_map *m) {
  const les_damage *d = m->damage;
  size_t n = (size_t)d->n_profile + 1;
  double *profile = malloc(n * sizeof *profile), noise = 0;
  int *layers = malloc(n * sizeof *layers);
  m->zones = calloc(n, sizeof *m->zones);
  les_status s = profile && layers && m->zones ? LES_OK : les_no_memory("the map of %s", m->result->path);
  for (int i = 0; s == LES_OK && i < d->n_profile; i++) {
    const les_interval *interval = &d->all[d->profile[i]].interval;
    profile[i] = d->sign * interval->mean;
    layers[i] = les_map_layer(m, d->profile[i]);
    if (!isnan(interval->error)) noise += interval->error * interval->error / d->n_profile;
  }
  if (s == LES_OK) s = les_zones_find(profile, layers, d->n_profile, noise, m->zones, &m->n_zones);
  if (s == LES_OK) mirror_zones(m);
  free(layers);
  free(profile);
  return s;
}

les_status les_map_compute(les_map **out, const char *path, const les_map_options *options) {
  les_status s;
  les_map *m = calloc(1, sizeof *m);
  *out = NULL;
  if (!m) return les_no_memory("the map of %s", path);
  LES_GOTO(s, les_result_open(&m->result, path), end);
  LES_GOTO(s, les_result_sha256(path, m->result_sha256), end);
  count_cells(m);
  LES_GOTO(s, les_damage_compute(&m->damage, m->result, options->measure, options->family), end);
  LES_GOTO(s, find_zones(m), end);
  LES_GOTO(s, les_comparison_compute(&m->comparison, m->damage), end);
  LES_GOTO(s, les_removal_compute(&m->removal, m->damage, options->margin), end);
  LES_GOTO(s, les_tasks_compute(&m->tasks, m->damage), end);
  LES_GOTO(s, les_floor_compute(&m->floor, m->damage), end);
  LES_GOTO(s, les_accuracy_compute(&m->accuracy, m->damage), end);
  LES_GOTO(s, les_labels_count(&m->labels, m->result), end);
  if (options->proxies) LES_GOTO(s, les_proxies_compute(&m->proxies, options->proxies, m->damage), end);
end:
  if (s != LES_OK) les_map_free(&m);
  *out = m;
  return s;
}

void les_map_free(les_map **map) {
  les_map *m = *map;
  if (!m) return;
  les_proxies_free(&m->proxies);
  les_floor_free(&m->floor);
  les_comparison_free(&m->comparison);
  les_removal_free(&m->removal);
  les_tasks_free(&m->tasks);
  free(m->accuracy);
  free(m->labels);
  les_damage_free(&m->damage);
  les_result_close(&m->result);
  free(m->zones);
  free(m);
  *map = NULL;
}

const char *les_map_zone(const les_map *map, int lesion) {
  for (int z = 0; z < map->n_zones; z++)
    for (int i = map->zones[z].first; i <= map->zones[z].last; i++)
      if (map->damage->profile[i] == lesion) return map->zones[z].name;
  return NULL;
}
