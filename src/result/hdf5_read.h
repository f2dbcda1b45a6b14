/* Reading HDF5 with nothing trusted: each call checks type, shape and size before it reads, and its message
 * names the file and the object. Callers switch HDF5's own error printing off (H5E_BEGIN_TRY). */
#ifndef LES_RESULT_HDF5_READ_H
#define LES_RESULT_HDF5_READ_H

#include "result/schema.h"

#include <hdf5.h>

typedef struct les_hdf5 {
  hid_t file;
  const char *path; /* borrowed, for messages */
  uint64_t bytes;   /* of the file */
} les_hdf5;

/* Opens for reading without a lock, so that a sweep that is writing is no obstacle. */
les_status les_hdf5_open(les_hdf5 *out, const char *path);
void les_hdf5_close(les_hdf5 *h);

/* Bytes of values that a file of this size can hold at most; one that claims more was made up. */
uint64_t les_hdf5_capacity(const les_hdf5 *h);

/* True if `path` names a data set. */
bool les_hdf5_has(const les_hdf5 *h, const char *path);

/* Number of entries of the first dimension of a data set with n_dims dimensions; 0 entries are an error. */
les_status les_hdf5_length(const les_hdf5 *h, const char *path, int n_dims, int *length);

/* Reads a whole numeric data set whose shape has to be `shape` (n_dims). *out is malloc'ed, of `type`'s
 * native C type, the caller's. The stored type has to be the same. */
les_status les_hdf5_read(const les_hdf5 *h, const char *path, les_dataset_type type, int n_dims,
                         const int *shape, void **out);

/* Reads n strings (n_dims 1), or one (n_dims 0, n 1), of fixed length. UTF-8 is checked. The strings and
 * *out are malloc'ed, the caller's: les_hdf5_strings_free. */
les_status les_hdf5_read_strings(const les_hdf5 *h, const char *path, int n_dims, int n, char ***out);
void les_hdf5_strings_free(char **strings, int n);

/* Attributes of /. A string of fixed or variable length; a whole number. */
les_status les_hdf5_attr_string(const les_hdf5 *h, const char *name, char **out);
les_status les_hdf5_attr_int(const les_hdf5 *h, const char *name, int64_t *out);

#endif
