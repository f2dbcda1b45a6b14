/* The table of a model's tensors, common to all file formats: filled by the readers, searched by name. */
#ifndef LES_FORMAT_TENSORS_H
#define LES_FORMAT_TENSORS_H

#include "base/status.h"
#include "kernels/kernels.h"

enum { LES_MAX_DIMS = 8 };

typedef struct les_tensor {
  const char *name;
  const char *type_name; /* as the format writes it: "Q8_0", "BF16"; for messages */
  uint32_t type_id;      /* GGML's; les_dtype_find(type_id) is NULL for a type that we cannot read */
  int n_dims;
  int64_t dims[LES_MAX_DIMS]; /* dims[0] is the fastest: the inputs of a matrix; 1 from n_dims on */
  const void *data;           /* in the mapped file; NULL where the type cannot be read */
} les_tensor;

typedef struct les_tensors {
  les_tensor *items; /* (n) in the order of the file */
  int n;
  const les_tensor **sorted; /* (n) by name; NULL before les_tensors_sort */
} les_tensors;

/* Sorts the table for les_tensors_find. Two tensors of one name are an error. */
les_status les_tensors_sort(les_tensors *t);

/* The tensor of that name, or NULL. */
const les_tensor *les_tensors_find(const les_tensors *t, const char *name);

/* Frees items, their names and the index; data is not owned. */
void les_tensors_free(les_tensors *t);

/* Number of elements; the readers have checked that it fits. */
int64_t les_tensor_elements(const les_tensor *t);

#endif
