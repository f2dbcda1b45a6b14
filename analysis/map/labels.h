/* How often the continuations of a lesion got each label of degeneration. */
#ifndef LES_MAP_LABELS_H
#define LES_MAP_LABELS_H

#include "measure/degeneration.h"
#include "result/reader.h"

typedef struct les_label_counts {
  int of[LES_N_LABELS]; /* finished cells by label */
} les_label_counts;

/* Fills (n_lesions) entries; *out is NULL if the file has no labels. The caller's. */
les_status les_labels_count(les_label_counts **out, const les_result *r);

#endif
