/* What a map supports: which layers are told apart, which may go, and where the data say too little. */
#ifndef LES_MAP_VERDICT_H
#define LES_MAP_VERDICT_H

#include "map/contrast.h"

enum { LES_FEW_PROMPTS = 30 }; /* below, percentile intervals of means are too narrow */

/* One end of the ranking: a lesion of the profile, and the others that the data do not tell apart from it. */
typedef struct les_extreme {
  int lesion; /* -1: the profile is empty */
  int n_tied;
  int *tied; /* (n_tied) lesions in order of the ranking */
} les_extreme;

typedef struct les_verdict {
  les_extreme most, least;       /* critical */
  int n_candidates, *candidates; /* lesions, least damage first, that may go: `least` and those tied with it;
                                    none if the most critical layer is among them */
  int n_ranked;
  les_contrast *neighbours; /* (n_ranked - 1) each lesion of the ranking against the next one */
  les_contrast *firsts; /* (n_domains) first against second of each domain's ranking; n 0: fewer than two */
  les_contrast *versus; /* (n_lesions) each lesion against the intact run, corrected within its family; NULL:
                           the measure has no intact value */
} les_verdict;

les_status les_verdict_make(les_verdict *out, const les_damage *d);
void les_verdict_free(les_verdict *v);

#endif
