/* The configuration of a GGUF file, from its metadata. */
#ifndef LES_MODEL_CONFIG_GGUF_H
#define LES_MODEL_CONFIG_GGUF_H

#include "format/gguf.h"
#include "model/config.h"

/* Refuses settings that the forward pass does not know, naming the key and its value. Free with
 * les_config_free, after failure too. */
les_status les_config_read_gguf(les_config *out, const les_gguf *g);

#endif
