#include "format/tensors.h"

#include <stdlib.h>
#include <string.h>

static int compare_tensors(const void *a, const void *b) {
  const les_tensor *const *x = a, *const *y = b;
  return strcmp((*x)->name, (*y)->name);
}

les_status les_tensors_sort(les_tensors *t) {
  t->sorted = malloc(((size_t)t->n + 1) * sizeof(const les_tensor *));
  if (!t->sorted) return les_no_memory("the table of %d tensors", t->n);
  for (int i = 0; i < t->n; i++) t->sorted[i] = &t->items[i];
  qsort(t->sorted, (size_t)t->n, sizeof(const les_tensor *), compare_tensors);
  for (int i = 1; i < t->n; i++)
    if (!strcmp(t->sorted[i - 1]->name, t->sorted[i]->name))
      return les_fail(LES_FAILED, "tensor '%s' is there twice", t->sorted[i]->name);
  return LES_OK;
}

const les_tensor *les_tensors_find(const les_tensors *t, const char *name) {
  les_tensor key = {.name = name};
  const les_tensor *wanted = &key;
  const les_tensor **hit =
      t->n > 0 ? bsearch(&wanted, t->sorted, (size_t)t->n, sizeof(const les_tensor *), compare_tensors)
               : NULL;
  return hit ? *hit : NULL;
}

void les_tensors_free(les_tensors *t) {
  for (int i = 0; i < t->n; i++) free((char *)t->items[i].name);
  free(t->items);
  free(t->sorted);
  *t = (les_tensors){0};
}

int64_t les_tensor_elements(const les_tensor *t) {
  int64_t n = 1;
  for (int i = 0; i < t->n_dims; i++) n *= t->dims[i];
  return n;
}
