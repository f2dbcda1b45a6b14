/* The map: what each layer is for, as the sweep's result says it. */
#ifndef LES_MAP_MAP_H
#define LES_MAP_MAP_H

#include "map/accuracy.h"
#include "map/comparison.h"
#include "map/floor.h"
#include "map/labels.h"
#include "map/proxy.h"
#include "map/removal.h"
#include "map/tasks.h"
#include "map/zones.h"

typedef struct les_map {
  les_result *result;
  les_damage *damage;
  char result_sha256[65];
  int n_zones;
  les_zone *zones; /* (n_zones) indices are those of damage->profile; means in the measure's units */
  int64_t total, done, failed; /* cells */
  les_comparison comparison;
  les_removal removal;
  les_tasks tasks; /* empty: no answers were scored */
  les_floor floor;
  les_accuracy *accuracy;   /* (n_lesions); NULL: no answers were scored */
  les_label_counts *labels; /* (n_lesions); NULL: the job did not ask for failures */
  les_proxies proxies;      /* empty unless asked for */
} les_map;

typedef struct les_map_options {
  const char *measure; /* NULL: see les_damage_compute */
  const char *family;  /* NULL: see les_damage_compute */
  double margin;       /* of les_removal_compute; 0: the measure's own */
  const char *proxies; /* a file for les_proxies_compute; NULL: none */
} les_map_options;

/* Reads a result file, of a sweep that may still be running, and makes the map of its finished cells. */
les_status les_map_compute(les_map **out, const char *path, const les_map_options *options);
void les_map_free(les_map **map);

/* The layer of a lesion; -1: it touches several. */
static inline int les_map_layer(const les_map *map, int lesion) {
  return map->result->lesion_layers[lesion];
}

/* Name of the zone that a lesion's layer is in; NULL if the lesion is not part of the profile. */
const char *les_map_zone(const les_map *map, int lesion);

#endif
