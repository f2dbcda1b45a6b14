#include "map/labels.h"

#include <stdlib.h>

les_status les_labels_count(les_label_counts **out, const les_result *r) {
  double *labels;
  *out = NULL;
  if (!les_result_has(r, "label")) return LES_OK;
  LES_TRY(les_result_field(r, "label", &labels));
  *out = calloc((size_t)r->n_lesions, sizeof **out);
  for (int i = 0; *out && i < r->n_lesions; i++)
    for (int p = 0; p < r->n_prompts; p++) {
      size_t cell = (size_t)i * (size_t)r->n_prompts + (size_t)p;
      if (r->status[cell] == LES_CELL_DONE && labels[cell] < LES_N_LABELS) (*out)[i].of[(int)labels[cell]]++;
    }
  free(labels);
  return *out ? LES_OK : les_no_memory("labels of %s", r->path);
}
