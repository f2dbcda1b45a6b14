/* Which layers may go: those whose removal is shown to do less damage than a margin. */
#ifndef LES_MAP_REMOVAL_H
#define LES_MAP_REMOVAL_H

#include "map/damage.h"

typedef struct les_removal {
  double margin;   /* in the measure's units; NaN: none was given, and the measure has no usual one */
  double *upper;   /* (n_lesions) upper bound of the mean damage against the intact run; NaN outside of the
                      profile and where there is none */
  int n, *lesions; /* (n) candidates, least damage first */
} les_removal;

/* A test of equivalence (Schuirmann, 1987): a layer is a candidate if the upper bound of its damage is below
 * the margin (0: the field's own). The bound is one-sided, by studentised bootstrap, and holds for all layers
 * of the profile together with 95 % (Bonferroni): fewer prompts make it wider, and candidates fewer; below 10
 * there is none. It is
 * not less than what damage that no prompt happened to show could add, on a measure with an upper bound: ten
 * answers of which none is lost do not prove that one in ten is not. A lesion that lost a cell is none. */
les_status les_removal_compute(les_removal *out, const les_damage *d, double margin);
void les_removal_free(les_removal *r);

#endif
