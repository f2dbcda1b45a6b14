#include "store/store_create.h"

#include "base/clock.h"
#include "lesion/target.h"
#include "result/hdf5_file.h"
#include "result/schema.h"
#include "result/spec.h"
#include "store/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum dim { DIM_LESION, DIM_PROMPT, DIM_TOKEN, DIM_LAYER, N_DIMS } dim;
static const char *const dim_names[N_DIMS] = {"/lesion", "/prompt", "/token", "/layer"};
static const dim cell_dims[] = {DIM_LESION, DIM_PROMPT};

/* One file in the making. */
typedef struct maker {
  les_hdf5 h;
  const les_study *study;
  hid_t links;          /* properties: groups on the way to a data set are made too */
  hid_t scales[N_DIMS]; /* open data sets; negative: the dimension is empty */
  int extent[N_DIMS];
  les_target *targets; /* (lesions) what each does */
  char **families;     /* (lesions) */
  char *empty;         /* a cleared record */
} maker;

static les_status cannot_make(const maker *m, const char *name) {
  return les_fail(LES_FAILED, "%s: %s cannot be made; is the disk full or a quota reached?", m->h.path, name);
}

/* ---- data sets ----------------------------------------------------------------------------------------- */

/* How data sets are laid out: contiguous and allocated at once, so that a cell has its place in the file from
 * the beginning; no times, which would differ from run to run. Negative if it cannot be made. */
static hid_t make_layout(hid_t type, const void *fill) {
  hid_t how = H5Pcreate(H5P_DATASET_CREATE);
  if (how >= 0 && H5Pset_layout(how, H5D_CONTIGUOUS) >= 0 &&
      H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY) >= 0 && H5Pset_fill_time(how, H5D_FILL_TIME_ALLOC) >= 0 &&
      H5Pset_obj_track_times(how, false) >= 0 && (!fill || H5Pset_fill_value(how, type, fill) >= 0))
    return how;
  if (how >= 0) H5Pclose(how);
  return H5I_INVALID_HID;
}

