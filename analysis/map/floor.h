/* The floor of a sampled run: what sampling alone does. Its controls are the intact model with other seeds
 * ("none:seed=S"), which differ from the intact run as a lesion without any effect would. */
#ifndef LES_MAP_FLOOR_H
#define LES_MAP_FLOOR_H

#include "map/contrast.h"

#include <cjson/cJSON.h>
#include <stdio.h>

typedef struct les_floor {
  int n_controls;        /* 0: the sweep has none, and nothing else is set */
  int *controls;         /* (n_controls) lesions with a mean */
  les_interval interval; /* mean over the controls; the widest of their bounds */
  int n_hidden;
  int *hidden; /* (n_hidden) lesions of the profile, in its order, whose damage is not above the floor: not
                  told apart from that of every control, over all of these comparisons together */
} les_floor;

les_status les_floor_compute(les_floor *out, const les_damage *d);
void les_floor_free(les_floor *f);

/* Both write nothing if there are no controls. The text is a line or two; the JSON a key "floor". */
void les_floor_write(FILE *out, const les_floor *f, const les_damage *d);
void les_floor_json(cJSON *doc, const les_floor *f, const les_damage *d);

#endif
