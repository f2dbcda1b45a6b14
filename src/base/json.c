#include "base/json.h"

#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a byte of a document is, for messages: "job.json:3:17", lines and characters counted from 1. */
typedef struct place {
  const char *path;
  int line, column;
} place;

static place place_of(const char *text, size_t offset, les_json_source source) {
  place at = {source.path, source.line, 1};
  for (size_t i = 0; i < offset; i++) {
    if (text[i] == '\n')
      at.line++, at.column = 1;
    else
      at.column += les_utf8_is_start(text[i]);
  }
  return at;
}

/* Offset of an escaped null character; n if there is none. cJSON would end the string there. */
static size_t find_escaped_null(const char *text, size_t n) {
  for (size_t i = 0; i + 1 < n; i++) {
    if (text[i] != '\\') continue;
    if (n - i >= 6 && !memcmp(text + i, "\\u0000", 6)) return i;
    i++;
  }
  return n;
}

/* The last byte before `at` that is not white space; 0 at the beginning. */
static char byte_before(const char *text, size_t at) {
  while (at > 0 && strchr(" \t\r\n", text[at - 1])) at--;
  return at > 0 ? text[at - 1] : 0;
}

/* What is the matter with a document that cJSON stopped reading at text[offset]. */
static les_status not_json(const char *text, size_t n, size_t offset, les_json_source source) {
  if (offset > 0 && strchr("]}", text[offset - 1]) && byte_before(text, offset - 1) == ',')
    offset--; /* where a key should be, cJSON stops one further */
  place at = place_of(text, offset, source);
  if (offset >= n)
    return les_fail(LES_FAILED, "%s:%d:%d: not valid JSON: it ends too early", at.path, at.line, at.column);
  if (strchr("]}", text[offset]) && byte_before(text, offset) == ',')
    return les_fail(LES_FAILED, "%s:%d:%d: not valid JSON: a comma before '%c'; remove the comma", at.path,
                    at.line, at.column, text[offset]);
  size_t rest = strcspn(text + offset, "\r\n");
  return les_fail(LES_FAILED, "%s:%d:%d: not valid JSON near '%.*s'", at.path, at.line, at.column,
                  rest > 20 ? 20 : (int)rest, text + offset);
}

les_status les_json_parse(cJSON **doc, const char *text, size_t n, les_json_source source) {
  *doc = NULL;
  size_t valid = les_text_valid(text, n);
  if (valid < n) {
    place at = place_of(text, valid, source);
    return les_fail(LES_FAILED, "%s:%d:%d: not valid UTF-8 (byte 0x%02x); save the file as UTF-8", at.path,
                    at.line, at.column, (unsigned char)text[valid]);
  }
  size_t null = find_escaped_null(text, n);
  if (null < n) {
    place at = place_of(text, null, source);
    return les_fail(LES_FAILED, "%s:%d:%d: holds a null character (\\u0000); remove it", at.path, at.line,
                    at.column);
  }
  const char *end = text;
  *doc = cJSON_ParseWithLengthOpts(text, n + 1, &end, true);
  return *doc ? LES_OK : not_json(text, n, end > text ? (size_t)(end - text) : 0, source);
}

les_status les_json_read(cJSON **doc, const char *path) {
  *doc = NULL;
  char *text;
  size_t n;
  LES_TRY(les_text_read(path, &text, &n));
  les_status s = les_json_parse(doc, text, n, (les_json_source){path, 1});
  free(text);
  return s;
}

les_status les_json_lines(char *text, size_t n, const char *path, les_json_line_fn *line, void *ctx) {
  les_json_source source = {path, 1};
  for (char *at = text, *end = text + n; at < end; source.line++) {
    char *stop = memchr(at, '\n', (size_t)(end - at));
    if (!stop) stop = end;
    *stop = 0;
    if (strspn(at, " \t\r") < (size_t)(stop - at)) {
      cJSON *doc;
      LES_TRY(les_json_parse(&doc, at, (size_t)(stop - at), source));
      les_status s = line(ctx, doc, source);
      cJSON_Delete(doc);
      if (s != LES_OK) return s;
    }
    at = stop + 1;
  }
  return LES_OK;
}

les_status les_json_read_lines(const char *path, les_json_line_fn *line, void *ctx) {
  char *text;
  size_t n;
  LES_TRY(les_text_read(path, &text, &n));
  les_status s = les_json_lines(text, n, path, line, ctx);
  free(text);
  return s;
}

