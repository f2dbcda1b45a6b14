#include "store/store.h"

#include "store/store_names.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a data set's bytes lie: cell i (of the lesions' cells, or of the intact runs) at offset + i * bytes.
 */
typedef struct array {
  int64_t offset;
  size_t bytes; /* of a cell; 0: the file has no such array */
} array;

typedef struct arrays {
  array status, check, fields[LES_N_FIELDS];
} arrays;

struct les_store {
  char *path;
  int fd, n_lesions, n_prompts;
  les_record_layout layout;
  arrays baseline, cells;
  array done, sha; /* a value per lesion */
  void *scratch;   /* a row of the largest field, or a record */
};

/* ---- opening ------------------------------------------------------------------------------------------- */

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

/* Opens without HDF5's lock, which would keep readers of a running sweep out. */
static les_status file_open(hid_t *file, const char *path, unsigned flags) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t how = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(how, false, true);
  *file = H5Fopen(path, flags, how);
  H5Pclose(how);
  if (*file >= 0) return LES_OK;
  if (access(path, flags == H5F_ACC_RDWR ? R_OK | W_OK : R_OK) != 0)
    return les_fail(LES_FAILED, "%s cannot be opened: %s", path, strerror(errno));
  return les_fail(LES_FAILED, "%s is not an HDF5 file, or a damaged one; remove it or give another --output",
                  path);
}

static les_status attribute_bytes(hid_t file, const char *path, const char *name, void *value, size_t bytes,
                                  bool write) {
  hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
  bool good = type >= 0 && H5Tget_size(type) == bytes && H5Tis_variable_str(type) <= 0 &&
              (write ? H5Awrite(attribute, type, value) : H5Aread(attribute, type, value)) >= 0;
  if (type >= 0) H5Tclose(type);
  if (attribute >= 0) H5Aclose(attribute);
  return good ? LES_OK
              : les_fail(LES_FAILED, "%s: its attribute %s cannot be %s", path, name,
                         write ? "written" : "read");
}

/* A fixed-length string of an attribute, or of a scalar data set, as it is compared: NULL if it is neither.
 */
static char *read_string(hid_t object, bool attribute) {
  hid_t type = attribute ? H5Aget_type(object) : H5Dget_type(object);
  char *text = NULL;
  if (type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
      (text = calloc(H5Tget_size(type) + 1, 1)) &&
      (attribute ? H5Aread(object, type, text) : H5Dread(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text)) <
          0) {
    free(text);
    text = NULL;
  }
  if (type >= 0) H5Tclose(type);
  return text;
}

static bool attribute_is(hid_t file, const char *name, const char *want) {
  hid_t a = H5Aopen(file, name, H5P_DEFAULT);
  char *got = a >= 0 ? read_string(a, true) : NULL;
  bool same = got && !strcmp(got, want);
  free(got);
  if (a >= 0) H5Aclose(a);
  return same;
}

static bool job_is(hid_t file, const char *want) {
  hid_t set = H5Dopen2(file, LES_DATA_JOB, H5P_DEFAULT);
  char *got = set >= 0 ? read_string(set, false) : NULL;
  bool same = got && !strcmp(got, want);
  free(got);
  if (set >= 0) H5Dclose(set);
  return same;
}

les_status les_store_match(const char *path, const les_study *study) {
  hid_t file;
  int64_t schema = 0;
  LES_TRY(file_open(&file, path, H5F_ACC_RDONLY));
  const char *differs = NULL;
  if (attribute_bytes(file, path, LES_ATTR_SCHEMA, &schema, sizeof schema, false) != LES_OK)
    differs = "it is no result file of this program";
  else if (schema != LES_SCHEMA)
    differs = "it has another schema, of another version of this program";
  else if (!attribute_is(file, LES_ATTR_MODEL_SHA256, study->model->sha256))
    differs = "its model is another one (SHA-256)";
  else if (!attribute_is(file, LES_ATTR_PROMPTS_SHA256, study->prompts.sha256))
    differs = "its prompts are other ones (SHA-256)";
  else if (!attribute_is(file, LES_ATTR_COMPUTE, les_compute_name(study->job->compute)))
    differs = "its compute mode is another one";
  else if (!job_is(file, study->json))
    differs = "its lesions, generation or measures are other ones (/job)";
  H5Fclose(file);
  if (!differs) return LES_OK;
  return les_fail(LES_FAILED, "%s is of another job: %s; remove it or give another --output", path, differs);
}

