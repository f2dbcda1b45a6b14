/* The rope settings of a config.json, in both spellings: rope_theta with rope_scaling, and rope_parameters.
 */
#ifndef LES_MODEL_CONFIG_ROPE_H
#define LES_MODEL_CONFIG_ROPE_H

#include "model/config.h"

#include <cjson/cJSON.h>

/* Fills c->rope and c->hparams.n_rope_pairs (0 where all of a head is rotated) from the object that holds the
 * text model's settings, nulls resolved. c has its other numbers already. `base`: where the settings name
 * none. */
les_status les_config_read_rope(les_config *c, const cJSON *text, const char *path, double base);

#endif
