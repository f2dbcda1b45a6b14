#include "result/hdf5_read.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TEXT = 1 << 26 };

les_status les_hdf5_open(les_hdf5 *out, const char *path) {
  struct stat st;
  *out = (les_hdf5){.file = H5I_INVALID_HID, .path = path};
  if (stat(path, &st) != 0 || access(path, R_OK) != 0)
    return les_fail(LES_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
  out->bytes = (uint64_t)st.st_size;
  hid_t access_list = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(access_list, false, true);
  out->file = H5Fopen(path, H5F_ACC_RDONLY, access_list);
  H5Pclose(access_list);
  if (out->file < 0)
    return les_fail(LES_FAILED, "%s: not a readable HDF5 file; is it the output of `lesion sweep`?", path);
  return LES_OK;
}

void les_hdf5_close(les_hdf5 *h) {
  if (h->file >= 0) H5Fclose(h->file);
  h->file = H5I_INVALID_HID;
}

uint64_t les_hdf5_capacity(const les_hdf5 *h) {
  return h->bytes * 1032; /* the best that deflate can do */
}

bool les_hdf5_has(const les_hdf5 *h, const char *path) {
  hid_t set = H5Dopen2(h->file, path, H5P_DEFAULT);
  if (set < 0) return false;
  H5Dclose(set);
  return true;
}

/* Shape of an open data set; its number of dimensions has to be n_dims (3 at most). */
static les_status get_shape(const les_hdf5 *h, const char *path, hid_t set, int n_dims, hsize_t shape[3]) {
  hid_t space = H5Dget_space(set);
  int n = H5Sget_simple_extent_ndims(space);
  if (n == n_dims) H5Sget_simple_extent_dims(space, shape, NULL);
  H5Sclose(space);
  if (n != n_dims) return les_fail(LES_FAILED, "%s: %s has %d dimensions, not %d", h->path, path, n, n_dims);
  return LES_OK;
}

static les_status open_set(const les_hdf5 *h, const char *path, hid_t *set) {
  *set = H5Dopen2(h->file, path, H5P_DEFAULT);
  if (*set < 0)
    return les_fail(LES_FAILED, "%s: has no data set %s; the file is not complete", h->path, path);
  return LES_OK;
}

les_status les_hdf5_length(const les_hdf5 *h, const char *path, int n_dims, int *length) {
  hid_t set;
  hsize_t shape[3];
  LES_TRY(open_set(h, path, &set));
  les_status s = get_shape(h, path, set, n_dims, shape);
  H5Dclose(set);
  LES_TRY(s);
  if (shape[0] == 0 || shape[0] > INT32_MAX)
    return les_fail(LES_FAILED, "%s: %s has %llu entries", h->path, path, (unsigned long long)shape[0]);
  *length = (int)shape[0];
  return LES_OK;
}

/* Allocates n values of `size` bytes if a file of this size can hold them. */
static les_status allocate(const les_hdf5 *h, const char *path, uint64_t n, uint64_t size, void **out) {
  if (n > les_hdf5_capacity(h) / size)
    return les_fail(LES_FAILED, "%s: %s claims %llu values, more than the file can hold", h->path, path,
                    (unsigned long long)n);
  *out = calloc(n + 1, size);
  return *out ? LES_OK : les_fail(LES_FAILED, "%s: out of memory for %s", h->path, path);
}

/* True if the stored type is the one that `type` stands for, in either byte order. */
static bool type_fits(hid_t stored, les_dataset_type type) {
  static const H5T_class_t classes[] = {H5T_STRING, H5T_INTEGER, H5T_FLOAT, H5T_INTEGER};
  static const size_t sizes[] = {0, 4, 4, 1};
  if (H5Tget_class(stored) != classes[type] || H5Tget_size(stored) != sizes[type]) return false;
  return type == LES_DATA_F32 || (H5Tget_sign(stored) == H5T_SGN_NONE) == (type == LES_DATA_U8);
}

static les_status read_values(const les_hdf5 *h, const char *path, hid_t set, les_dataset_type type,
                              int n_dims, const int *shape, void **out) {
  const hid_t native[] = {H5I_INVALID_HID, H5T_NATIVE_INT32, H5T_NATIVE_FLOAT, H5T_NATIVE_UINT8};
  static const char *const names[] = {"string", "int32", "float32", "uint8"};
  hsize_t found[3] = {0};
  LES_TRY(get_shape(h, path, set, n_dims, found));
  uint64_t n = 1;
  for (int i = 0; i < n_dims; i++) {
    if (found[i] != (hsize_t)shape[i])
      return les_fail(LES_FAILED, "%s: dimension %d of %s is %llu, not %d", h->path, i, path,
                      (unsigned long long)found[i], shape[i]);
    if (found[i] && n > UINT64_MAX / found[i])
      return les_fail(LES_FAILED, "%s: %s is too large", h->path, path);
    n *= found[i];
  }
  hid_t stored = H5Dget_type(set);
  bool fits = type_fits(stored, type);
  H5Tclose(stored);
  if (!fits) return les_fail(LES_FAILED, "%s: %s is not of type %s", h->path, path, names[type]);
  LES_TRY(allocate(h, path, n, type == LES_DATA_U8 ? 1 : 4, out));
  if (H5Dread(set, native[type], H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) >= 0) return LES_OK;
  free(*out);
  *out = NULL;
  return les_fail(LES_FAILED, "%s: %s cannot be read; the file is damaged or cut", h->path, path);
}

les_status les_hdf5_read(const les_hdf5 *h, const char *path, les_dataset_type type, int n_dims,
                         const int *shape, void **out) {
  hid_t set;
  *out = NULL;
  LES_TRY(open_set(h, path, &set));
  les_status s = read_values(h, path, set, type, n_dims, shape, out);
  H5Dclose(set);
  return s;
}

/* A memory type for strings of the stored type's length and a null byte. */
static hid_t string_type(hid_t stored, size_t *size) {
  *size = H5Tget_size(stored) + 1;
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, *size);
  H5Tset_strpad(type, H5T_STR_NULLTERM);
  H5Tset_cset(type, H5Tget_cset(stored));
  return type;
}

