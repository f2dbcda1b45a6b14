#include "store/store_file.h"

#include "result/hdf5_file.h"
#include "result/schema.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

les_status les_store_exists(const char *path, bool *exists) {
  struct stat s;
  *exists = false;
  if (lstat(path, &s) != 0)
    return errno == ENOENT ? LES_OK : les_fail(LES_FAILED, "%s cannot be read: %s", path, strerror(errno));
  if (S_ISLNK(s.st_mode))
    return les_fail(LES_FAILED, "%s is a link; results are not written through links, give the file itself",
                    path);
  if (!S_ISREG(s.st_mode)) return les_fail(LES_FAILED, "%s is not a file; give another --output", path);
  *exists = true;
  return LES_OK;
}

/* ---- identity ------------------------------------------------------------------------------------------ */

/* The first value in which two jobs differ; NULL: not set in that one. */
typedef struct difference {
  char key[128]; /* "generate.max_new_tokens", "lesions[3]" */
  const cJSON *there, *here;
} difference;

static bool find_difference(const cJSON *there, const cJSON *here, const char *key, difference *d);

static bool differ_in_key(const cJSON *there, const cJSON *here, const char *in, const char *name,
                          difference *d) {
  char key[sizeof d->key];
  snprintf(key, sizeof key, "%s%s%s", in, *in ? "." : "", name);
  return find_difference(cJSON_GetObjectItemCaseSensitive(there, name),
                         cJSON_GetObjectItemCaseSensitive(here, name), key, d);
}

static bool objects_differ(const cJSON *there, const cJSON *here, const char *key, difference *d) {
  const cJSON *item;
  cJSON_ArrayForEach(item, here) if (differ_in_key(there, here, key, item->string, d)) return true;
  cJSON_ArrayForEach(item, there) if (differ_in_key(there, here, key, item->string, d)) return true;
  return false;
}

static bool arrays_differ(const cJSON *there, const cJSON *here, const char *key, difference *d) {
  const cJSON *a = there->child, *b = here->child;
  for (int i = 0; a || b; i++, a = a ? a->next : NULL, b = b ? b->next : NULL) {
    char entry[sizeof d->key];
    snprintf(entry, sizeof entry, "%.100s[%d]", key, i);
    if (find_difference(a, b, entry, d)) return true;
  }
  return false;
}

static bool find_difference(const cJSON *there, const cJSON *here, const char *key, difference *d) {
  if (cJSON_IsObject(there) && cJSON_IsObject(here)) return objects_differ(there, here, key, d);
  if (cJSON_IsArray(there) && cJSON_IsArray(here)) return arrays_differ(there, here, key, d);
  if (cJSON_Compare(there, here, true)) return false;
  d->there = there, d->here = here;
  snprintf(d->key, sizeof d->key, "%s", *key ? key : "/job");
  return true;
}

/* A value as it is written in a job, or "not set"; cut if it is long. */
static void describe_value(const cJSON *value, char text[64]) {
  char *printed = value ? cJSON_PrintUnformatted(value) : NULL;
  bool cut = printed && strlen(printed) > 40;
  snprintf(text, 64, "%.40s%s", printed ? printed : value ? "?" : "not set", cut ? "..." : "");
  cJSON_free(printed);
}

/* The message about a file of another job: which value differs, the old and the new one. */
static les_status refuse(const char *path, const les_study *study, const difference *d) {
  char there[64], here[64];
  const char *file = !strcmp(d->key, "model_sha256")     ? study->job->model_path
                     : !strcmp(d->key, "prompts_sha256") ? study->job->prompts_path
                                                         : NULL;
  describe_value(d->there, there);
  describe_value(d->here, here);
  return les_fail(
      LES_FAILED,
      "%s is of another job: '%s' is %s there and %s here%s%s%s; set it back, remove the file or give "
      "another --output",
      path, d->key, there, here, file ? " (" : "", file ? file : "", file ? ")" : "");
}