/* Finds an array's place; it must hold `n` cells of `bytes` contiguously. */
static bool find(hid_t file, const char *name, int64_t n, size_t bytes, array *a) {
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0) return false;
  haddr_t offset = H5Dget_offset(set);
  hsize_t stored = H5Dget_storage_size(set);
  H5Dclose(set);
  if (offset == HADDR_UNDEF || stored != (hsize_t)n * bytes) return false;
  *a = (array){.offset = (int64_t)offset, .bytes = bytes};
  return true;
}

static bool find_cells(hid_t file, const les_store *s, bool baseline, const char *name, size_t bytes,
                       array *a) {
  char path[96];
  snprintf(path, sizeof path, "%s/%s", baseline ? LES_STORE_BASELINE : LES_STORE_CELLS, name);
  return find(file, path, (int64_t)s->n_prompts * (baseline ? 1 : s->n_lesions), bytes, a);
}

static bool find_all(hid_t file, const les_store *s, bool baseline, arrays *out) {
  if (!find_cells(file, s, baseline, LES_STORE_STATUS, 1, &out->status) ||
      !find_cells(file, s, baseline, LES_STORE_CHECK, sizeof(uint64_t), &out->check))
    return false;
  for (int i = 0; i < LES_N_FIELDS; i++) {
    const les_field *f = &les_fields[i];
    if (!s->layout.has[i] || (baseline && !f->baseline)) continue;
    size_t bytes = (size_t)s->layout.count[i] * les_field_size(f->type);
    if (!find_cells(file, s, baseline, f->name, bytes, &out->fields[i])) return false;
  }
  return true;
}

les_status les_store_open(les_store **out, const char *path, const les_study *study) {
  *out = NULL;
  les_store *s = calloc(1, sizeof *s);
  if (!s) return les_fail(LES_FAILED, "out of memory for %s", path);
  s->fd = -1;
  s->layout = study->layout;
  s->n_lesions = study->lesions.n;
  s->n_prompts = study->prompts.n;
  s->path = strdup(path);
  s->scratch = malloc((study->layout.bytes + sizeof(uint64_t)) * (size_t)s->n_prompts);
  hid_t file = H5I_INVALID_HID;
  les_status status = LES_OK;
  if (!s->path || !s->scratch) {
    status = les_fail(LES_FAILED, "out of memory for %s", path);
    goto out;
  }
  LES_GOTO(status, file_open(&file, path, H5F_ACC_RDONLY), out);
  if (!find_all(file, s, true, &s->baseline) || !find_all(file, s, false, &s->cells) ||
      !find(file, LES_DATA_LESION_DONE, s->n_lesions, 1, &s->done) ||
      !find(file, LES_STORE_LESION_SHA, s->n_lesions, LES_STORE_SHA_BYTES, &s->sha)) {
    status = les_fail(
        LES_FAILED,
        "%s: its data sets are not as this program lays them out; remove it or give another --output", path);
    goto out;
  }
  s->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (s->fd < 0) status = les_fail(LES_FAILED, "%s cannot be written: %s", path, strerror(errno));
out:
  if (file >= 0) H5Fclose(file);
  if (status != LES_OK) les_store_close(&s);
  *out = s;
  return status;
}

void les_store_close(les_store **store) {
  les_store *s = *store;
  if (!s) return;
  if (s->fd >= 0) close(s->fd);
  free(s->path);
  free(s->scratch);
  free(s);
  *store = NULL;
}

/* ---- bytes --------------------------------------------------------------------------------------------- */