static les_status copy_string(const les_hdf5 *h, const char *path, const char *text, char **out) {
  size_t n = strlen(text);
  if (les_text_valid(text, n) < n)
    return les_fail(LES_FAILED, "%s: %s holds text that is not valid UTF-8", h->path, path);
  *out = strdup(text);
  return *out ? LES_OK : les_fail(LES_FAILED, "%s: out of memory for %s", h->path, path);
}

static les_status read_packed(const les_hdf5 *h, const char *path, hid_t set, int n, char **out) {
  hid_t stored = H5Dget_type(set);
  les_status s = LES_OK;
  void *packed = NULL;
  size_t size = 0;
  hid_t type = H5I_INVALID_HID;
  if (H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored))
    LES_GOTO(s, les_fail(LES_FAILED, "%s: %s is not a string of fixed length", h->path, path), end);
  type = string_type(stored, &size);
  LES_GOTO(s, allocate(h, path, (uint64_t)n, size, &packed), end);
  if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed) < 0)
    LES_GOTO(s, les_fail(LES_FAILED, "%s: %s cannot be read; the file is damaged or cut", h->path, path),
             end);
  for (int i = 0; i < n; i++)
    LES_GOTO(s, copy_string(h, path, (char *)packed + (size_t)i * size, &out[i]), end);
end:
  free(packed);
  if (type >= 0) H5Tclose(type);
  H5Tclose(stored);
  return s;
}

les_status les_hdf5_read_strings(const les_hdf5 *h, const char *path, int n_dims, int n, char ***out) {
  hid_t set;
  hsize_t shape[3] = {1};
  LES_TRY(open_set(h, path, &set));
  void *strings = NULL;
  les_status s = get_shape(h, path, set, n_dims, shape);
  if (s == LES_OK) s = allocate(h, path, (uint64_t)n, sizeof **out, &strings);
  *out = strings;
  if (s == LES_OK && shape[0] != (hsize_t)n)
    s = les_fail(LES_FAILED, "%s: %s has %llu entries, not %d", h->path, path, (unsigned long long)shape[0],
                 n);
  if (s == LES_OK) s = read_packed(h, path, set, n, *out);
  if (s != LES_OK) {
    les_hdf5_strings_free(*out, n);
    *out = NULL;
  }
  H5Dclose(set);
  return s;
}

void les_hdf5_strings_free(char **strings, int n) {
  for (int i = 0; strings && i < n; i++) free(strings[i]);
  free(strings);
}

static les_status open_attr(const les_hdf5 *h, const char *name, H5T_class_t class, hid_t *attr) {
  *attr = H5Aopen_by_name(h->file, "/", name, H5P_DEFAULT, H5P_DEFAULT);
  if (*attr < 0) return les_fail(LES_FAILED, "%s: has no attribute '%s'", h->path, name);
  hid_t type = H5Aget_type(*attr), space = H5Aget_space(*attr);
  bool fits = H5Tget_class(type) == class && H5Sget_simple_extent_npoints(space) == 1;
  H5Sclose(space);
  H5Tclose(type);
  if (fits) return LES_OK;
  H5Aclose(*attr);
  return les_fail(LES_FAILED, "%s: attribute '%s' is not one %s", h->path, name,
                  class == H5T_STRING ? "string" : "whole number");
}

static les_status read_attr_string(const les_hdf5 *h, const char *name, hid_t attr, hid_t stored,
                                   char **out) {
  if (H5Tis_variable_str(stored)) {
    char *text = NULL;
    hid_t type = H5Tcopy(stored);
    les_status s = H5Aread(attr, type, &text) >= 0 && text
                       ? copy_string(h, name, text, out)
                       : les_fail(LES_FAILED, "%s: attribute '%s' cannot be read", h->path, name);
    H5free_memory(text);
    H5Tclose(type);
    return s;
  }
  size_t size;
  hid_t type = string_type(stored, &size);
  char *text = size < MOST_TEXT ? calloc(size, 1) : NULL;
  les_status s = text && H5Aread(attr, type, text) >= 0
                     ? copy_string(h, name, text, out)
                     : les_fail(LES_FAILED, "%s: attribute '%s' cannot be read", h->path, name);
  free(text);
  H5Tclose(type);
  return s;
}

les_status les_hdf5_attr_string(const les_hdf5 *h, const char *name, char **out) {
  hid_t attr;
  *out = NULL;
  LES_TRY(open_attr(h, name, H5T_STRING, &attr));
  hid_t stored = H5Aget_type(attr);
  les_status s = read_attr_string(h, name, attr, stored, out);
  H5Tclose(stored);
  H5Aclose(attr);
  return s;
}

les_status les_hdf5_attr_int(const les_hdf5 *h, const char *name, int64_t *out) {
  hid_t attr;
  LES_TRY(open_attr(h, name, H5T_INTEGER, &attr));
  les_status s = H5Aread(attr, H5T_NATIVE_INT64, out) >= 0
                     ? LES_OK
                     : les_fail(LES_FAILED, "%s: attribute '%s' cannot be read", h->path, name);
  H5Aclose(attr);
  return s;
}
