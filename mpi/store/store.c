#include "store/store.h"

#include "base/sha256.h"
#include "result/hdf5_file.h"
#include "result/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a data set's bytes lie: those of cell i (of the lesions', or of the intact runs) at offset + i *
 * bytes. */
typedef struct array {
  int64_t offset;
  size_t bytes; /* of a cell; 0: the file has no such array */
} array;

typedef struct arrays {
  array status, check, fields[LES_N_FIELDS];
} arrays;

struct les_store {
  char *path;
  int fd, n_lesions, n_columns;
  les_record_layout layout;
  arrays baseline, cells;
  array done, sha; /* a value per lesion */
  void *scratch;   /* a row of the largest field, or a record */
};

/* ---- opening ------------------------------------------------------------------------------------------- */

/* Finds an array's place; it must hold `n` cells of `bytes` contiguously. */
static les_status find(const les_hdf5 *h, const char *name, int64_t n, size_t bytes, array *a) {
  uint64_t stored;
  LES_TRY(les_hdf5_place(h, name, &a->offset, &stored));
  a->bytes = bytes;
  if (stored == (uint64_t)n * bytes) return LES_OK;
  return les_fail(LES_FAILED,
                  "%s: %s is not as this program lays it out; remove the file or give another --output",
                  h->path, name);
}

/* Finds the arrays of the lesions' cells, or of the intact runs. */
static les_status find_arrays(const les_hdf5 *h, const les_store *s, bool baseline, arrays *out) {
  int64_t n = (int64_t)s->n_columns * (baseline ? 1 : s->n_lesions);
  LES_TRY(find(h, baseline ? LES_DATA_BASELINE_STATUS : LES_DATA_CELL_STATUS, n, 1, &out->status));
  LES_TRY(
      find(h, baseline ? LES_DATA_BASELINE_CHECK : LES_DATA_CELL_CHECK, n, sizeof(uint64_t), &out->check));
  for (int i = 0; i < LES_N_FIELDS; i++) {
    char path[LES_PATH_BYTES];
    if (!s->layout.has[i] || (baseline && !les_fields[i].baseline)) continue;
    les_field_path((les_field_id)i, baseline, path);
    size_t bytes = (size_t)s->layout.count[i] * les_field_size(les_fields[i].type);
    LES_TRY(find(h, path, n, bytes, &out->fields[i]));
  }
  return LES_OK;
}

static les_status find_all(les_store *s) {
  les_hdf5 h;
  les_status status;
  LES_GOTO(status, les_hdf5_init(&h, s->path, LES_HDF5_READ), end);
  LES_GOTO(status, find_arrays(&h, s, true, &s->baseline), end);
  LES_GOTO(status, find_arrays(&h, s, false, &s->cells), end);
  LES_GOTO(status, find(&h, LES_DATA_LESION_DONE, s->n_lesions, 1, &s->done), end);
  LES_GOTO(status, find(&h, LES_DATA_LESION_SHA256, s->n_lesions, LES_SHA_BYTES, &s->sha), end);
end:
  les_hdf5_free(&h);
  return status;
}

les_status les_store_open(les_store **out, const char *path, const les_study *study) {
  *out = NULL;
  les_store *s = calloc(1, sizeof *s);
  if (!s) return les_no_memory("the result file %s", path);
  s->fd = -1;
  s->layout = study->layout;
  s->n_lesions = study->lesions.n;
  s->n_columns = study->columns.n;
  s->path = strdup(path);
  s->scratch = malloc((study->layout.bytes + sizeof(uint64_t)) * (size_t)s->n_columns);
  les_status status = s->path && s->scratch ? find_all(s) : les_no_memory("the result file %s", path);
  if (status == LES_OK) {
    s->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (s->fd < 0) status = les_fail(LES_FAILED, "%s cannot be written: %s", path, strerror(errno));
  }
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
  *i = cell.lesion == LES_INTACT ? cell.column : (int64_t)cell.lesion * s->n_columns + cell.column;
  return cell.lesion == LES_INTACT ? &s->baseline : &s->cells;
}