les_status les_json_check_keys(const cJSON *object, const char *what, const char *const *keys, int n_keys,
                               const char *path) {
  if (!cJSON_IsObject(object)) return les_fail(LES_USAGE, "%s: %s is not a JSON object", path, what);
  const cJSON *item;
  cJSON_ArrayForEach(item, object) {
    int known = 0;
    for (int i = 0; i < n_keys; i++) known += !strcmp(keys[i], item->string);
    if (!known) {
      const char *nearest = les_text_nearest(item->string, keys, n_keys);
      return les_fail(LES_USAGE, "%s: %s has a key '%s', which is not known%s%s%s", path, what, item->string,
                      nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    }
    for (const cJSON *next = item->next; next; next = next->next)
      if (!strcmp(next->string, item->string))
        return les_fail(LES_USAGE, "%s: %s has the key '%s' twice", path, what, item->string);
  }
  return LES_OK;
}

les_status les_json_get_string(const cJSON *object, const char *key, const char *path, const char **value) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!item) return LES_OK;
  if (!cJSON_IsString(item)) return les_fail(LES_USAGE, "%s: '%s' has to be a string", path, key);
  *value = item->valuestring;
  return LES_OK;
}

les_status les_json_get_bool(const cJSON *object, const char *key, const char *path, bool *value) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!item) return LES_OK;
  if (!cJSON_IsBool(item)) return les_fail(LES_USAGE, "%s: '%s' has to be true or false", path, key);
  *value = cJSON_IsTrue(item);
  return LES_OK;
}

les_status les_json_get_number(const cJSON *object, const char *key, const char *path, double low,
                               double high, double *value) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!item) return LES_OK;
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high))
    return les_fail(LES_USAGE, "%s: '%s' has to be a number from %.17g to %.17g", path, key, low, high);
  *value = item->valuedouble;
  return LES_OK;
}

les_status les_json_get_int(const cJSON *object, const char *key, const char *path, int low, int high,
                            int *value) {
  double number = *value;
  LES_TRY(les_json_get_number(object, key, path, low, high, &number));
  if (number != floor(number)) return les_fail(LES_USAGE, "%s: '%s' has to be a whole number", path, key);
  *value = (int)number;
  return LES_OK;
}

cJSON *les_json_number(double value) {
  char text[32];
  if (!isfinite(value)) return cJSON_CreateNull();
  snprintf(text, sizeof text, "%.9g", value == 0 ? 0 : value);
  return cJSON_CreateRaw(text);
}

cJSON *les_json_float(float value) {
  char text[32];
  if (!isfinite(value)) return cJSON_CreateNull();
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)value);
    if (strtof(text, NULL) == value) break;
  }
  return cJSON_CreateRaw(text);
}

/* The item, or NULL if it could not be added. */
static cJSON *add(cJSON *parent, const char *key, cJSON *item) {
  if (key ? cJSON_AddItemToObject(parent, key, item) : cJSON_AddItemToArray(parent, item)) return item;
  cJSON_Delete(item);
  if (parent) parent->type = cJSON_Invalid; /* cJSON prints no document that holds one */
  return NULL;
}

void les_json_add(cJSON *parent, const char *key, cJSON *item) {
  add(parent, key, item);
}

cJSON *les_json_add_object(cJSON *parent, const char *key) {
  return add(parent, key, cJSON_CreateObject());
}

cJSON *les_json_add_array(cJSON *parent, const char *key) {
  return add(parent, key, cJSON_CreateArray());
}

void les_json_add_string(cJSON *parent, const char *key, const char *value) {
  les_json_add(parent, key, cJSON_CreateString(value));
}

void les_json_add_number(cJSON *parent, const char *key, double value) {
  les_json_add(parent, key, cJSON_CreateNumber(value));
}

void les_json_add_bool(cJSON *parent, const char *key, bool value) {
  les_json_add(parent, key, cJSON_CreateBool(value));
}

void les_json_add_null(cJSON *parent, const char *key) {
  les_json_add(parent, key, cJSON_CreateNull());
}

void les_json_add_ints(cJSON *parent, const char *key, const int *values, int n) {
  les_json_add(parent, key, n > 0 ? cJSON_CreateIntArray(values, n) : cJSON_CreateArray());
}

void les_json_add_floats(cJSON *parent, const char *key, const float *values, int n) {
  les_json_add(parent, key, n > 0 ? cJSON_CreateFloatArray(values, n) : cJSON_CreateArray());
}

void les_json_add_doubles(cJSON *parent, const char *key, const double *values, int n) {
  les_json_add(parent, key, n > 0 ? cJSON_CreateDoubleArray(values, n) : cJSON_CreateArray());
}
