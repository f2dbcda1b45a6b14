/* Lesions compared with each other and with the intact run: which the data tell apart. */
#ifndef LES_MAP_COMPARISON_H
#define LES_MAP_COMPARISON_H

#include "map/contrast.h"

/* One end of the ranking: a lesion of the profile, and those whose difference from it is not significant. */
typedef struct les_extreme {
  int lesion; /* -1: the profile is empty */
  int n_tied;
  int *tied; /* (n_tied) lesions in order of the ranking */
} les_extreme;

/* What is said of the order of layers is one family of tests, whichever layers the data put at its ends or
 * beside each other: all pairs of the ranking; for single domains, all pairs in all domains. */
typedef struct les_comparison {
  les_extreme most, least; /* critical */
  int n_ranked;
  double family;            /* pairs of the ranking */
  les_contrast *neighbours; /* (n_ranked - 1) each lesion of the ranking against the next one */
  les_contrast *firsts; /* (n_domains) first against second of each domain's ranking; n 0: fewer than two */
  les_contrast *versus; /* (n_lesions) each lesion against the intact run, p_family by Holm within
                           les_damage_same_family; NULL: the measure has no intact value */
} les_comparison;

les_status les_comparison_compute(les_comparison *out, const les_damage *d);
void les_comparison_free(les_comparison *c);

#endif
