/* The cells of one measure as statistics take them: what a lesion has broken counts, as the worst there is.
 */
#ifndef LES_MAP_CELLS_H
#define LES_MAP_CELLS_H

#include "result/reader.h"

/* A cell is lost if it has failed, or is done without a finite value: the lesion has broken the model. To
 * leave it out would make the lesion look harmless; it takes the worst value that the measure can have, or,
 * where there is no such bound, the worst finite one of the file. */
typedef struct les_cells {
  const les_field *field;
  int n_prompts;  /* columns of the file; samples of one prompt are averaged into its first column */
  double *values; /* (n_lesions, n_prompts) NaN: not finished, or the prompt lacks the measure, as one without
                     an answer lacks accuracy, or nothing in the file is finite */
  bool *lost;     /* (n_lesions, n_prompts) */
  double *intact; /* (n_prompts) of the intact runs; NULL: the measure is itself a comparison with them */
} les_cells;

/* Reads a measure of damage (les_fields[field].damage is not 0). */
les_status les_cells_read(les_cells *out, const les_result *r, int field);
void les_cells_free(les_cells *cells);

/* Damage of a cell against the intact run, in the measure's units, more is worse: the value less the intact
 * run's, or less the one of a model that does not differ from it (a distance of 0, a share of 1). NaN where
 * there is no value, or nothing to compare it with. */
double les_cells_damage(const les_cells *cells, int lesion, int prompt);

/* The range of les_cells_damage. */
les_range les_cells_damage_range(const les_cells *cells);

#endif
