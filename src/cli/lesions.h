/* Lesions given on the command line, and what they need. */
#ifndef LES_CLI_LESIONS_H
#define LES_CLI_LESIONS_H

#include "cli/cli.h"
#include "lesion/lesion_plan.h"

typedef struct cli_lesions {
  cli_list specs;
  const char *calibration; /* path; NULL: none given */
  les_lesions lesions;     /* after cli_lesions_resolve */
  les_means *means;        /* NULL: no lesion needs them */
} cli_lesions;

/* --lesion and --calibration; the input of the child is a cli_lesions. */
extern const struct argp cli_lesions_argp;

/* Checks the lesions against the model, and calibrates those that need it. */
les_status cli_lesions_resolve(cli_lesions *l, const les_model *model, const cli_model_options *options);
void cli_lesions_free(cli_lesions *l);

#endif