/* Makes a data set, of `data` or of fill values, and leaves it open. */
static les_status make_dataset(const maker *m, const char *name, hid_t type, int n_dims, const dim *dims,
                               const void *fill, const void *data, hid_t *set) {
  hsize_t shape[3];
  for (int i = 0; i < n_dims; i++) shape[i] = (hsize_t)m->extent[dims[i]];
  hid_t space = n_dims ? H5Screate_simple(n_dims, shape, NULL) : H5Screate(H5S_SCALAR);
  hid_t how = make_layout(type, fill);
  *set = H5Dcreate2(m->h.file, name, type, space, m->links, how, H5P_DEFAULT);
  bool good = *set >= 0 && (!data || H5Dwrite(*set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  if (how >= 0) H5Pclose(how);
  if (space >= 0) H5Sclose(space);
  if (good) return LES_OK;
  if (*set >= 0) H5Dclose(*set);
  *set = H5I_INVALID_HID;
  return cannot_make(m, name);
}

/* The same, with its dimension scales, and closed. */
static les_status make_array(const maker *m, const char *name, hid_t type, int n_dims, const dim *dims,
                             const void *fill, const void *data) {
  hid_t set;
  LES_TRY(make_dataset(m, name, type, n_dims, dims, fill, data, &set));
  bool good = true;
  for (int i = 0; i < n_dims && good; i++) good = H5DSattach_scale(set, m->scales[dims[i]], (unsigned)i) >= 0;
  good = H5Dclose(set) >= 0 && good;
  return good ? LES_OK : cannot_make(m, name);
}

static les_status make_scale(maker *m, dim d) {
  int n = m->extent[d];
  if (n < 1) return LES_OK;
  int32_t *count = calloc((size_t)n, sizeof *count);
  if (!count) return les_no_memory("%s of %s", dim_names[d], m->h.path);
  for (int i = 0; i < n; i++) count[i] = i;
  les_status s =
      make_dataset(m, dim_names[d], les_hdf5_type(LES_FIELD_I32), 1, &d, NULL, count, &m->scales[d]);
  free(count);
  LES_TRY(s);
  return H5DSset_scale(m->scales[d], dim_names[d] + 1) >= 0 ? LES_OK : cannot_make(m, dim_names[d]);
}

/* ---- strings ------------------------------------------------------------------------------------------- */

/* The i-th of the strings of a data set. */
typedef const char *text_fn(const maker *m, size_t i);

static const char *job_text(const maker *m, size_t i) {
  return (void)i, m->study->json;
}
static const char *lesion_spec(const maker *m, size_t i) {
  return m->study->lesions.items[i].spec;
}
static const char *lesion_family(const maker *m, size_t i) {
  return m->families[i];
}
static const char *lesion_operation(const maker *m, size_t i) {
  return m->targets[i].operation;
}
static const char *lesion_part(const maker *m, size_t i) {
  return m->targets[i].part;
}
static const char *lesion_dose_key(const maker *m, size_t i) {
  return m->targets[i].dose_key;
}
static const char *prompt_id(const maker *m, size_t i) {
  return m->study->columns.items[i].id;
}
static const char *prompt_domain(const maker *m, size_t i) {
  return m->study->columns.items[i].domain;
}
static const char *prompt_text(const maker *m, size_t i) {
  return m->study->columns.items[i].text;
}

/* Makes one string (n_dims 0) or one for each entry of d (n_dims 1). */
static les_status make_strings(const maker *m, const char *name, int n_dims, dim d, text_fn *text) {
  size_t width = 1, n = n_dims ? (size_t)m->extent[d] : 1;
  for (size_t i = 0; i < n; i++)
    if (strlen(text(m, i)) > width) width = strlen(text(m, i));
  char *data = calloc(n, width);
  if (!data) return les_no_memory("%s of %s", name, m->h.path);
  for (size_t i = 0; i < n; i++) memcpy(data + i * width, text(m, i), strlen(text(m, i)));
  hid_t type = les_hdf5_string_type(width);
  les_status s = type >= 0 ? make_array(m, name, type, n_dims, &d, NULL, data) : cannot_make(m, name);
  if (type >= 0) H5Tclose(type);
  free(data);
  return s;
}

/* ---- lesions ------------------------------------------------------------------------------------------- */

static les_status find_targets(maker *m) {
  const les_lesions *lesions = &m->study->lesions;
  m->targets = calloc((size_t)lesions->n, sizeof *m->targets);
  m->families = calloc((size_t)lesions->n, sizeof *m->families);
  if (!m->targets || !m->families) return les_no_memory("the lesions of %s", m->h.path);
  for (int i = 0; i < lesions->n; i++) {
    m->targets[i] = les_lesion_target(&lesions->items[i]);
    LES_TRY(les_spec_family(lesions->items[i].spec, lesions->items[i].layer, &m->families[i]));
  }
  return LES_OK;
}

/* The numbers of lesions: their layers and doses. */
static les_status make_lesion_numbers(const maker *m) {
  size_t n = (size_t)m->study->lesions.n;
  int32_t *layers = calloc(n, sizeof *layers);
  float *doses = calloc(n, sizeof *doses);
  les_status s = layers && doses ? LES_OK : les_no_memory("the lesions of %s", m->h.path);
  for (size_t i = 0; s == LES_OK && i < n; i++) {
    layers[i] = m->study->lesions.items[i].layer;
    doses[i] = (float)m->targets[i].dose;
  }
  if (s == LES_OK)
    s = make_array(m, LES_DATA_LESION_LAYER, les_hdf5_type(LES_FIELD_I32), 1, cell_dims, NULL, layers);
  if (s == LES_OK)
    s = make_array(m, LES_DATA_LESION_DOSE, les_hdf5_type(LES_FIELD_F32), 1, cell_dims, NULL, doses);
  free(doses);
  free(layers);
  return s;
}

static les_status make_lesions(maker *m) {
  LES_TRY(find_targets(m));
  LES_TRY(make_strings(m, LES_DATA_LESION_SPEC, 1, DIM_LESION, lesion_spec));
  LES_TRY(make_strings(m, LES_DATA_LESION_FAMILY, 1, DIM_LESION, lesion_family));
  LES_TRY(make_strings(m, LES_DATA_LESION_OPERATION, 1, DIM_LESION, lesion_operation));
  LES_TRY(make_strings(m, LES_DATA_LESION_PART, 1, DIM_LESION, lesion_part));
  LES_TRY(make_strings(m, LES_DATA_LESION_DOSE_KEY, 1, DIM_LESION, lesion_dose_key));
  LES_TRY(make_lesion_numbers(m));
  LES_TRY(
      make_array(m, LES_DATA_LESION_DONE, les_hdf5_type(LES_FIELD_U8), 1, cell_dims, &(uint8_t){0}, NULL));
  hid_t hex = les_hdf5_string_type(LES_SHA_BYTES);
  les_status s = hex >= 0 ? make_array(m, LES_DATA_LESION_SHA256, hex, 1, cell_dims, NULL, NULL)
                          : cannot_make(m, LES_DATA_LESION_SHA256);
  if (hex >= 0) H5Tclose(hex);
  return s;
}

/* ---- cells --------------------------------------------------------------------------------------------- */

/* A value of every cell, or of every intact run. */
static les_status make_cells(const maker *m, bool baseline, const char *path, hid_t type,
                             les_field_extent extent, const void *fill) {
  const dim dims[3] = {DIM_LESION, DIM_PROMPT, extent == LES_EXTENT_TOKENS ? DIM_TOKEN : DIM_LAYER};
  int n_dims = extent == LES_EXTENT_ONE ? 2 : 3;
  return make_array(m, path, type, n_dims - baseline, dims + baseline, fill, NULL);
}

static les_status make_fields(const maker *m, bool baseline) {
  const les_record_layout *layout = &m->study->layout;
  LES_TRY(make_cells(m, baseline, baseline ? LES_DATA_BASELINE_STATUS : LES_DATA_CELL_STATUS,
                     les_hdf5_type(LES_FIELD_U8), LES_EXTENT_ONE, &(uint8_t){LES_CELL_TODO}));
  LES_TRY(make_cells(m, baseline, baseline ? LES_DATA_BASELINE_CHECK : LES_DATA_CELL_CHECK, H5T_STD_U64LE,
                     LES_EXTENT_ONE, &(uint64_t){0}));
  for (int i = 0; i < LES_N_FIELDS; i++) {
    const les_field *f = &les_fields[i];
    char path[LES_PATH_BYTES];
    if (!layout->has[i] || (baseline && !f->baseline)) continue;
    les_field_path((les_field_id)i, baseline, path);
    LES_TRY(make_cells(m, baseline, path, les_hdf5_type(f->type), f->extent, m->empty + layout->offset[i]));
  }
  return LES_OK;
}

static les_status make_datasets(maker *m) {
  for (dim d = 0; d < N_DIMS; d++) LES_TRY(make_scale(m, d));
  LES_TRY(make_strings(m, LES_DATA_JOB, 0, DIM_LESION, job_text));
  LES_TRY(make_lesions(m));
  LES_TRY(make_strings(m, LES_DATA_PROMPT_ID, 1, DIM_PROMPT, prompt_id));
  LES_TRY(make_strings(m, LES_DATA_PROMPT_DOMAIN, 1, DIM_PROMPT, prompt_domain));
  LES_TRY(make_strings(m, LES_DATA_PROMPT_TEXT, 1, DIM_PROMPT, prompt_text));
  LES_TRY(make_fields(m, true));
  return make_fields(m, false);
}

/* ---- attributes ---------------------------------------------------------------------------------------- */

static les_status make_text(const maker *m, const char *name, const char *text) {
  return les_hdf5_make_attr_string(&m->h, name, strlen(text), text);
}

static les_status make_attributes(const maker *m) {
  const les_model *model = m->study->model;
  const les_store_history none = {0}; /* room for what is written in place later */
  char date[LES_DATE_BYTES];
  les_date(date);
  LES_TRY(les_hdf5_make_attr_int(&m->h, LES_ATTR_SCHEMA, LES_SCHEMA));
  LES_TRY(make_text(m, LES_ATTR_PROGRAM, "lesion " LES_VERSION));
  LES_TRY(make_text(m, LES_ATTR_MODEL_NAME, model->name));
  LES_TRY(make_text(m, LES_ATTR_MODEL_SHA256, model->sha256));
  LES_TRY(les_hdf5_make_attr_int(&m->h, LES_ATTR_MODEL_LAYERS, model->hparams.n_layers));
  LES_TRY(make_text(m, LES_ATTR_ARCHITECTURE, model->arch));
  LES_TRY(make_text(m, LES_ATTR_COMPUTE, les_compute_name(m->study->job->compute)));
  LES_TRY(make_text(m, LES_ATTR_PROMPTS_SHA256, m->study->prompts.sha256));
  LES_TRY(make_text(m, LES_ATTR_STARTED, date));
  LES_TRY(les_hdf5_make_attr_int(&m->h, LES_ATTR_CELLS_COMPUTED, none.cells_computed));
  LES_TRY(les_hdf5_make_attr_int(&m->h, LES_ATTR_CELLS_FLAGGED, none.cells_flagged));
  LES_TRY(les_hdf5_make_attr_int(&m->h, LES_ATTR_STARTS, none.starts));
  LES_TRY(les_hdf5_make_attr_string(&m->h, LES_ATTR_FINISHED, sizeof none.finished, none.finished));
  return les_hdf5_make_attr_string(&m->h, LES_ATTR_HOSTS, sizeof none.hosts, none.hosts);
}

/* ---- the file ------------------------------------------------------------------------------------------ */

/* Bytes of the cells, which are nearly all of the file. */
static double file_bytes(const les_study *study) {
  return ((double)study->lesions.n + 1) * study->columns.n * ((double)study->layout.bytes + 9);
}

/* Makes an empty file that is nobody else's, with the user's umask, and tries whether the disk, the quota and
 * the limits have room for what will be in it. */
static les_status touch(const char *path, const les_study *study) {
  if (unlink(path) != 0 && errno != ENOENT)
    return les_fail(LES_FAILED, "%s cannot be replaced: %s", path, strerror(errno));
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0)
    return les_fail(LES_FAILED, "%s cannot be created: %s; give an --output that can be written", path,
                    strerror(errno));
  bool room = fallocate(fd, 0, 0, (off_t)file_bytes(study)) == 0 || errno == EOPNOTSUPP || errno == ENOSYS;
  int error = errno;
  close(fd);
  if (room) return LES_OK;
  unlink(path);
  return les_fail(LES_FAILED,
                  "%s: no room for the %.1f MB of the results: %s; free some or give another --output", path,
                  file_bytes(study) / 1e6, strerror(error));
}

static les_status make_all(maker *m, const char *path) {
  if (!m->empty) return les_no_memory("a record of %s", path);
  les_record_clear(&m->study->layout, m->empty);
  LES_TRY(les_hdf5_create(&m->h, path));
  if (m->links < 0 || H5Pset_create_intermediate_group(m->links, 1) < 0) return cannot_make(m, "/");
  LES_TRY(make_datasets(m));
  LES_TRY(make_attributes(m));
  return les_hdf5_flush(&m->h);
}

/* Writes everything into the file that is at `path`. */
static les_status make(const char *path, const les_study *study) {
  maker m = {.h.file = H5I_INVALID_HID,
             .study = study,
             .links = H5Pcreate(H5P_LINK_CREATE),
             .scales = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID},
             .extent = {[DIM_LESION] = study->lesions.n,
                        [DIM_PROMPT] = study->columns.n,
                        [DIM_TOKEN] = study->job->max_new_tokens,
                        [DIM_LAYER] = study->model->hparams.n_layers},
             .empty = malloc(study->layout.bytes + 1)};
  les_status s = make_all(&m, path);
  for (dim d = 0; d < N_DIMS; d++)
    if (m.scales[d] >= 0) H5Dclose(m.scales[d]);
  les_hdf5_free(&m.h);
  if (m.links >= 0) H5Pclose(m.links);
  for (int i = 0; m.families && i < study->lesions.n; i++) free(m.families[i]);
  free(m.families);
  free(m.targets);
  free(m.empty);
  return s;
}

/* Syncs the file and gives it its name. */
static les_status publish(const char *aside, const char *path) {
  int fd = open(aside, O_RDONLY | O_CLOEXEC);
  bool good = fd >= 0 && fsync(fd) == 0 && rename(aside, path) == 0;
  les_status s = good ? LES_OK : les_fail(LES_FAILED, "%s cannot be created: %s", path, strerror(errno));
  if (fd >= 0) close(fd);
  return s;
}

les_status les_store_create(const char *path, const les_study *study) {
  char *aside;
  if (asprintf(&aside, "%s.new", path) < 0) return les_no_memory("a file name");
  les_status s = touch(aside, study);
  if (s == LES_OK) {
    s = make(aside, study);
    if (s == LES_OK) s = publish(aside, path);
    if (s != LES_OK) unlink(aside);
  }
  free(aside);
  return s;
}
