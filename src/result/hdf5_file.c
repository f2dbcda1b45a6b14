#include "result/hdf5_file.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TEXT = 1 << 26 };

/* A list of access properties without locks; negative if it cannot be made. */
static hid_t access_without_lock(void) {
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  if (list >= 0 && H5Pset_file_locking(list, false, true) < 0) {
    H5Pclose(list);
    return H5I_INVALID_HID;
  }
  return list;
}

les_status les_hdf5_init(les_hdf5 *out, const char *path, les_hdf5_access mode) {
  struct stat st;
  *out = (les_hdf5){.file = H5I_INVALID_HID, .path = path};
  if (stat(path, &st) != 0 || access(path, mode == LES_HDF5_WRITE ? R_OK | W_OK : R_OK) != 0)
    return les_fail(LES_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
  out->bytes = (uint64_t)st.st_size;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t list = access_without_lock();
  if (list < 0) return les_fail(LES_FAILED, "%s: the HDF5 library cannot be set up", path);
  out->file = H5Fopen(path, mode == LES_HDF5_WRITE ? H5F_ACC_RDWR : H5F_ACC_RDONLY, list);
  H5Pclose(list);
  if (out->file < 0)
    return les_fail(LES_FAILED,
                    "%s: not a readable HDF5 file, or a damaged one; is it the output of `lesion sweep`?",
                    path);
  return LES_OK;
}

les_status les_hdf5_create(les_hdf5 *out, const char *path) {
  *out = (les_hdf5){.file = H5I_INVALID_HID, .path = path};
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t list = access_without_lock();
  if (list < 0) return les_fail(LES_FAILED, "%s: the HDF5 library cannot be set up", path);
  out->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, list);
  H5Pclose(list);
  return out->file >= 0 ? LES_OK : les_fail(LES_FAILED, "%s: cannot be created as an HDF5 file", path);
}

les_status les_hdf5_flush(const les_hdf5 *h) {
  if (H5Fflush(h->file, H5F_SCOPE_GLOBAL) >= 0) return LES_OK;
  return les_fail(LES_FAILED, "%s: writing failed; is the disk full or a quota reached?", h->path);
}

void les_hdf5_free(les_hdf5 *h) {
  if (h->file >= 0) H5Fclose(h->file);
  h->file = H5I_INVALID_HID;
}

uint64_t les_hdf5_capacity(const les_hdf5 *h) {
  return h->bytes * 1032; /* the best that deflate can do */
}

/* ---- data sets ------------------------------------------------------------------------------------------
 */

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
  if (n == n_dims && H5Sget_simple_extent_dims(space, shape, NULL) < 0) n = -1;
  if (space >= 0) H5Sclose(space);
  if (n != n_dims) return les_fail(LES_FAILED, "%s: %s has %d dimensions, not %d", h->path, path, n, n_dims);
  return LES_OK;
}

static les_status open_set(const les_hdf5 *h, const char *path, hid_t *set) {
  *set = H5Dopen2(h->file, path, H5P_DEFAULT);
  if (*set < 0)
    return les_fail(LES_FAILED, "%s: has no data set %s; the file is not complete", h->path, path);
  return LES_OK;
}

les_status les_hdf5_shape(const les_hdf5 *h, const char *path, int n_dims, int *shape) {
  hid_t set;
  hsize_t found[3];
  LES_TRY(open_set(h, path, &set));
  les_status s = get_shape(h, path, set, n_dims, found);
  H5Dclose(set);
  LES_TRY(s);
  for (int i = 0; i < n_dims; i++) {
    if (found[i] == 0 || found[i] > INT32_MAX)
      return les_fail(LES_FAILED, "%s: %s has %llu entries", h->path, path, (unsigned long long)found[i]);
    shape[i] = (int)found[i];
  }
  return LES_OK;
}

