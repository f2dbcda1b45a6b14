/* The configuration of a model, whatever its format. */
#ifndef LES_MODEL_CONFIG_READ_H
#define LES_MODEL_CONFIG_READ_H

#include "format/model_files.h"
#include "model/config.h"

/* Reads it from the metadata of a GGUF file or from config.json. `path` is for messages. Free with
 * les_config_free, after failure too. */
les_status les_config_read(les_config *out, const les_model_files *files, const char *path);

#endif
