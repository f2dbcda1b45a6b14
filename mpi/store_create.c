#include "store.h"

#include "clock.h"
#include "schema.h"
#include "store_names.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One file in the making. HDF5's calls on it are collective; raw data is written by rank 0 alone. Once a call
 * has failed, the rest do nothing: the ranks stay in step, and the outcome is asked once at the end. */
typedef struct maker {
  hid_t file, links, scales[LES_EXTENT_LAYERS + 3]; /* lesion, prompt, then one for each extent */
  int n_lesions, n_prompts, n_layers, n_tokens;
  MPI_Comm comm;
  bool root, bad;
} maker;

enum { SCALE_LESION, SCALE_PROMPT, SCALE_EXTENT };

static void check(maker *m, int64_t result) {
  if (result < 0) m->bad = true;
}

static hid_t make_dataset(maker *m, const char *name, hid_t type, int rank, const hsize_t *dims,
                          const void *fill, const void *data) {
  if (m->bad) return H5I_INVALID_HID;
  hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
  hid_t how = H5Pcreate(H5P_DATASET_CREATE);
  check(m, H5Pset_layout(how, H5D_CONTIGUOUS));
  check(m, H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY));
  check(m, H5Pset_fill_time(how, H5D_FILL_TIME_ALLOC));
  check(m, H5Pset_obj_track_times(how, false));
  if (fill) check(m, H5Pset_fill_value(how, type, fill));
  hid_t set = H5Dcreate2(m->file, name, type, space, m->links, how, H5P_DEFAULT);
  check(m, set);
  if (set >= 0 && data && m->root) check(m, H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
  MPI_Allreduce(MPI_IN_PLACE, &m->bad, 1, MPI_C_BOOL, MPI_LOR, m->comm);
  H5Pclose(how);
  H5Sclose(space);
  return set;
}

static hid_t string_type(size_t bytes) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, bytes ? bytes : 1);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

/* The i-th of some strings that lie in an array of structs. */
typedef const char *text_fn(const les_study *study, size_t i);

static const char *lesion_spec(const les_study *s, size_t i) {
  return s->lesions.items[i].spec;
}
static const char *prompt_id(const les_study *s, size_t i) {
  return s->prompts.items[i].id;
}
static const char *prompt_domain(const les_study *s, size_t i) {
  return s->prompts.items[i].domain;
}
static const char *prompt_text(const les_study *s, size_t i) {
  return s->prompts.items[i].text;
}

static void make_strings(maker *m, const char *name, int scale, size_t n, const les_study *study,
                         text_fn *text) {
  size_t width = 1;
  for (size_t i = 0; i < n; i++)
    if (strlen(text(study, i)) > width) width = strlen(text(study, i));
  char *data = calloc(n, width);
  if (!data) m->bad = true;
  for (size_t i = 0; data && i < n; i++) memcpy(data + i * width, text(study, i), strlen(text(study, i)));
  hid_t type = string_type(width);
  hid_t set = make_dataset(m, name, type, 1, &(hsize_t){n}, NULL, data);
  if (set >= 0) {
    check(m, H5DSattach_scale(set, m->scales[scale], 0));
    check(m, H5Dclose(set));
  }
  H5Tclose(type);
  free(data);
}

static void make_scale(maker *m, int place, const char *name, int n) {
  if (n < 1) return;
  int32_t *count = calloc((size_t)n, sizeof *count);
  if (!count) m->bad = true;
  for (int i = 0; count && i < n; i++) count[i] = i;
  m->scales[place] = make_dataset(m, name, H5T_STD_I32LE, 1, &(hsize_t){(hsize_t)n}, NULL, count);
  if (m->scales[place] >= 0) check(m, H5DSset_scale(m->scales[place], name + 1));
  free(count);
}

static void make_array(maker *m, const char *name, hid_t type, int rank, const int *scales,
                       const hsize_t *dims, const void *fill, const void *data) {
  hid_t set = make_dataset(m, name, type, rank, dims, fill, data);
  if (set < 0) return;
  for (int i = 0; i < rank; i++) check(m, H5DSattach_scale(set, m->scales[scales[i]], (unsigned)i));
  check(m, H5Dclose(set));
}

/* A data set of the cells, (L, P[, values]), or of the intact runs, (P[, values]). */
static void make_cells(maker *m, bool baseline, const char *name, hid_t type, les_field_extent extent,
                       int count, const void *fill) {
  char path[LES_STORE_NAME_BYTES];
  les_store_name(path, baseline, name);
  int scales[3] = {SCALE_LESION, SCALE_PROMPT, SCALE_EXTENT + (int)extent};
  hsize_t dims[3] = {(hsize_t)m->n_lesions, (hsize_t)m->n_prompts, (hsize_t)count};
  int rank = extent == LES_EXTENT_ONE ? 2 : 3;
  make_array(m, path, type, rank - baseline, scales + baseline, dims + baseline, fill, NULL);
}

static void make_fields(maker *m, const les_record_layout *layout) {
  unsigned char *empty = malloc(layout->bytes);
  if (!empty) {
    m->bad = true;
    return;
  }
  les_record_clear(layout, empty);
  hid_t types[] = {
      [LES_FIELD_F32] = H5T_IEEE_F32LE, [LES_FIELD_I32] = H5T_STD_I32LE, [LES_FIELD_U8] = H5T_STD_U8LE};
  for (int baseline = 1; baseline >= 0; baseline--) {
    make_cells(m, baseline, "status", H5T_STD_U8LE, LES_EXTENT_ONE, 1, &(uint8_t){LES_CELL_TODO});
    make_cells(m, baseline, "check", H5T_STD_U64LE, LES_EXTENT_ONE, 1, &(uint64_t){0});
    for (int i = 0; i < LES_N_FIELDS; i++) {
      const les_field *f = &les_fields[i];
      if (layout->has[i] && (f->baseline || !baseline))
        make_cells(m, baseline, f->name, types[f->type], f->extent, layout->count[i],
                   empty + layout->offset[i]);
    }
  }
  free(empty);
}