/* Allocates n values of `size` bytes if a file of this size can hold them. */
static les_status allocate(const les_hdf5 *h, const char *path, uint64_t n, uint64_t size, void **out) {
  if (n > les_hdf5_capacity(h) / size)
    return les_fail(LES_FAILED, "%s: %s claims %llu values, more than the file can hold", h->path, path,
                    (unsigned long long)n);
  *out = calloc(n + 1, size);
  return *out ? LES_OK : les_no_memory("%s of %s", path, h->path);
}

/* True if the stored type is the one that `type` stands for, in either byte order. */
static bool type_fits(hid_t stored, les_field_type type) {
  H5T_class_t class = type == LES_FIELD_F32 ? H5T_FLOAT : H5T_INTEGER;
  if (H5Tget_class(stored) != class || H5Tget_size(stored) != les_field_size(type)) return false;
  return type == LES_FIELD_F32 || (H5Tget_sign(stored) == H5T_SGN_NONE) == (type == LES_FIELD_U8);
}

static les_status read_values(const les_hdf5 *h, const char *path, hid_t set, les_field_type type, int n_dims,
                              const int *shape, void **out) {
  const hid_t native[] = {[LES_FIELD_F32] = H5T_NATIVE_FLOAT,
                          [LES_FIELD_I32] = H5T_NATIVE_INT32,
                          [LES_FIELD_U8] = H5T_NATIVE_UINT8};
  static const char *const names[] = {
      [LES_FIELD_F32] = "float32", [LES_FIELD_I32] = "int32", [LES_FIELD_U8] = "uint8"};
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
  LES_TRY(allocate(h, path, n, les_field_size(type), out));
  if (H5Dread(set, native[type], H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) >= 0) return LES_OK;
  free(*out);
  *out = NULL;
  return les_fail(LES_FAILED, "%s: %s cannot be read; the file is damaged or cut", h->path, path);
}

les_status les_hdf5_read(const les_hdf5 *h, const char *path, les_field_type type, int n_dims,
                         const int *shape, void **out) {
  hid_t set;
  *out = NULL;
  LES_TRY(open_set(h, path, &set));
  les_status s = read_values(h, path, set, type, n_dims, shape, out);
  H5Dclose(set);
  return s;
}

hid_t les_hdf5_type(les_field_type type) {
  return type == LES_FIELD_F32 ? H5T_IEEE_F32LE : type == LES_FIELD_I32 ? H5T_STD_I32LE : H5T_STD_U8LE;
}

static hid_t make_string_type(size_t bytes, H5T_str_t padding, H5T_cset_t characters) {
  hid_t type = H5Tcopy(H5T_C_S1);
  if (type >= 0 && H5Tset_size(type, bytes) >= 0 && H5Tset_strpad(type, padding) >= 0 &&
      H5Tset_cset(type, characters) >= 0)
    return type;
  if (type >= 0) H5Tclose(type);
  return H5I_INVALID_HID;
}

hid_t les_hdf5_string_type(size_t bytes) {
  return make_string_type(bytes ? bytes : 1, H5T_STR_NULLPAD, H5T_CSET_UTF8);
}

/* A memory type for strings of the stored type's length and a null byte. */
static hid_t memory_type(hid_t stored, size_t *size) {
  *size = H5Tget_size(stored) + 1;
  return make_string_type(*size, H5T_STR_NULLTERM, H5Tget_cset(stored));
}

static les_status copy_string(const les_hdf5 *h, const char *path, const char *text, char **out) {
  size_t n = strlen(text);
  if (les_text_valid(text, n) < n)
    return les_fail(LES_FAILED, "%s: %s holds text that is not valid UTF-8", h->path, path);
  *out = strdup(text);
  return *out ? LES_OK : les_no_memory("%s of %s", path, h->path);
}

static les_status read_packed(const les_hdf5 *h, const char *path, hid_t set, int n, char **out) {
  hid_t stored = H5Dget_type(set);
  les_status s = LES_OK;
  void *packed = NULL;
  size_t size = 0;
  hid_t type = H5I_INVALID_HID;
  if (H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored))
    LES_GOTO(s, les_fail(LES_FAILED, "%s: %s is not a string of fixed length", h->path, path), end);
  type = memory_type(stored, &size);
  LES_GOTO(s, allocate(h, path, (uint64_t)n, size, &packed), end);
  if (type < 0 || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed) < 0)
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