static les_status put_at(const les_store *s, const array *a, int64_t i, int64_t n, const void *data) {
  const char *from = data;
  off_t at = (off_t)(a->offset + i * (int64_t)a->bytes);
  for (size_t left = (size_t)n * a->bytes; left > 0;) {
    ssize_t put = pwrite(s->fd, from, left, at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0)
      return les_fail(LES_FAILED, "%s: writing failed: %s; the cells finished so far are kept", s->path,
                      strerror(errno));
    from += put;
    at += put;
    left -= (size_t)put;
  }
  return LES_OK;
}

static les_status get_at(const les_store *s, const array *a, int64_t i, int64_t n, void *data) {
  char *to = data;
  off_t at = (off_t)(a->offset + i * (int64_t)a->bytes);
  for (size_t left = (size_t)n * a->bytes; left > 0;) {
    ssize_t got = pread(s->fd, to, left, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return les_fail(LES_FAILED, "%s: reading failed: %s", s->path,
                      got ? strerror(errno) : "it is cut short");
    to += got;
    at += got;
    left -= (size_t)got;
  }
  return LES_OK;
}

static const arrays *place(const les_store *s, les_cell cell, int64_t *i) {
  *i = cell.lesion < 0 ? cell.column : (int64_t)cell.lesion * s->n_prompts + cell.column;
  return cell.lesion < 0 ? &s->baseline : &s->cells;
}

static uint64_t first_bytes(EVP_MD_CTX *hash) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  uint64_t sum;
  EVP_DigestFinal_ex(hash, digest, NULL);
  memcpy(&sum, digest, sizeof sum);
  return sum;
}

/* Check sum of a cell: the first bytes of the SHA-256 of its stored values. */
static les_status record_check(const les_store *s, const arrays *a, const void *record, uint64_t *sum) {
  EVP_MD_CTX *hash = EVP_MD_CTX_new();
  if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL))
    return EVP_MD_CTX_free(hash), les_fail(LES_FAILED, "SHA-256 is not available");
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (a->fields[i].bytes)
      EVP_DigestUpdate(hash, (const char *)record + s->layout.offset[i], a->fields[i].bytes);
  *sum = first_bytes(hash);
  EVP_MD_CTX_free(hash);
  return LES_OK;
}

/* ---- cells --------------------------------------------------------------------------------------------- */

les_status les_store_put(les_store *s, les_cell cell, const void *record) {
  int64_t at;
  uint64_t sum;
  const arrays *a = place(s, cell, &at);
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (a->fields[i].bytes)
      LES_TRY(put_at(s, &a->fields[i], at, 1, (const char *)record + s->layout.offset[i]));
  LES_TRY(record_check(s, a, record, &sum));
  LES_TRY(put_at(s, &a->check, at, 1, &sum));
  return put_at(s, &a->status, at, 1, &(uint8_t){LES_CELL_DONE});
}

les_status les_store_put_failed(les_store *s, les_cell cell) {
  int64_t at;
  const arrays *a = place(s, cell, &at);
  char *record = s->scratch;
  les_record_clear(&s->layout, record); /* what a dying worker may have written goes away again */
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (a->fields[i].bytes) LES_TRY(put_at(s, &a->fields[i], at, 1, record + s->layout.offset[i]));
  LES_TRY(put_at(s, &a->check, at, 1, &(uint64_t){0}));
  return put_at(s, &a->status, at, 1, &(uint8_t){LES_CELL_FAILED});
}

les_status les_store_sync(les_store *s) {
  return fsync(s->fd) == 0 ? LES_OK
                           : les_fail(LES_FAILED, "%s: not all is on the disk: %s", s->path, strerror(errno));
}

les_status les_store_get_status(const les_store *s, les_cell cell, uint8_t *status) {
  int64_t at;
  const arrays *a = place(s, cell, &at);
  return get_at(s, &a->status, at, 1, status);
}

les_status les_store_read_status(const les_store *s, les_grid *grid) {
  for (int l = -1; l < s->n_lesions; l++) {
    int64_t at;
    const arrays *a = place(s, (les_cell){l, 0}, &at);
    uint8_t *row = s->scratch;
    LES_TRY(get_at(s, &a->status, at, s->n_prompts, row));
    for (int p = 0; p < s->n_prompts; p++)
      les_grid_set(grid, (les_cell){l, p}, row[p] <= LES_CELL_FAILED ? row[p] : LES_CELL_TODO);
  }
  return LES_OK;
}