static void make_datasets(maker *m, const les_study *study) {
  hid_t type = string_type(strlen(study->json));
  H5Dclose(make_dataset(m, LES_DATA_JOB, type, 0, NULL, NULL, study->json));
  H5Tclose(type);
  make_scale(m, SCALE_LESION, "/lesion", m->n_lesions);
  make_scale(m, SCALE_PROMPT, "/prompt", m->n_prompts);
  make_scale(m, SCALE_EXTENT + LES_EXTENT_TOKENS, "/token", m->n_tokens);
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (study->layout.has[i] && les_fields[i].extent == LES_EXTENT_LAYERS &&
        !m->scales[SCALE_EXTENT + LES_EXTENT_LAYERS])
      make_scale(m, SCALE_EXTENT + LES_EXTENT_LAYERS, "/layer", m->n_layers);
  make_strings(m, LES_DATA_LESION_SPEC, SCALE_LESION, (size_t)m->n_lesions, study, lesion_spec);
  make_strings(m, LES_DATA_PROMPT_ID, SCALE_PROMPT, (size_t)m->n_prompts, study, prompt_id);
  make_strings(m, LES_DATA_PROMPT_DOMAIN, SCALE_PROMPT, (size_t)m->n_prompts, study, prompt_domain);
  make_strings(m, LES_DATA_PROMPT_TEXT, SCALE_PROMPT, (size_t)m->n_prompts, study, prompt_text);
  int32_t *layers = malloc((size_t)m->n_lesions * sizeof *layers);
  if (!layers) m->bad = true;
  for (int l = 0; layers && l < m->n_lesions; l++) layers[l] = study->lesions.items[l].layer;
  const int scale = SCALE_LESION;
  hsize_t dims = (hsize_t)m->n_lesions;
  make_array(m, LES_DATA_LESION_LAYER, H5T_STD_I32LE, 1, &scale, &dims, NULL, layers);
  make_array(m, LES_STORE_DONE, H5T_STD_U8LE, 1, &scale, &dims, &(uint8_t){0}, NULL);
  free(layers);
  type = string_type(LES_STORE_SHA_BYTES);
  make_array(m, LES_STORE_SHA, type, 1, &scale, &dims, NULL, NULL);
  H5Tclose(type);
  make_fields(m, &study->layout);
  for (size_t i = 0; i < sizeof m->scales / sizeof *m->scales; i++)
    if (m->scales[i] > 0) check(m, H5Dclose(m->scales[i]));
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

static void make_attributes(maker *m, const les_study *study, const char *date) {
  const char *compute = les_compute_name(study->job->compute);
  make_attribute(m, LES_ATTR_SCHEMA, H5T_STD_I32LE, &(int32_t){LES_SCHEMA});
  make_text_attribute(m, LES_ATTR_PROGRAM, strlen("lesion " LES_VERSION), "lesion " LES_VERSION);
  make_text_attribute(m, LES_ATTR_MODEL_NAME, strlen(study->model->name), study->model->name);
  make_text_attribute(m, LES_ATTR_MODEL_SHA256, LES_STORE_SHA_BYTES, study->model->sha256);
  make_text_attribute(m, LES_ATTR_PROMPTS_SHA256, LES_STORE_SHA_BYTES, study->prompts.sha256);
  make_text_attribute(m, LES_ATTR_ARCHITECTURE, strlen(study->model->arch), study->model->arch);
  make_text_attribute(m, LES_ATTR_COMPUTE, strlen(compute), compute);
  make_attribute(m, LES_ATTR_MODEL_LAYERS, H5T_STD_I32LE, &(int32_t){study->model->shape.n_layers});
  make_text_attribute(m, "started", LES_DATE_BYTES, date);
  les_store_history empty = {0}; /* room for what is written in place later */
  make_text_attribute(m, "finished", sizeof empty.finished, "");
  make_text_attribute(m, "hosts", sizeof empty.hosts, "");
  make_attribute(m, LES_ATTR_CELLS_COMPUTED, H5T_STD_I64LE, &empty.cells_computed);
  make_attribute(m, "cells_flagged", H5T_STD_I64LE, &empty.cells_flagged);
  make_attribute(m, "starts", H5T_STD_I32LE, &empty.starts);
}

/* Bytes of the cells, which are nearly all of the file. */
static double file_bytes(const les_study *study) {
  return ((double)study->lesions.n + 1) * study->prompts.n * ((double)study->layout.bytes + 9);
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
             .n_lesions = study->lesions.n,
             .n_prompts = study->prompts.n,
             .n_layers = study->model->shape.n_layers,
             .n_tokens = study->job->max_new_tokens};
  int rank;
  MPI_Comm_rank(comm, &rank);
  m.root = rank == 0;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  check(&m, H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL));
  check(&m, H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST));
  m.links = H5Pcreate(H5P_LINK_CREATE);
  check(&m, H5Pset_create_intermediate_group(m.links, 1));
  m.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  check(&m, m.file);
  if (!m.bad) {
    make_datasets(&m, study);
    make_attributes(&m, study, date);
  }
  if (m.file >= 0) {
    check(&m, H5Fflush(m.file, H5F_SCOPE_GLOBAL));
    check(&m, H5Fclose(m.file));
  }
  H5Pclose(m.links);
  H5Pclose(access);
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