/* ---- check sums ---------------------------------------------------------------------------------------- */

/* Check sum of a cell: the first bytes of the SHA-256 of its stored values. */
static les_status record_check(const les_store *s, const arrays *a, const void *record, uint64_t *sum) {
  les_sha256_stream *sha;
  uint8_t digest[LES_SHA256_BYTES];
  LES_TRY(les_sha256_open(&sha));
  for (int i = 0; i < LES_N_FIELDS; i++)
    if (a->fields[i].bytes)
      les_sha256_add(sha, (const char *)record + s->layout.offset[i], a->fields[i].bytes);
  les_status status = les_sha256_finish(sha, digest);
  if (status == LES_OK) memcpy(sum, digest, sizeof *sum);
  les_sha256_close(&sha);
  return status;
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
  les_record_clear(&s->layout, record); /* over what a dying worker may have written */
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
    LES_TRY(get_at(s, &a->status, at, s->n_columns, row));
    for (int p = 0; p < s->n_columns; p++)
      les_grid_set(grid, (les_cell){l, p}, row[p] <= LES_CELL_FAILED ? row[p] : LES_CELL_TODO);
  }
  return LES_OK;
}

/* ---- lesions ------------------------------------------------------------------------------------------- */

/* SHA-256 in hex over a lesion's row of every field in the order of les_fields, of its status and check sums.
 */
static les_status lesion_sha(const les_store *s, int lesion, char hex[LES_SHA_BYTES + 1]) {
  les_sha256_stream *sha;
  const array *rows[LES_N_FIELDS + 2];
  for (int i = 0; i < LES_N_FIELDS; i++) rows[i] = &s->cells.fields[i];
  rows[LES_N_FIELDS] = &s->cells.status;
  rows[LES_N_FIELDS + 1] = &s->cells.check;
  LES_TRY(les_sha256_open(&sha));
  les_status status = LES_OK;
  for (int i = 0; i < LES_N_FIELDS + 2 && status == LES_OK; i++) {
    if (!rows[i]->bytes) continue;
    status = get_at(s, rows[i], (int64_t)lesion * s->n_columns, s->n_columns, s->scratch);
    if (status == LES_OK) les_sha256_add(sha, s->scratch, (size_t)s->n_columns * rows[i]->bytes);
  }
  if (status == LES_OK) status = les_sha256_finish_hex(sha, hex);
  les_sha256_close(&sha);
  return status;
}

les_status les_store_checkpoint(les_store *s, int lesion) {
  char hex[LES_SHA_BYTES + 1];
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
  char hex[LES_SHA_BYTES + 1], stored[LES_SHA_BYTES];
  LES_TRY(lesion_sha(s, lesion, hex));
  LES_TRY(get_at(s, &s->sha, lesion, 1, stored));
  if (grid->left[lesion] == 0 && !memcmp(hex, stored, sizeof stored)) return LES_OK;
  ++*damaged;
  LES_TRY(put_at(s, &s->done, lesion, 1, &(uint8_t){0}));
  LES_TRY(put_at(s, &s->sha, lesion, 1, (char[LES_SHA_BYTES]){0}));
  for (int p = 0; p < s->n_columns; p++) LES_TRY(reset(s, grid, (les_cell){lesion, p}));
  return LES_OK;
}

static les_status verify_cells(les_store *s, les_grid *grid, int lesion, int64_t *damaged) {
  for (int p = 0; p < s->n_columns; p++) {
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
  LES_TRY(get_at(s, &s->cells.fields[id], (int64_t)lesion * s->n_columns, s->n_columns, row));
  for (int p = 0; p < s->n_columns; p++)
    if (row[p] == row[p]) sum += (double)row[p], n++;
  *mean = sum / n;
  return LES_OK;
}