/* ---- lesions ------------------------------------------------------------------------------------------- */

/* SHA-256 in hex over a lesion's row of every field in the order of les_fields, of its status and check sums.
 */
static les_status lesion_sha(const les_store *s, int lesion, char hex[LES_STORE_SHA_BYTES + 1]) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_MD_CTX *hash = EVP_MD_CTX_new();
  if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL))
    return EVP_MD_CTX_free(hash), les_fail(LES_FAILED, "SHA-256 is not available");
  const array *rows[LES_N_FIELDS + 2];
  for (int i = 0; i < LES_N_FIELDS; i++) rows[i] = &s->cells.fields[i];
  rows[LES_N_FIELDS] = &s->cells.status;
  rows[LES_N_FIELDS + 1] = &s->cells.check;
  les_status status = LES_OK;
  for (int i = 0; i < LES_N_FIELDS + 2 && status == LES_OK; i++) {
    if (!rows[i]->bytes) continue;
    status = get_at(s, rows[i], (int64_t)lesion * s->n_prompts, s->n_prompts, s->scratch);
    if (status == LES_OK) EVP_DigestUpdate(hash, s->scratch, (size_t)s->n_prompts * rows[i]->bytes);
  }
  EVP_DigestFinal_ex(hash, digest, NULL);
  EVP_MD_CTX_free(hash);
  for (int i = 0; i < LES_STORE_SHA_BYTES / 2; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
  return status;
}

les_status les_store_checkpoint(les_store *s, int lesion) {
  char hex[LES_STORE_SHA_BYTES + 1];
  LES_TRY(lesion_sha(s, lesion, hex));
  LES_TRY(put_at(s, &s->sha, lesion, 1, hex));
  LES_TRY(put_at(s, &s->done, lesion, 1, &(uint8_t){1}));
  return les_store_sync(s);
}

les_status les_store_lesion_done(const les_store *s, int lesion, bool *done) {
  uint8_t flag;
  LES_TRY(get_at(s, &s->done, lesion, 1, &flag));
  *done = flag != 0;
  return LES_OK;
}

static les_status cell_is_whole(const les_store *s, les_cell cell, bool *whole) {
  int64_t at;
  uint64_t stored, sum;
  const arrays *a = place(s, cell, &at);
  char *record = s->scratch;
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (a->fields[i].bytes) LES_TRY(get_at(s, &a->fields[i], at, 1, record + s->layout.offset[i]));
  LES_TRY(get_at(s, &a->check, at, 1, &stored));
  LES_TRY(record_check(s, a, record, &sum));
  *whole = stored == sum;
  return LES_OK;
}

/* Puts a cell back to do, in the grid and in the file. */
static les_status reset(les_store *s, les_grid *grid, les_cell cell) {
  int64_t at;
  const arrays *a = place(s, cell, &at);
  les_grid_set(grid, cell, LES_CELL_TODO);
  return put_at(s, &a->status, at, 1, &(uint8_t){LES_CELL_TODO});
}

static les_status verify_lesion(les_store *s, les_grid *grid, int lesion, int *damaged) {
  char hex[LES_STORE_SHA_BYTES + 1], stored[LES_STORE_SHA_BYTES];
  LES_TRY(lesion_sha(s, lesion, hex));
  LES_TRY(get_at(s, &s->sha, lesion, 1, stored));
  if (grid->left[lesion] == 0 && !memcmp(hex, stored, sizeof stored)) return LES_OK;
  ++*damaged;
  LES_TRY(put_at(s, &s->done, lesion, 1, &(uint8_t){0}));
  LES_TRY(put_at(s, &s->sha, lesion, 1, (char[LES_STORE_SHA_BYTES]){0}));
  for (int p = 0; p < s->n_prompts; p++) LES_TRY(reset(s, grid, (les_cell){lesion, p}));
  return LES_OK;
}

