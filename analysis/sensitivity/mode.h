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

/* The range of the damage of a cell. */
les_range les_mode_range(const les_mode *mode, const char *measure);

/* Damage of every cell (n_lesions, n_prompts), more is worse; NaN where the cell is not finished or the
 * prompt lacks the measure. A lost cell (failed, or done without a finite value) has the worst finite damage
 * of the file; one that has failed has no label. *values is malloc'ed, the caller's. */
les_status les_mode_read(const les_mode *mode, const char *measure, const les_result *r, double **values);

#endif
