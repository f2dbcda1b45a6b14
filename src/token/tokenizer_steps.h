/* The "normalizer", "pre_tokenizer" and "decoder" of a tokenizer.json. Each is null, or an object with a
 * "type", which may be a sequence of others. A type that is not supported is an error that names it. */
#ifndef LES_TOKEN_TOKENIZER_STEPS_H
#define LES_TOKEN_TOKENIZER_STEPS_H

#include "token/decoder.h"
#include "token/normalizer.h"
#include "token/pretokenizer.h"

#include <cjson/cJSON.h>

/* Each appends its steps. `o` may be NULL: none. */
les_status les_normalizer_read(les_normalizer *z, const cJSON *o);
les_status les_pretokenizer_read(les_pretokenizer *z, const cJSON *o);
les_status les_decoder_read(les_decoder *z, const cJSON *o);

/* The string under `key`, "" if there is none. */
const char *les_step_string(const cJSON *o, const char *key);
/* The truth value under `key`, `fallback` if there is none. */
bool les_step_bool(const cJSON *o, const char *key, bool fallback);

#endif
