#include "result/digest.h"

#include "base/sha256.h"
#include "result/hdf5_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_BYTES = 1 << 24, MOST_DIMS = 8 };

typedef struct names {
  char **items;
  int n;
  bool failed; /* out of memory */
} names;

static herr_t collect(hid_t object, const char *name, const H5O_info_t *info, void *ctx) {
  (void)object;
  names *list = ctx;
  if (info->type != H5O_TYPE_DATASET) return 0;
  char **items = realloc(list->items, (size_t)(list->n + 1) * sizeof *items);
  if (items) list->items = items;
  list->failed = !items || !(items[list->n++] = strdup(name));
  return list->failed ? -1 : 0;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A type in words that do not depend on the machine: "i4le", "f4le", "s16". */
static les_status describe_type(const les_hdf5 *h, const char *name, hid_t type, char text[32]) {
  size_t size = H5Tget_size(type);
  const char *order = H5Tget_order(type) == H5T_ORDER_BE ? "be" : "le";
  switch (H5Tget_class(type)) {
  case H5T_INTEGER:
    snprintf(text, 32, "%c%zu%s", H5Tget_sign(type) == H5T_SGN_NONE ? 'u' : 'i', size, order);
    return LES_OK;
  case H5T_FLOAT:
    snprintf(text, 32, "f%zu%s", size, order);
    return LES_OK;
  case H5T_STRING:
    if (H5Tis_variable_str(type)) break;
    snprintf(text, 32, "s%zu", size);
    return LES_OK;
  default:
    break;
  }
  return les_fail(LES_FAILED, "%s: /%s is neither numbers nor strings of fixed length", h->path, name);
}

/* Feeds the bytes of an open data set to the digest, a slab of its first dimension at a time. */
static les_status add_bytes(les_sha256_stream *sha, const les_hdf5 *h, const char *name, hid_t set,
                            hid_t type, hid_t space) {
  hsize_t shape[MOST_DIMS] = {1}, start[MOST_DIMS] = {0}, count[MOST_DIMS];
  int n_dims = H5Sget_simple_extent_dims(space, shape, NULL);
  uint64_t row = H5Tget_size(type), rows = shape[0], most = les_hdf5_capacity(h);
  memcpy(count, shape, sizeof count);
  for (int i = 1; i < n_dims; i++) row = shape[i] > most / (row ? row : 1) ? most + 1 : row * shape[i];
  if (row > most || (row > 0 && rows > most / row))
    return les_fail(LES_FAILED, "%s: /%s claims more values than the file can hold", h->path, name);
  uint64_t step = row == 0 || row > SLAB_BYTES ? 1 : SLAB_BYTES / row;
  if (step > rows) step = rows;
  char *slab = malloc(step * row + 1);
  if (!slab) return les_no_memory("/%s of %s", name, h->path);
  bool good = true;
  for (uint64_t at = 0; good && row > 0 && at < rows; at += step) {
    start[0] = at;
    count[0] = rows - at < step ? rows - at : step;
    hid_t memory = n_dims ? H5Screate_simple(n_dims, count, NULL) : H5Scopy(space);
    good = memory >= 0 &&
           (!n_dims || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0) &&
           H5Dread(set, type, memory, space, H5P_DEFAULT, slab) >= 0;
    if (good) les_sha256_add(sha, slab, count[0] * row);
    if (memory >= 0) H5Sclose(memory);
  }
  free(slab);
  return good ? LES_OK : les_fail(LES_FAILED, "%s: /%s cannot be read; the file is damaged", h->path, name);
}

static les_status add_set(les_sha256_stream *sha, const les_hdf5 *h, const char *name) {
  les_status s = LES_FAILED;
  hid_t set = H5Dopen2(h->file, name, H5P_DEFAULT);
  if (set < 0) return les_fail(LES_FAILED, "%s: /%s cannot be opened; the file is damaged", h->path, name);
  hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  hsize_t shape[H5S_MAX_RANK];
  int n_dims = H5Sget_simple_extent_dims(space, shape, NULL);
  char text[32];
  if (n_dims < 0 || n_dims > MOST_DIMS)
    LES_GOTO(s, les_fail(LES_FAILED, "%s: /%s has %d dimensions", h->path, name, n_dims), end);
  LES_GOTO(s, describe_type(h, name, type, text), end);
  les_sha256_add(sha, name, strlen(name) + 1);
  les_sha256_add(sha, text, strlen(text) + 1);
  for (int i = 0; i < n_dims; i++) {
    snprintf(text, sizeof text, "%llu,", (unsigned long long)shape[i]);
    les_sha256_add(sha, text, strlen(text));
  }
  les_sha256_add(sha, ";", 1);
  LES_GOTO(s, add_bytes(sha, h, name, set, type, space), end);
end:
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  H5Dclose(set);
  return s;
}

static les_status add_file(les_sha256_stream *sha, const char *path) {
  les_hdf5 h;
  names list = {0};
  les_status s;
  LES_GOTO(s, les_hdf5_init(&h, path, LES_HDF5_READ), end);
  herr_t visited = H5Ovisit2(h.file, H5_INDEX_NAME, H5_ITER_INC, collect, &list, H5O_INFO_BASIC);
  if (visited < 0)
    LES_GOTO(s,
             list.failed
                 ? les_no_memory("the data sets of %s", path)
                 : les_fail(LES_FAILED, "%s: its data sets cannot be listed; the file is damaged", path),
             end);
  qsort(list.items, (size_t)list.n, sizeof *list.items, compare_names);
  for (int i = 0; i < list.n; i++) LES_GOTO(s, add_set(sha, &h, list.items[i]), end);
end:
  for (int i = 0; i < list.n; i++) free(list.items[i]);
  free(list.items);
  les_hdf5_free(&h);
  return s;
}

les_status les_result_sha256(const char *path, char hex[65]) {
  les_sha256_stream *sha;
  hex[0] = 0;
  LES_TRY(les_sha256_open(&sha));
  les_status s = add_file(sha, path);
  if (s == LES_OK) s = les_sha256_finish_hex(sha, hex);
  les_sha256_close(&sha);
  return s;
}
