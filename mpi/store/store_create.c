#include "base/clock.h"
#include "store/store.h"
#include "store/store_names.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum dim { DIM_LESION, DIM_PROMPT, DIM_TOKEN, DIM_LAYER, N_DIMS } dim;
static const char *const dim_names[N_DIMS] = {"/lesion", "/prompt", "/token", "/layer"};
static const dim cell_dims[] = {DIM_LESION, DIM_PROMPT};

/* One file in the making. HDF5's calls on it are collective; raw data is written by rank 0 alone. */
typedef struct maker {
  MPI_Comm comm;
  const les_study *study;
  hid_t file, links, scales[N_DIMS];
  int extent[N_DIMS];
  const char *empty; /* a cleared record */
  bool root, bad;
} maker;

static void check(maker *m, int64_t result) {
  if (result < 0) m->bad = true;
}

/* Any failure on any rank makes all skip what follows: they stay in step. */
static hid_t make_dataset(maker *m, const char *name, hid_t type, int n_dims, const dim *dims,
                          const void *fill, const void *data) {
  hsize_t shape[3];
  if (m->bad) return H5I_INVALID_HID;
  for (int i = 0; i < n_dims; i++) shape[i] = (hsize_t)m->extent[dims[i]];
  hid_t space = n_dims ? H5Screate_simple(n_dims, shape, NULL) : H5Screate(H5S_SCALAR);
  hid_t how = H5Pcreate(H5P_DATASET_CREATE);
  check(m, H5Pset_layout(how, H5D_CONTIGUOUS));
  check(m, H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY));
  check(m, H5Pset_fill_time(how, H5D_FILL_TIME_ALLOC));
  check(m, H5Pset_obj_track_times(how, false));
  if (fill) check(m, H5Pset_fill_value(how, type, fill));
  hid_t set = H5Dcreate2(m->file, name, type, space, m->links, how, H5P_DEFAULT);
  check(m, set);
  if (set >= 0 && data && m->root) check(m, H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
  H5Pclose(how);
  H5Sclose(space);
  MPI_Allreduce(MPI_IN_PLACE, &m->bad, 1, MPI_C_BOOL, MPI_LOR, m->comm);
  return set;
}

/* The same, with its dimension scales. */
static void make_array(maker *m, const char *name, hid_t type, int n_dims, const dim *dims, const void *fill,
                       const void *data) {
  hid_t set = make_dataset(m, name, type, n_dims, dims, fill, data);
  if (set < 0) return;
  for (int i = 0; i < n_dims; i++) check(m, H5DSattach_scale(set, m->scales[dims[i]], (unsigned)i));
  check(m, H5Dclose(set));
}

static hid_t string_type(size_t bytes) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, bytes ? bytes : 1);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static void make_scale(maker *m, dim d) {
  int n = m->extent[d];
  if (n < 1) return;
  int32_t *count = calloc((size_t)n, sizeof *count);
  if (!count) m->bad = true;
  for (int i = 0; count && i < n; i++) count[i] = i;
  hid_t set = m->scales[d] = make_dataset(m, dim_names[d], H5T_STD_I32LE, 1, &d, NULL, count);
  if (set >= 0) check(m, H5DSset_scale(set, dim_names[d] + 1));
  free(count);
}

/* The i-th of the strings of a data set. */
typedef const char *text_fn(const les_study *study, size_t i);

static const char *job_text(const les_study *s, size_t i) {
  return (void)i, s->json;
}
static const char *lesion_spec(const les_study *s, size_t i) {
  return s->lesions.items[i].spec;
}
static const char *prompt_id(const les_study *s, size_t i) {
  return s->columns.items[i].id;
}
static const char *prompt_domain(const les_study *s, size_t i) {
  return s->columns.items[i].domain;
}
static const char *prompt_text(const les_study *s, size_t i) {
  return s->columns.items[i].text;
}

static void make_strings(maker *m, const char *name, int n_dims, dim d, text_fn *text) {
  size_t width = 1, n = n_dims ? (size_t)m->extent[d] : 1;
  for (size_t i = 0; i < n; i++)
    if (strlen(text(m->study, i)) > width) width = strlen(text(m->study, i));
  char *data = calloc(n, width);
  if (!data) m->bad = true;
  for (size_t i = 0; data && i < n; i++)
    memcpy(data + i * width, text(m->study, i), strlen(text(m->study, i)));
  hid_t type = string_type(width);
  make_array(m, name, type, n_dims, &d, NULL, data);
  H5Tclose(type);
  free(data);
}

