/* The permutation test of paired differences. */
#ifndef LES_STATS_SIGN_FLIP_H
#define LES_STATS_SIGN_FLIP_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The tests that are looked at together, so that one of them may be chosen by what it says. */
typedef struct les_family {
  double size; /* number of tests */
  uint64_t seed;
} les_family;

/* The level at which a family of tests is held. */
#define LES_LEVEL 0.05

/* Two-sided p of the mean of paired differences, for the hypothesis that the two members of a pair could be
 * exchanged, so that each difference is as likely as its negative (Fisher, 1935; Good, "Permutation tests",
 * 2000): the share of all assignments of signs whose sum is as far from 0 as the one that was seen.
 *
 * Differences of 0 say nothing and are left out. Of up to 20 others every assignment is looked at; of more,
 * as many random ones as the family's size asks for, at least 20,000, the one that was seen among them
 * (Phipson and Smyth, 2010), fewer where 100 have come out as far from 0 (Besag and Clifford, 1991). Random
 * signs depend on the seed and the place alone.
 *
 * `values` (m, width): test i is of the first n[i] values of row i, all finite. p[i] is NaN where
 * les_sign_flip_possible says no. */
les_status les_sign_flip(const double *values, const int *n, int m, int width, les_family family, double *p);

/* True if `different` pairs that are not equal can be significant in a family of that size at all: if the
 * least p that they can have, 2 / 2^different, is at most LES_LEVEL / size. */
bool les_sign_flip_possible(int different, double size);

/* The least number of such pairs: 6 for one test. */
int les_sign_flip_fewest(double size);

#endif
