/* Modes of failure: the damage of every cell in each of the ways in which a model can fail. */
#ifndef LES_SENSITIVITY_MODE_H
#define LES_SENSITIVITY_MODE_H

#include "result/reader.h"

typedef struct les_mode {
  const char *name;    /* "repetition" */
  const char *measure; /* the field that shows it; NULL: chosen by the caller */
  int label;           /* les_label that counts; 0: the field's value does */
} les_mode;

/* The i-th mode; NULL beyond the last. The first is divergence, whose measure is chosen. */
const les_mode *les_mode_at(int i);

/* Damage of every cell (n_lesions, n_prompts), more is worse; NaN where the cell is not done or the prompt
 * lacks the measure. *values is malloc'ed, the caller's. */
les_status les_mode_read(const les_mode *mode, const char *measure, const les_result *r, double **values);

#endif