static void make_lesions(maker *m) {
  int n = m->extent[DIM_LESION];
  int32_t *layers = calloc((size_t)n, sizeof *layers);
  if (!layers) m->bad = true;
  for (int i = 0; layers && i < n; i++) layers[i] = m->study->lesions.items[i].layer;
  make_strings(m, LES_DATA_LESION_SPEC, 1, DIM_LESION, lesion_spec);
  make_array(m, LES_DATA_LESION_LAYER, H5T_STD_I32LE, 1, cell_dims, NULL, layers);
  make_array(m, LES_DATA_LESION_DONE, H5T_STD_U8LE, 1, cell_dims, &(uint8_t){0}, NULL);
  free(layers);
  hid_t hex = string_type(LES_STORE_SHA_BYTES);
  make_array(m, LES_STORE_LESION_SHA, hex, 1, cell_dims, NULL, NULL);
  H5Tclose(hex);
}

/* A value of every cell, or of every intact run. */
static void make_cells(maker *m, bool baseline, const char *name, hid_t type, les_field_extent extent,
                       const void *fill) {
  char path[96];
  dim dims[3] = {DIM_LESION, DIM_PROMPT, extent == LES_EXTENT_TOKENS ? DIM_TOKEN : DIM_LAYER};
  int n_dims = extent == LES_EXTENT_ONE ? 2 : 3;
  snprintf(path, sizeof path, "%s/%s", baseline ? LES_STORE_BASELINE : LES_STORE_CELLS, name);
  make_array(m, path, type, n_dims - baseline, dims + baseline, fill, NULL);
}

static void make_fields(maker *m, bool baseline) {
  const hid_t types[] = {
      [LES_FIELD_F32] = H5T_IEEE_F32LE, [LES_FIELD_I32] = H5T_STD_I32LE, [LES_FIELD_U8] = H5T_STD_U8LE};
  const les_record_layout *layout = &m->study->layout;
  make_cells(m, baseline, LES_STORE_STATUS, H5T_STD_U8LE, LES_EXTENT_ONE, &(uint8_t){LES_CELL_TODO});
  make_cells(m, baseline, LES_STORE_CHECK, H5T_STD_U64LE, LES_EXTENT_ONE, &(uint64_t){0});
  for (int i = 0; i < LES_N_FIELDS; i++) {
    const les_field *f = &les_fields[i];
    if (layout->has[i] && (f->baseline || !baseline))
      make_cells(m, baseline, f->name, types[f->type], f->extent, m->empty + layout->offset[i]);
  }
}

static void make_datasets(maker *m) {
  for (dim d = 0; d < N_DIMS; d++) make_scale(m, d);
  make_strings(m, LES_DATA_JOB, 0, DIM_LESION, job_text);
  make_lesions(m);
  make_strings(m, LES_DATA_PROMPT_ID, 1, DIM_PROMPT, prompt_id);
  make_strings(m, LES_DATA_PROMPT_DOMAIN, 1, DIM_PROMPT, prompt_domain);
  make_strings(m, LES_DATA_PROMPT_TEXT, 1, DIM_PROMPT, prompt_text);
  make_fields(m, true);
  make_fields(m, false);
  for (dim d = 0; d < N_DIMS; d++)
    if (m->scales[d] > 0) check(m, H5Dclose(m->scales[d]));
}

