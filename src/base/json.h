/* JSON: parsing with errors that name file and line, typed access to keys, and numbers as results are
 * written. */
#ifndef LES_BASE_JSON_H
#define LES_BASE_JSON_H

#include "base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* Where a document came from, for messages. */
typedef struct les_json_source {
  const char *path;
  int line; /* of its first byte; 1 for a whole file */
} les_json_source;

/* Parses n bytes, text[n] being 0: broken UTF-8, null characters (also as an escape) and text after the
 * document are errors. Free *doc with cJSON_Delete. */
les_status les_json_parse(cJSON **doc, const char *text, size_t n, les_json_source source);

/* Reads and parses a whole file. */
les_status les_json_read(cJSON **doc, const char *path);

/* Called for each document of a JSONL file; does not own `doc`. A failure ends the reading and is returned.
 */
typedef les_status les_json_line_fn(void *ctx, const cJSON *doc, les_json_source at);

/* Parses every line of `text`, n bytes with a null byte behind them, as a document of its own; blank lines
 * are skipped. Overwrites newlines in text. */
les_status les_json_lines(char *text, size_t n, const char *path, les_json_line_fn *line, void *ctx);

/* The same for a whole file. */
les_status les_json_read_lines(const char *path, les_json_line_fn *line, void *ctx);

/* Fails if `object` is no object, or has a key twice or a key that is not in `keys`; the message names the
 * nearest known one. `what` says what the object is: "the job". */
les_status les_json_check_keys(const cJSON *object, const char *what, const char *const *keys, int n_keys,
                               const char *path);

/* Read one key of an object. A missing key leaves *value as it is; another type, or a number outside of
 * [low, high], is an error that names file and key. */
les_status les_json_get_string(const cJSON *object, const char *key, const char *path, const char **value);
les_status les_json_get_bool(const cJSON *object, const char *key, const char *path, bool *value);
les_status les_json_get_number(const cJSON *object, const char *key, const char *path, double low,
                               double high, double *value);
les_status les_json_get_int(const cJSON *object, const char *key, const char *path, int low, int high,
                            int *value);

/* A number with 9 significant digits; NaN and infinity as null, no "-0". NULL: out of memory. */
cJSON *les_json_number(double value);

/* A number as its shortest decimal form that reads back as the same float; NaN and infinity as null. NULL:
 * out of memory. */
cJSON *les_json_float(float value);

/* Writing. Each adds to `parent`: under `key` to an object; key NULL: at the end of an array. Where
 * memory runs out, `parent` becomes invalid, and a document with an invalid part is not printed: only what
 * cJSON_Print returns has to be checked, and no document is ever cut short. Adding to NULL, which an object
 * or array that could not be made is, does nothing. */
void les_json_add(cJSON *parent, const char *key, cJSON *item); /* takes over the item; NULL: no memory */
cJSON *les_json_add_object(cJSON *parent, const char *key);
cJSON *les_json_add_array(cJSON *parent, const char *key);
void les_json_add_string(cJSON *parent, const char *key, const char *value);
void les_json_add_number(cJSON *parent, const char *key, double value); /* NaN and infinity as null */
void les_json_add_bool(cJSON *parent, const char *key, bool value);
void les_json_add_null(cJSON *parent, const char *key);
void les_json_add_ints(cJSON *parent, const char *key, const int *values, int n);
void les_json_add_floats(cJSON *parent, const char *key, const float *values, int n);
void les_json_add_doubles(cJSON *parent, const char *key, const double *values, int n);

#endif