static les_status compare(const les_hdf5 *h, const les_study *study) {
  int64_t schema;
  char **job;
  if (les_hdf5_attr_int(h, LES_ATTR_SCHEMA, &schema) != LES_OK)
    return les_fail(LES_FAILED, "%s is no result file of this program; give another --output", h->path);
  if (schema != LES_SCHEMA)
    return les_fail(LES_FAILED,
                    "%s has another schema, of another version of this program; give another --output",
                    h->path);
  LES_TRY(les_hdf5_read_strings(h, LES_DATA_JOB, 0, 1, &job));
  les_status s = LES_OK;
  if (strcmp(job[0], study->json)) {
    difference d = {.key = "/job"};
    cJSON *there = cJSON_Parse(job[0]), *here = cJSON_Parse(study->json);
    find_difference(there, here, "", &d);
    s = refuse(h->path, study, &d);
    cJSON_Delete(there);
    cJSON_Delete(here);
  }
  les_hdf5_strings_free(job, 1);
  return s;
}

les_status les_store_match(const char *path, const les_study *study) {
  les_hdf5 h;
  les_status s = les_hdf5_init(&h, path, LES_HDF5_READ);
  if (s == LES_OK) s = compare(&h, study);
  les_hdf5_free(&h);
  return s;
}

/* ---- progress ------------------------------------------------------------------------------------------ */

static les_status count_cells(const les_hdf5 *h, les_store_count *count) {
  int shape[2];
  void *cells;
  LES_TRY(les_hdf5_shape(h, LES_DATA_CELL_STATUS, 2, shape));
  LES_TRY(les_hdf5_read(h, LES_DATA_CELL_STATUS, LES_FIELD_U8, 2, shape, &cells));
  count->total = (int64_t)shape[0] * shape[1];
  for (int64_t i = 0; i < count->total; i++) {
    count->done += ((uint8_t *)cells)[i] == LES_CELL_DONE;
    count->failed += ((uint8_t *)cells)[i] == LES_CELL_FAILED;
  }
  free(cells);
  return LES_OK;
}

les_status les_store_count_cells(const char *path, les_store_count *count) {
  bool exists;
  les_hdf5 h;
  *count = (les_store_count){0};
  LES_TRY(les_store_exists(path, &exists));
  if (!exists) return LES_OK;
  les_status s = les_hdf5_init(&h, path, LES_HDF5_READ);
  if (s == LES_OK) s = count_cells(&h, count);
  les_hdf5_free(&h);
  return s;
}

/* ---- history ------------------------------------------------------------------------------------------- */

static les_status get_text(const les_hdf5 *h, const char *name, char *out, size_t bytes) {
  char *text;
  LES_TRY(les_hdf5_attr_string(h, name, &text));
  snprintf(out, bytes, "%s", text);
  free(text);
  return LES_OK;
}

static les_status get_history(const les_hdf5 *h, les_store_history *out) {
  LES_TRY(les_hdf5_attr_int(h, LES_ATTR_CELLS_COMPUTED, &out->cells_computed));
  LES_TRY(les_hdf5_attr_int(h, LES_ATTR_CELLS_FLAGGED, &out->cells_flagged));
  LES_TRY(les_hdf5_attr_int(h, LES_ATTR_STARTS, &out->starts));
  LES_TRY(get_text(h, LES_ATTR_FINISHED, out->finished, sizeof out->finished));
  return get_text(h, LES_ATTR_HOSTS, out->hosts, sizeof out->hosts);
}

les_status les_store_get_history(const char *path, les_store_history *out) {
  les_hdf5 h;
  *out = (les_store_history){0};
  les_status s = les_hdf5_init(&h, path, LES_HDF5_READ);
  if (s == LES_OK) s = get_history(&h, out);
  les_hdf5_free(&h);
  return s;
}

static les_status set_history(const les_hdf5 *h, const les_store_history *in) {
  LES_TRY(les_hdf5_set_attr_int(h, LES_ATTR_CELLS_COMPUTED, in->cells_computed));
  LES_TRY(les_hdf5_set_attr_int(h, LES_ATTR_CELLS_FLAGGED, in->cells_flagged));
  LES_TRY(les_hdf5_set_attr_int(h, LES_ATTR_STARTS, in->starts));
  LES_TRY(les_hdf5_set_attr_string(h, LES_ATTR_FINISHED, in->finished));
  LES_TRY(les_hdf5_set_attr_string(h, LES_ATTR_HOSTS, in->hosts));
  return les_hdf5_flush(h);
}

les_status les_store_set_history(const char *path, const les_store_history *in) {
  les_hdf5 h;
  les_status s = les_hdf5_init(&h, path, LES_HDF5_WRITE);
  if (s == LES_OK) s = set_history(&h, in);
  les_hdf5_free(&h);
  return s;
}
