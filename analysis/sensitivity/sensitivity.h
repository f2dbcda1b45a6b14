/* Sensitivity: which weight matrices are pillars, the few that carry most of the damage that lesions of
 * single matrices do, and which are robust; by operation (svd, noise, ...) and mode of
 * failure. */
#ifndef LES_SENSITIVITY_SENSITIVITY_H
#define LES_SENSITIVITY_SENSITIVITY_H

#include "model/model.h"
#include "result/reader.h"
#include "stats/stats.h"

#include <stdbool.h>

/* One matrix under one operation in one mode. */
typedef struct les_matrix_score {
  int layer;
  les_linear_id linear;
  les_interval damage; /* mean over prompts of the mean over doses */
  double
      p_holm; /* of the sign-flip test that the damage is none, Holm over the ranking; NaN: too few prompts */
  int n;      /* prompts */
  double share;      /* of the total damage; negative damage counts as none */
  double cumulative; /* of this and all before it */
  bool pillar;
} les_matrix_score;

typedef struct les_ranking {
  char *operation;     /* "svd" */
  const char *mode;    /* "divergence", "likelihood", "accuracy", "repetition", "gibberish", "empty", "nan" */
  const char *measure; /* that the damage is read from: "kl_mean" */
  double total;        /* sum of the matrices' damage */
  double carried;      /* share of it that the pillars carry together */
  int n, n_pillars;
  int n_prompts, n_needed; /* most prompts that a matrix has; fewest with which any can be told from none */
  les_matrix_score *items; /* (n) most damage first */
} les_ranking;

/* One matrix over all rankings: a pillar if it is one in any of them. */
typedef struct les_matrix_summary {
  int layer;
  les_linear_id linear;
  bool pillar;
} les_matrix_summary;

typedef struct les_sensitivity {
  les_result *result;
  char result_sha256[65];
  double share;
  int n_rankings, n_matrices;
  les_ranking *rankings;        /* (n_rankings) */
  les_matrix_summary *matrices; /* (n_matrices) by layer, then in the order of a layer */
} les_sensitivity;

typedef struct les_sensitivity_options {
  double share;        /* of the damage that the pillars carry together, 0..1 */
  const char *measure; /* of divergence; NULL: LES_PREFER_LOGITS */
} les_sensitivity_options;

/* Reads the sweep's result and ranks the matrices of its lesions of one matrix of one layer ("svd@3.mlp.down:
 * keep=0.1"); other lesions are passed over. The doses of one operation on one matrix (ranks, noise levels,
 * seeds) are averaged.
 *
 * Pillars are the smallest set of matrices that carries `share` of the total damage in a mode, without those
 * whose damage is not told apart from none (sign-flip test over prompts, Holm over the matrices of the
 * ranking, 5 %): with too few prompts there are none. Damage is the measure's mean, or its loss against the
 * intact run (accuracy); for failures, the share of prompts that fall into a loop (less those that do without
 * a lesion), or whose continuation is gibberish, empty or ended by NaN. A lost cell, one that has failed or
 * is done without a finite value, counts as the worst finite one of the measure (a failed one has no label).
 * Modes without damage are left out. */
les_status les_sensitivity_compute(les_sensitivity **out, const char *path,
                                   const les_sensitivity_options *options);

/* True if some ranking has prompts enough to tell a matrix's damage from none. */
bool les_sensitivity_supported(const les_sensitivity *s);
void les_sensitivity_free(les_sensitivity **s);

#endif
