/* Proxies: estimates of a layer's importance from the intact model alone (`lesion importance`, a weight
 * norm), and how well they rank layers by the damage that was measured. */
#ifndef LES_MAP_PROXY_H
#define LES_MAP_PROXY_H

#include "map/damage.h"
#include "stats/inference.h"

typedef struct les_proxy {
  char *name;     /* key in the file: "attn", "block" */
  double *values; /* (n_layers) */
} les_proxy;

/* Rank correlation of one proxy with the mean damage by one measure over the layers of the profile. */
typedef struct les_correlation {
  int proxy;           /* index */
  const char *measure; /* "jaccard", "kl_mean", "delta_nll" or "acc" (loss of it) */
  int n;               /* layers */
  les_test spearman, kendall;
  double p_holm; /* of Spearman's, corrected for the number of correlations */
} les_correlation;

typedef struct les_proxies {
  int n, n_correlations;
  les_proxy *items;              /* (n) */
  les_correlation *correlations; /* (n_correlations) */
} les_proxies;

/* Reads the JSON document that `lesion importance --json` prints: every key whose value is a list with a
 * number for each layer is a proxy; of a list of lists (the angular distances over 1, 2... layers) the first
 * is. Correlates each with every measure of damage in the result file. */
les_status les_proxies_compute(les_proxies *out, const char *path, const les_damage *d);
void les_proxies_free(les_proxies *p);

#endif
