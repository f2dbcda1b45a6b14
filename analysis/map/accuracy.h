/* Accuracies of the intact and the lesioned runs on the prompts and documents that have an answer. */
#ifndef LES_MAP_ACCURACY_H
#define LES_MAP_ACCURACY_H

#include "map/damage.h"
#include "stats/inference.h"

/* One lesion against the intact run, over the cells where both are scored. A lost cell is a wrong answer. */
typedef struct les_accuracy {
  int n;
  double intact, lesioned; /* shares of correct answers; NaN for n = 0 */
  int lost, won;           /* answered correctly by the intact run only; by the lesioned run only */
  les_test exact, chi2;    /* McNemar */
  double p_holm;           /* of exact, corrected within les_damage_same_family */
} les_accuracy;

/* Fills (n_lesions) entries from the measure `acc`; *out is NULL if the file has none. The caller's. */
les_status les_accuracy_compute(les_accuracy **out, const les_damage *d);

#endif
