/* Lesions compared with each other: which the data tell apart, which layers may go. */
#ifndef LES_MAP_COMPARISON_H
#define LES_MAP_COMPARISON_H

#include "map/contrast.h"

enum { LES_FEW_PROMPTS = 30 }; /* with fewer, percentile intervals of means are too narrow */

/* One end of the ranking: a lesion of the profile, and those whose difference from it is not significant. */
typedef struct les_extreme {
  int lesion; /* -1: the profile is empty */
  int n_tied;
  int *tied; /* (n_tied) lesions in order of the ranking */
} les_extreme;

typedef struct les_comparison {
  les_extreme most, least;       /* critical */
  int n_candidates, *candidates; /* lesions, least damage first, that may go: `least` and those tied with it;
                                    none if the most critical layer is among them */
  int n_ranked;
  les_contrast *neighbours; /* (n_ranked - 1) each lesion of the ranking against the next one */
  les_contrast *firsts; /* (n_domains) first against second of each domain's ranking; n 0: fewer than two */
  les_contrast *versus; /* (n_lesions) each lesion against the intact run, corrected within its family; NULL:
                           the measure has no intact value */
} les_comparison;

les_status les_comparison_compute(les_comparison *out, const les_damage *d);
void les_comparison_free(les_comparison *c);

#endif