les_status les_hdf5_place(const les_hdf5 *h, const char *path, int64_t *offset, uint64_t *bytes) {
  hid_t set;
  LES_TRY(open_set(h, path, &set));
  haddr_t at = H5Dget_offset(set);
  *bytes = H5Dget_storage_size(set);
  H5Dclose(set);
  if (at == HADDR_UNDEF || at > INT64_MAX)
    return les_fail(LES_FAILED, "%s: the values of %s do not lie in one piece", h->path, path);
  *offset = (int64_t)at;
  return LES_OK;
}

/* ---- attributes -----------------------------------------------------------------------------------------
 */

static les_status open_attr(const les_hdf5 *h, const char *name, H5T_class_t class, hid_t *attr) {
  *attr = H5Aopen_by_name(h->file, "/", name, H5P_DEFAULT, H5P_DEFAULT);
  if (*attr < 0) return les_fail(LES_FAILED, "%s: has no attribute '%s'", h->path, name);
  hid_t type = H5Aget_type(*attr), space = H5Aget_space(*attr);
  bool fits = H5Tget_class(type) == class && H5Sget_simple_extent_npoints(space) == 1;
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
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
  hid_t type = memory_type(stored, &size);
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

static les_status make_attr(const les_hdf5 *h, const char *name, hid_t type, const void *value) {
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attr = H5Acreate2(h->file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool good = attr >= 0 && H5Awrite(attr, type, value) >= 0;
  if (attr >= 0) good = H5Aclose(attr) >= 0 && good;
  if (space >= 0) H5Sclose(space);
  return good ? LES_OK : les_fail(LES_FAILED, "%s: attribute '%s' cannot be made", h->path, name);
}

les_status les_hdf5_make_attr_int(const les_hdf5 *h, const char *name, int64_t value) {
  return make_attr(h, name, H5T_STD_I64LE, &(int64_t){value});
}

les_status les_hdf5_make_attr_string(const les_hdf5 *h, const char *name, size_t bytes, const char *text) {
  char *value = calloc(bytes + 1, 1);
  if (!value) return les_no_memory("attribute '%s' of %s", name, h->path);
  hid_t type = les_hdf5_string_type(bytes);
  les_status s = make_attr(h, name, type, strncpy(value, text, bytes));
  if (type >= 0) H5Tclose(type);
  free(value);
  return s;
}

static les_status write_attr(const les_hdf5 *h, const char *name, hid_t attr, hid_t type, const void *value) {
  if (type >= 0 && value && H5Awrite(attr, type, value) >= 0) return LES_OK;
  return les_fail(LES_FAILED, "%s: attribute '%s' cannot be written", h->path, name);
}

les_status les_hdf5_set_attr_int(const les_hdf5 *h, const char *name, int64_t value) {
  hid_t attr;
  LES_TRY(open_attr(h, name, H5T_INTEGER, &attr));
  les_status s = write_attr(h, name, attr, H5T_NATIVE_INT64, &value);
  H5Aclose(attr);
  return s;
}

les_status les_hdf5_set_attr_string(const les_hdf5 *h, const char *name, const char *text) {
  hid_t attr;
  LES_TRY(open_attr(h, name, H5T_STRING, &attr));
  hid_t type = H5Aget_type(attr);
  size_t size = H5Tis_variable_str(type) == 0 ? H5Tget_size(type) : 0;
  char *value = size > 0 ? calloc(size + 1, 1) : NULL;
  les_status s = write_attr(h, name, attr, type, value ? strncpy(value, text, size) : NULL);
  free(value);
  if (type >= 0) H5Tclose(type);
  H5Aclose(attr);
  return s;
}
