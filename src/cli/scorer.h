/* What commands share that score requests intact and under lesions, and print a row of scores per lesion. */
#ifndef LES_CLI_SCORER_H
#define LES_CLI_SCORER_H

#include "cli/lesions.h"
#include "data/perplexity.h"

typedef struct cli_scorer {
  cli_model_options model;
  cli_lesions lesions;
  char *path; /* MODEL */
  bool json;

  const char *counted; /* what `count` counts: "documents" */
  int64_t count;

  /* Makes the requests for the opened model; they stay the command's. Sets count. */
  les_status (*prepare)(struct cli_scorer *s, const les_model *model, const les_requests **requests);
  /* The scores under one lesion from its answers to the requests; may add to the JSON row (NULL: a table is
   * printed). Returns their number. */
  int (*finish)(struct cli_scorer *s, const les_loglik *answers, les_score scores[LES_MOST_SCORES],
                cJSON *row);
  /* How much each of n_units moves each score, (LES_MOST_SCORES, n_units), after `finish` of the same
   * answers. */
  void (*influences)(struct cli_scorer *s, const les_loglik *answers, const les_score *scores, double *out);
  int n_units; /* set by prepare: documents, windows */
  void *ctx;   /* the command's own */
} cli_scorer;

/* MODEL, --json and the options of cli_lesions_argp and cli_model_argp; the input of the child is a
 * cli_scorer. */
extern const struct argp cli_scorer_argp;

/* Opens the model, prepares, scores and prints. */
les_status cli_scorer_run(cli_scorer *s);

void cli_scorer_free(cli_scorer *s);

#endif
