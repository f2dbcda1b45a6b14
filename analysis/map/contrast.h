/* Contrasts: how much more damage one lesion does than another, or than the intact run has, paired by prompt.
 */
#ifndef LES_MAP_CONTRAST_H
#define LES_MAP_CONTRAST_H

#include "base/cell.h"
#include "map/damage.h"

#include <stdbool.h>

enum { LES_FEWEST_PAIRS = 10 }; /* fewer cannot tell anything apart, however consistent they are */

/* Damage of `a` minus damage of `b` over the prompts where both have a finite value. Damage is the measure
 * times its sign, so that more is worse. */
typedef struct les_contrast {
  int a, b;                /* lesions, or LES_INTACT */
  int n;                   /* pairs */
  les_interval difference; /* paired bootstrap */
  double p_holm;           /* its p, corrected for the contrasts made together */
} les_contrast;

/* Fills n, difference and p_holm of m contrasts whose a and b are set, over a domain or all (-1). */
les_status les_contrasts_compute(const les_damage *d, int domain, les_contrast *contrasts, int m);

/* True if the data tell the two apart: p_holm of at most 0.05, from LES_FEWEST_PAIRS or more. */
bool les_contrast_holds(const les_contrast *c);

#endif