static void make_attribute(maker *m, const char *name, hid_t type, const void *value) {
  if (m->bad) return;
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(m->file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  check(m, attribute);
  if (attribute >= 0) {
    check(m, H5Awrite(attribute, type, value));
    check(m, H5Aclose(attribute));
  }
  H5Sclose(space);
}

static void make_text_attribute(maker *m, const char *name, size_t bytes, const char *text) {
  char *value = calloc(bytes + 1, 1);
  hid_t type = string_type(bytes);
  if (!value)
    m->bad = true;
  else
    make_attribute(m, name, type, strncpy(value, text, bytes));
  H5Tclose(type);
  free(value);
}

static void make_number_attribute(maker *m, const char *name, int64_t value) {
  make_attribute(m, name, H5T_STD_I64LE, &value);
}

static void make_attributes(maker *m, const char *date) {
  const les_model *model = m->study->model;
  const char *compute = les_compute_name(m->study->job->compute);
  make_number_attribute(m, LES_ATTR_SCHEMA, LES_SCHEMA);
  make_text_attribute(m, LES_ATTR_PROGRAM, strlen("lesion " LES_VERSION), "lesion " LES_VERSION);
  make_text_attribute(m, LES_ATTR_MODEL_NAME, strlen(model->name), model->name);
  make_text_attribute(m, LES_ATTR_MODEL_SHA256, strlen(model->sha256), model->sha256);
  make_number_attribute(m, LES_ATTR_MODEL_LAYERS, model->hparams.n_layers);
  make_text_attribute(m, LES_ATTR_ARCHITECTURE, strlen(model->arch), model->arch);
  make_text_attribute(m, LES_ATTR_COMPUTE, strlen(compute), compute);
  make_text_attribute(m, LES_ATTR_PROMPTS_SHA256, strlen(m->study->prompts.sha256), m->study->prompts.sha256);
  les_store_history empty = {0}; /* room for what is written in place later */
  make_number_attribute(m, LES_ATTR_CELLS_COMPUTED, empty.cells_computed);
  make_number_attribute(m, LES_STORE_CELLS_FLAGGED, empty.cells_flagged);
  make_number_attribute(m, LES_STORE_STARTS, empty.starts);
  make_text_attribute(m, LES_STORE_STARTED, strlen(date), date);
  make_text_attribute(m, LES_STORE_FINISHED, sizeof empty.finished, "");
  make_text_attribute(m, LES_STORE_HOSTS, sizeof empty.hosts, "");
}

/* Bytes of the cells, which are nearly all of the file. */
static double file_bytes(const les_study *study) {
  return ((double)study->lesions.n + 1) * study->columns.n * ((double)study->layout.bytes + 9);
}

/* Rank 0: an empty file that is nobody else's, with the user's umask, after a trial that the disk, the quota
 * and the limits have room for what will be in it. */
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

/* Collective: everything but the name. */
static bool make(const char *path, const les_study *study, MPI_Comm comm, const char *date) {
  maker m = {.comm = comm,
             .study = study,
             .extent = {[DIM_LESION] = study->lesions.n,
                        [DIM_PROMPT] = study->columns.n,
                        [DIM_TOKEN] = study->job->max_new_tokens,
                        [DIM_LAYER] = study->model->hparams.n_layers}};
  int rank;
  MPI_Comm_rank(comm, &rank);
  m.root = rank == 0;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  char *empty = malloc(study->layout.bytes);
  if (empty) les_record_clear(&study->layout, empty);
  m.empty = empty;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  check(&m, H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL));
  m.links = H5Pcreate(H5P_LINK_CREATE);
  check(&m, H5Pset_create_intermediate_group(m.links, 1));
  m.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  m.bad |= m.file < 0 || !empty;
  MPI_Allreduce(MPI_IN_PLACE, &m.bad, 1, MPI_C_BOOL, MPI_LOR, comm);
  make_datasets(&m);
  make_attributes(&m, date);
  if (m.file >= 0) {
    check(&m, H5Fflush(m.file, H5F_SCOPE_GLOBAL));
    check(&m, H5Fclose(m.file));
  }
  H5Pclose(m.links);
  H5Pclose(access);
  free(empty);
  return !m.bad;
}

static les_status publish(const char *aside, const char *path) {
  int fd = open(aside, O_RDONLY | O_CLOEXEC);
  bool good = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  if (good && rename(aside, path) == 0) return LES_OK;
  les_status status = les_fail(LES_FAILED, "%s cannot be created: %s", path, strerror(errno));
  unlink(aside);
  return status;
}

les_status les_store_create(const char *path, const les_study *study, MPI_Comm comm) {
  int rank, good = 1;
  char *aside, date[LES_DATE_BYTES];
  if (asprintf(&aside, "%s.new", path) < 0) return les_fail(LES_FAILED, "out of memory for a file name");
  les_status status = LES_OK;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0) {
    les_date(date);
    status = touch(aside, study);
    good = status == LES_OK;
  }
  MPI_Bcast(date, LES_DATE_BYTES, MPI_CHAR, 0, comm); /* attributes are collective: the same on every rank */
  MPI_Bcast(&good, 1, MPI_INT, 0, comm);
  if (good) {
    good = make(aside, study, comm, date);
    MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, comm);
    if (!good) {
      status =
          les_fail(LES_FAILED, "%s cannot be created with its %.1f MB: is the disk full or a quota reached?",
                   path, file_bytes(study) / 1e6);
      if (rank == 0) unlink(aside);
    } else if (rank == 0)
      status = publish(aside, path);
  }
  free(aside);
  int result = (int)status;
  MPI_Bcast(&result, 1, MPI_INT, 0, comm);
  if (rank != 0 && result != LES_OK) status = les_fail((les_status)result, "%s cannot be created", path);
  return status;
}