static les_status verify_cells(les_store *s, les_grid *grid, int lesion, int64_t *damaged) {
  for (int p = 0; p < s->n_prompts; p++) {
    les_cell cell = {lesion, p};
    bool whole = true;
    if (les_grid_get(grid, cell) == LES_CELL_DONE) LES_TRY(cell_is_whole(s, cell, &whole));
    if (whole) continue;
    ++*damaged;
    LES_TRY(reset(s, grid, cell));
  }
  return LES_OK;
}

les_status les_store_verify(les_store *s, les_grid *grid, int *damaged_lesions, int64_t *damaged_cells) {
  *damaged_lesions = 0;
  *damaged_cells = 0;
  LES_TRY(les_store_read_status(s, grid));
  for (int l = -1; l < s->n_lesions; l++) {
    bool done = false;
    if (l >= 0) LES_TRY(les_store_lesion_done(s, l, &done));
    if (done)
      LES_TRY(verify_lesion(s, grid, l, damaged_lesions));
    else
      LES_TRY(verify_cells(s, grid, l, damaged_cells));
  }
  return LES_OK;
}

les_status les_store_mean(const les_store *s, int lesion, const char **name, double *mean) {
  int id = les_field_preferred(LES_PREFER_TEXT, s->layout.has);
  *name = id < 0 ? NULL : les_fields[id].name;
  if (id < 0) return LES_OK;
  float *row = s->scratch;
  double sum = 0;
  int n = 0;
  LES_TRY(get_at(s, &s->cells.fields[id], (int64_t)lesion * s->n_prompts, s->n_prompts, row));
  for (int p = 0; p < s->n_prompts; p++)
    if (row[p] == row[p]) sum += (double)row[p], n++;
  *mean = sum / n;
  return LES_OK;
}

les_status les_store_count_cells(const char *path, les_store_count *count) {
  bool exists;
  hid_t file;
  *count = (les_store_count){0};
  LES_TRY(les_store_exists(path, &exists));
  if (!exists) return LES_OK;
  LES_TRY(file_open(&file, path, H5F_ACC_RDONLY));
  hid_t set = H5Dopen2(file, LES_DATA_CELL_STATUS, H5P_DEFAULT);
  hsize_t n = set >= 0 ? H5Dget_storage_size(set) : 0;
  uint8_t *cells = malloc(n + 1);
  bool good = cells && n > 0 && H5Dread(set, H5T_STD_U8LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) >= 0;
  for (hsize_t i = 0; good && i < n; i++) {
    count->done += cells[i] == LES_CELL_DONE;
    count->failed += cells[i] == LES_CELL_FAILED;
  }
  count->total = (int64_t)n;
  free(cells);
  if (set >= 0) H5Dclose(set);
  H5Fclose(file);
  return good ? LES_OK : les_fail(LES_FAILED, "%s is no result file of a sweep", path);
}

/* ---- history ------------------------------------------------------------------------------------------- */

static les_status history(const char *path, les_store_history *h, bool write) {
  hid_t file;
  LES_TRY(file_open(&file, path, write ? H5F_ACC_RDWR : H5F_ACC_RDONLY));
  struct {
    const char *name;
    void *value;
    size_t bytes;
  } rows[] = {{LES_ATTR_CELLS_COMPUTED, &h->cells_computed, sizeof h->cells_computed},
              {LES_STORE_CELLS_FLAGGED, &h->cells_flagged, sizeof h->cells_flagged},
              {LES_STORE_STARTS, &h->starts, sizeof h->starts},
              {LES_STORE_FINISHED, h->finished, sizeof h->finished},
              {LES_STORE_HOSTS, h->hosts, sizeof h->hosts}};
  les_status status = LES_OK;
  for (size_t i = 0; i < sizeof rows / sizeof *rows && status == LES_OK; i++)
    status = attribute_bytes(file, path, rows[i].name, rows[i].value, rows[i].bytes, write);
  if (H5Fclose(file) < 0 && status == LES_OK) status = les_fail(LES_FAILED, "%s: writing failed", path);
  return status;
}

les_status les_store_get_history(const char *path, les_store_history *h) {
  return history(path, h, false);
}

les_status les_store_set_history(const char *path, const les_store_history *h) {
  les_store_history copy = *h;
  return history(path, &copy, true);
}
