/* Zones: runs of neighbouring layers that a lesion damages alike. */
#ifndef LES_MAP_ZONES_H
#define LES_MAP_ZONES_H

#include "base/status.h"

typedef struct les_zone {
  const char *name; /* "critical", "active", "low" */
  int first, last;  /* indices into the profile */
  double mean, min, max;
} les_zone;

/* Cuts a profile of n finite values into runs of constant mean. The cut into k runs with the least sum of
 * squares is exact (dynamic programming over all cuts: Bellman, 1961; Jackson et al., 2005); k minimises
 * Schwarz's criterion for change points, n ln(RSS / n) + 2 k ln n (Yao, 1988), with at most n / 2 runs, and
 * with RSS / n never taken to be less than `noise`, the mean square of the values' standard errors: a run is
 * not split by differences that the measurement itself makes.
 *
 * A zone is named by the third of the profile's range, from its smallest to its largest value, that the mean
 * of the run lies in: critical (upper), active, low (lower); active if there is one run only. Neighbours of
 * one name are one zone; a layer that is missing between two parts them.
 *
 * layers (n): ascending. zones (n) is the caller's; *n_zones receives the number. */
les_status les_zones_find(const double *profile, const int *layers, int n, double noise, les_zone *zones,
                          int *n_zones);

#endif
