/* Contrasts: how much more damage one lesion does than another, or than the intact run has, paired by prompt.
 */
#ifndef LES_MAP_CONTRAST_H
#define LES_MAP_CONTRAST_H

#include "base/cell.h"
#include "map/damage.h"

#include <stdbool.h>

/* Damage of `a` minus damage of `b` over the prompts where both have a value. Damage is the measure times its
 * sign, so that more is worse. */
typedef struct les_contrast {
  int a, b;          /* lesions, or LES_INTACT */
  int n;             /* pairs */
  double difference; /* mean */
  double error;      /* its standard error */
  double p;          /* of the sign-flip test; NaN: too few pairs differ for a test in its family */
  double p_family;   /* corrected for the tests that are looked at together */
} les_contrast;

/* Fills n, difference, error, p and p_family of m contrasts whose a and b are set, over a domain or all (-1).
 * family: how many tests are looked at together, those that are not computed included; p_family is p times
 * that number (Bonferroni), so that a pair is told apart or not whichever of the tests are asked for. */
les_status les_contrasts_compute(const les_damage *d, int domain, double family, les_contrast *contrasts,
                                 int m);

/* True if the data tell the two apart: p_family of at most 0.05. */
bool les_contrast_holds(const les_contrast *c);

#endif
