#include "store/store_file.h"

#include "result/hdf5_file.h"
#include "result/schema.h"

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

/* Sets *differs to `what` if the attribute is not `want`, unless something differs already. */
static les_status compare_attr(const les_hdf5 *h, const char *name, const char *want, const char *what,
                               const char **differs) {
  char *got;
  if (*differs) return LES_OK;
  LES_TRY(les_hdf5_attr_string(h, name, &got));
  if (strcmp(got, want)) *differs = what;
  free(got);
  return LES_OK;
}

static les_status compare_job(const les_hdf5 *h, const char *want, const char **differs) {
  char **got;
  if (*differs) return LES_OK;
  LES_TRY(les_hdf5_read_strings(h, LES_DATA_JOB, 0, 1, &got));
  if (strcmp(got[0], want)) *differs = "its lesions, generation or measures are other ones (/job)";
  les_hdf5_strings_free(got, 1);
  return LES_OK;
}

static les_status compare(const les_hdf5 *h, const les_study *study, const char **differs) {
  int64_t schema;
  if (les_hdf5_attr_int(h, LES_ATTR_SCHEMA, &schema) != LES_OK) {
    *differs = "it is no result file of this program";
    return LES_OK;
  }
  if (schema != LES_SCHEMA) *differs = "it has another schema, of another version of this program";
  LES_TRY(compare_attr(h, LES_ATTR_MODEL_SHA256, study->model->sha256, "its model is another one (SHA-256)",
                       differs));
  LES_TRY(compare_attr(h, LES_ATTR_PROMPTS_SHA256, study->prompts.sha256,
                       "its prompts are other ones (SHA-256)", differs));
  LES_TRY(compare_attr(h, LES_ATTR_COMPUTE, les_compute_name(study->job->compute),
                       "its compute mode is another one", differs));
  return compare_job(h, study->json, differs);
}

les_status les_store_match(const char *path, const les_study *study) {
  les_hdf5 h;
  const char *differs = NULL;
  les_status s = les_hdf5_init(&h, path, LES_HDF5_READ);
  if (s == LES_OK) s = compare(&h, study, &differs);
  les_hdf5_free(&h);
  LES_TRY(s);
  if (!differs) return LES_OK;
  return les_fail(LES_FAILED, "%s is of another job: %s; remove it or give another --output", path, differs);
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
