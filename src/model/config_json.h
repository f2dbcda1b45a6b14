/* The configuration of a model in the hub's format, from config.json. */
#ifndef LES_MODEL_CONFIG_JSON_H
#define LES_MODEL_CONFIG_JSON_H

#include "model/config.h"

/* `dir` holds config.json and maybe generation_config.json. A model has at least one tensor a layer:
 * max_layers bounds what is allocated. Refuses settings that the forward pass does not know, naming the key
 * and its value. Free with les_config_free, after failure too. */
les_status les_config_read_json(les_config *out, const char *dir, int max_layers);

#endif
