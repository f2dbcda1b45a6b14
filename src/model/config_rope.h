/* The rope settings of config.json, in both spellings: rope_theta with rope_scaling, and rope_parameters. */
#ifndef LES_MODEL_CONFIG_ROPE_H
#define LES_MODEL_CONFIG_ROPE_H

#include "model/config.h"

#include <cjson/cJSON.h>

/* Fills c->rope and c->hparams.n_rope_pairs (0 where a head is rotated as a whole) from `text`, the object
 * with the text model's settings, nulls resolved. Needs the other numbers of c. `base`: the default of
 * rope_theta. */
les_status les_config_read_rope(les_config *c, const cJSON *text, const char *path, double base);

#endif
