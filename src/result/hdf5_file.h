/* HDF5 files: opening, arrays, strings of fixed length and attributes, in the library's idiom. Nothing in a
 * file is trusted: each call checks type, shape and size before it reads, and a failure's message names the
 * file and the object. HDF5's own printing of errors is off from the first open on. */
#ifndef LES_RESULT_HDF5_FILE_H
#define LES_RESULT_HDF5_FILE_H

#include "measure/field.h"

#include <hdf5.h>

typedef struct les_hdf5 {
  hid_t file;
  const char *path; /* borrowed, for messages */
  uint64_t bytes;   /* of the file when it was opened */
} les_hdf5;

typedef enum les_hdf5_access { LES_HDF5_READ, LES_HDF5_WRITE } les_hdf5_access;

/* Opens without a lock: a sweep that is writing is no obstacle to a reader, nor a reader to it. */
les_status les_hdf5_init(les_hdf5 *out, const char *path, les_hdf5_access access);

/* Makes an empty file in place of what is there. */
les_status les_hdf5_create(les_hdf5 *out, const char *path);

/* Hands all that was written to the operating system: afterwards les_hdf5_free cannot lose anything. */
les_status les_hdf5_flush(const les_hdf5 *h);
void les_hdf5_free(les_hdf5 *h);

/* Bytes of values that a file of this size can hold at most; one that claims more is not valid. */
uint64_t les_hdf5_capacity(const les_hdf5 *h);

/* ---- data sets ---- */

/* True if `path` names a data set. */
bool les_hdf5_has(const les_hdf5 *h, const char *path);

/* Shape of a data set, which has to have n_dims dimensions (2 at most) of at least one entry. */
les_status les_hdf5_shape(const les_hdf5 *h, const char *path, int n_dims, int *shape);

/* Reads a whole array whose shape has to be `shape` (n_dims, 3 at most). *out is malloc'ed, of `type`'s
 * native C type, the caller's. The stored type has to be the same, in either byte order. */
les_status les_hdf5_read(const les_hdf5 *h, const char *path, les_field_type type, int n_dims,
                         const int *shape, void **out);

/* Reads n strings (n_dims 1), or one (n_dims 0, n 1), of fixed length. UTF-8 is checked. The strings and
 * *out are malloc'ed, the caller's: les_hdf5_strings_free. */
les_status les_hdf5_read_strings(const les_hdf5 *h, const char *path, int n_dims, int n, char ***out);
void les_hdf5_strings_free(char **strings, int n);

/* Where the values of a contiguous data set lie in the file: first byte and number of bytes. LES_FAILED if
 * they have no such place. */
les_status les_hdf5_place(const les_hdf5 *h, const char *path, int64_t *offset, uint64_t *bytes);

/* The type that values of a field are stored as: little-endian. Not the caller's to close. */
hid_t les_hdf5_type(les_field_type type);

/* The type that strings are stored as: UTF-8 of a fixed length, `bytes` or 1 if that is 0, padded with null
 * bytes. The caller's to close; negative if it cannot be made. */
hid_t les_hdf5_string_type(size_t bytes);

/* ---- attributes of / ---- */

/* A string of fixed or variable length (malloc'ed, the caller's); a whole number. */
les_status les_hdf5_attr_string(const les_hdf5 *h, const char *name, char **out);
les_status les_hdf5_attr_int(const les_hdf5 *h, const char *name, int64_t *out);

/* Make an attribute: a number; a string with room for `bytes` bytes. */
les_status les_hdf5_make_attr_int(const les_hdf5 *h, const char *name, int64_t value);
les_status les_hdf5_make_attr_string(const les_hdf5 *h, const char *name, size_t bytes, const char *text);

/* Write the value of one that is there, in place; a text that is longer than its room is cut. */
les_status les_hdf5_set_attr_int(const les_hdf5 *h, const char *name, int64_t value);
les_status les_hdf5_set_attr_string(const les_hdf5 *h, const char *name, const char *text);

#endif
