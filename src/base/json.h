/* JSON documents that users write: parsed with errors that name file, line and column, and typed reading of
 * keys. A document that is no JSON is LES_FAILED; one that says something wrong, LES_USAGE. */
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

/* Parses n bytes, text[n] being 0: strict about UTF-8, null characters (also as an escape), and text behind
 * the document. *doc is for cJSON_Delete. */
les_status les_json_parse(cJSON **doc, const char *text, size_t n, les_json_source source);

/* Reads and parses a whole file. */
les_status les_json_read(cJSON **doc, const char *path);

/* Called for each document of a JSONL file; `doc` is the caller's. A failure ends the reading with it. */
typedef les_status les_json_line_fn(void *ctx, const cJSON *doc, les_json_source at);

/* Parses every line of `text`, n bytes with a null byte behind them, as a document of its own; blank lines
 * are passed over. Overwrites newlines in text. */
les_status les_json_lines(char *text, size_t n, const char *path, les_json_line_fn *line, void *ctx);

/* The same for a whole file. */
les_status les_json_read_lines(const char *path, les_json_line_fn *line, void *ctx);

/* LES_USAGE if `object` is no object, or has a key twice or a key that is not in `keys`; the message names
 * the nearest known one. `what` says what the object is: "the job". */
les_status les_json_check_keys(const cJSON *object, const char *what, const char *const *keys, int n_keys,
                               const char *path);

/* Readers of one key of an object. Not there: *value stays as it is. Another type, or a number outside of
 * [low, high]: LES_USAGE with a message that names file and key. */
les_status les_json_get_string(const cJSON *object, const char *key, const char *path, const char **value);
les_status les_json_get_bool(const cJSON *object, const char *key, const char *path, bool *value);
les_status les_json_get_number(const cJSON *object, const char *key, const char *path, double low,
                               double high, double *value);
les_status les_json_get_int(const cJSON *object, const char *key, const char *path, int low, int high,
                            int *value);

/* A number with 9 significant digits; NaN and infinity as null, no "-0". */
cJSON *les_json_number(double value);

/* A number as its shortest decimal form that reads back as the same float; NaN and infinity as null. */
cJSON *les_json_float(float value);

/* Writing. A document that memory runs out for is freed and becomes NULL, and stays NULL whatever is added to
 * it: only the whole has to be looked at in the end, and none is ever shortened. */
void les_json_add_number(cJSON **object, const char *key, double value);
void les_json_add_string(cJSON **object, const char *key, const char *value);

/* `item` is the document's from now on; NULL, which came of a lack of memory, makes it NULL too. */
void les_json_add_item(cJSON **object, const char *key, cJSON *item);
void les_json_append(cJSON **array, cJSON *item);

#endif
