#include "base/json.h"

#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_at(const char *text, size_t offset, int first) {
  for (size_t i = 0; i < offset; i++) first += text[i] == '\n';
  return first;
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

les_status les_json_parse(cJSON **doc, const char *text, size_t n, les_json_source source) {
  *doc = NULL;
  size_t valid = les_text_valid(text, n);
  if (valid < n)
    return les_fail(LES_FAILED, "%s:%d: not valid UTF-8 (byte 0x%02x); save the file as UTF-8", source.path,
                    line_at(text, valid, source.line), (unsigned char)text[valid]);
  size_t null = find_escaped_null(text, n);
  if (null < n)
    return les_fail(LES_FAILED, "%s:%d: holds a null character (\\u0000); remove it", source.path,
                    line_at(text, null, source.line));
  const char *end = text;
  *doc = cJSON_ParseWithLengthOpts(text, n + 1, &end, true);
  if (*doc) return LES_OK;
  size_t at = end > text ? (size_t)(end - text) : 0;
  if (at >= n)
    return les_fail(LES_FAILED, "%s:%d: not valid JSON: it ends too early", source.path,
                    line_at(text, n, source.line));
  return les_fail(LES_FAILED, "%s:%d: not valid JSON near '%.*s'", source.path,
                  line_at(text, at, source.line),
                  (int)strcspn(text + at, "\r\n") > 20 ? 20 : (int)strcspn(text + at, "\r\n"), text + at);
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
  if (!cJSON_IsObject(object)) return les_fail(LES_FAILED, "%s: %s is not a JSON object", path, what);
  const cJSON *item;
  cJSON_ArrayForEach(item, object) {
    int known = 0;
    for (int i = 0; i < n_keys; i++) known += !strcmp(keys[i], item->string);
    if (!known) {
      const char *nearest = les_text_nearest(item->string, keys, n_keys);
      return les_fail(LES_FAILED, "%s: %s has a key '%s', which is not known%s%s%s", path, what, item->string,
                      nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    }
    for (const cJSON *next = item->next; next; next = next->next)
      if (!strcmp(next->string, item->string))
        return les_fail(LES_FAILED, "%s: %s has the key '%s' twice", path, what, item->string);
  }
  return LES_OK;
}

les_status les_json_get_string(const cJSON *object, const char *key, const char *path, const char **value) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!item) return LES_OK;
  if (!cJSON_IsString(item)) return les_fail(LES_FAILED, "%s: '%s' has to be a string", path, key);
  *value = item->valuestring;
  return LES_OK;
}

les_status les_json_get_bool(const cJSON *object, const char *key, const char *path, bool *value) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!item) return LES_OK;
  if (!cJSON_IsBool(item)) return les_fail(LES_FAILED, "%s: '%s' has to be true or false", path, key);
  *value = cJSON_IsTrue(item);
  return LES_OK;
}

les_status les_json_get_number(const cJSON *object, const char *key, const char *path, double low,
                               double high, double *value) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!item) return LES_OK;
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high))
    return les_fail(LES_FAILED, "%s: '%s' has to be a number from %.17g to %.17g", path, key, low, high);
  *value = item->valuedouble;
  return LES_OK;
}

les_status les_json_get_int(const cJSON *object, const char *key, const char *path, int low, int high,
                            int *value) {
  double number = *value;
  LES_TRY(les_json_get_number(object, key, path, low, high, &number));
  if (number != floor(number)) return les_fail(LES_FAILED, "%s: '%s' has to be a whole number", path, key);
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

static void keep_if(cJSON **doc, bool complete) {
  if (complete) return;
  cJSON_Delete(*doc);
  *doc = NULL;
}

void les_json_add_number(cJSON **object, const char *key, double value) {
  keep_if(object, cJSON_AddNumberToObject(*object, key, value) != NULL);
}

void les_json_add_string(cJSON **object, const char *key, const char *value) {
  keep_if(object, cJSON_AddStringToObject(*object, key, value) != NULL);
}

void les_json_add_item(cJSON **object, const char *key, cJSON *item) {
  bool added = item && cJSON_AddItemToObject(*object, key, item);
  if (!added) cJSON_Delete(item);
  keep_if(object, added);
}

void les_json_append(cJSON **array, cJSON *item) {
  bool added = item && cJSON_AddItemToArray(*array, item);
  if (!added) cJSON_Delete(item);
  keep_if(array, added);
}
