/* Summary of a sweep: the mean of one measure with its interval per lesion and per domain, and the profile of
 * one family of lesions over the layers. */
#ifndef LES_MAP_DAMAGE_H
#define LES_MAP_DAMAGE_H

#include "map/cells.h"
#include "stats/stats.h"

/* Mean over the finished cells, of which `lost` are lost and count as the worst (les_cells). n 0: all NaN. */
typedef struct les_estimate {
  les_interval interval;
  int n, lost;
} les_estimate;

typedef struct les_damage {
  const les_result *result; /* outlives this */
  const char *measure;
  int sign; /* 1: the measure grows with damage; -1: it falls */
  les_cells cells;
  int n_domains;
  const char **domains; /* (n_domains) in order of first appearance; the result's strings */
  int *domain_of;       /* (n_prompts) -1 where no lesion has a value */
  les_estimate *all;    /* (n_lesions) */
  les_estimate *parts;  /* (n_lesions, n_domains) */
  les_estimate *intact; /* (1 + n_domains) of the intact run: over all, then each domain; NULL: the measure is
                           itself a comparison with it */
  const char *family;   /* of the profile; NULL: no lesion touches a single layer */
  int n_profile;        /* layers of the family that have a mean */
  int *profile;         /* (n_profile) lesions in order of their layers */
} les_damage;

/* Summarizes one measure (NULL: LES_PREFER_TEXT) and one family of
 * lesions (NULL: the first that has a lesion for every layer, else the first with one layer). Cells that are
 * not finished are left out. */
les_status les_damage_compute(les_damage **out, const les_result *result, const char *measure,
                              const char *family);
void les_damage_free(les_damage **damage);

/* Lesions of the profile, most damaging first: by the mean of the domain, or of all (-1); of equal ones the
 * lower layer first. order (n_profile); lesions without a mean there are left out. Returns their number. */
int les_damage_rank(const les_damage *d, int domain, int *order);

/* True if two lesions are tested together: as layers of one family, or as lesions of several layers, which
 * are one family whatever they do. */
bool les_damage_same_family(const les_damage *d, int a, int b);

/* Holm's correction of a p-value of every lesion (n_lesions), within each family. A NaN stays NaN, and counts
 * as a test that was made. */
les_status les_damage_holm(const les_damage *d, const double *p, double *corrected);

/* The estimate of a lesion over a domain, or over all (-1). */
const les_estimate *les_damage_estimate(const les_damage *d, int lesion, int domain);

/* Mean damage of a lesion against the intact run (les_cells_damage) over a domain, or over all (-1); NaN
 * where there is none. */
double les_damage_loss(const les_damage *d, int lesion, int domain);

#endif
