#include "format/tensors.h"

#include <stdlib.h>
#include <string.h>

static int compare_tensors(const void *a, const void *b) {
  const les_tensor *const *x = a, *const *y = b;
  return strcmp((*x)->name, (*y)->name);
}

les_status les_tensors_sort(les_tensors *w) {
  w->sorted = malloc(((size_t)w->n + 1) * sizeof(const les_tensor *));
  if (!w->sorted) return les_fail(LES_FAILED, "no memory for the table of %d tensors", w->n);
  for (int i = 0; i < w->n; i++) w->sorted[i] = &w->items[i];
  qsort(w->sorted, (size_t)w->n, sizeof(const les_tensor *), compare_tensors);
  for (int i = 1; i < w->n; i++)
    if (!strcmp(w->sorted[i - 1]->name, w->sorted[i]->name))
      return les_fail(LES_FAILED, "tensor '%s' is there twice", w->sorted[i]->name);
  return LES_OK;
}

const les_tensor *les_tensors_find(const les_tensors *w, const char *name) {
  les_tensor key = {.name = name};
  const les_tensor *wanted = &key;
  const les_tensor **hit =
      w->n > 0 ? bsearch(&wanted, w->sorted, (size_t)w->n, sizeof(const les_tensor *), compare_tensors)
               : NULL;
  return hit ? *hit : NULL;
}

void les_tensors_free(les_tensors *w) {
  for (int i = 0; i < w->n; i++) free((char *)w->items[i].name);
  free(w->items);
  free(w->sorted);
  *w = (les_tensors){0};
}

int64_t les_tensor_elements(const les_tensor *t) {
  int64_t n = 1;
  for (int i = 0; i < t->n_dims; i++) n *= t->dims[i];
  return n;
}
