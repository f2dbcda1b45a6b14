/* The command line: one function per subcommand, each in its own cmd_NAME.c. What they share: options.h reads
 * arguments, output.h prints. */
#ifndef LES_CLI_CLI_H
#define LES_CLI_CLI_H

#include "cli/options.h"
#include "cli/output.h"

/* Each runs a command and returns the exit code; argv[0] is "lesion NAME". */
int cmd_estimate(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_importance(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_launch(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_perplexity(int argc, char **argv);
int cmd_score(int argc, char **argv);
int cmd_sensitivity(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_synth(int argc, char **argv);
int cmd_task(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);

/* The folder for digests of models: $XDG_CACHE_HOME/lesion or ~/.cache/lesion; NULL if neither is set. */
const char *cli_cache_dir(void);

#endif
