/* The command line: one function per subcommand, each in its own cmd_NAME.c, and what they share. */
#ifndef LES_CLI_CLI_H
#define LES_CLI_CLI_H

#include "base/status.h"
#include "model/model.h"

#include <argp.h>
#include <cjson/cJSON.h>
#include <stdbool.h>

typedef struct les_command {
  const char *name;
  const char *help;                  /* one line for `lesion --help` */
  int (*run)(int argc, char **argv); /* argv[0] is "lesion NAME"; returns the exit code */
} les_command;

int cmd_inspect(int argc, char **argv);
int cmd_synth(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);
int cmd_score(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_importance(int argc, char **argv);
int cmd_task(int argc, char **argv);
int cmd_perplexity(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_launch(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_sensitivity(int argc, char **argv);

/* Parses with argp; prints usage errors itself and exits with 2 (argp_err_exit_status is set by main). */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Ends a command: prints "lesion: MESSAGE" as one line on stderr if status is a failure, and gives the exit
 * code (0, 1, 2, 75). */
int cli_finish(les_status status);

/* Prints a JSON document and a newline to stdout (NaN and infinity as null) and frees it. */
void cli_print_json(cJSON *doc);

/* Threads to use: `requested` if > 0, else OMP_NUM_THREADS, else the machine's cores available to the
 * process. */
int cli_threads(int requested);

/* Options shared by every command that runs a model; add `.children = cli_model_argp` and let `input` of the
 * child be a cli_model_options. */
typedef struct cli_model_options {
  int compute; /* les_compute */
  int threads;
} cli_model_options;
extern const struct argp cli_model_argp;

/* The folder for digests of models: $XDG_CACHE_HOME/lesion or ~/.cache/lesion; NULL if neither is set. */
const char *cli_cache_dir(void);

/* A list of strings that an option given several times builds. */
typedef struct cli_list {
  char **items;
  int n;
} cli_list;
void cli_list_add(cli_list *list, char *item); /* item is borrowed */
void cli_list_free(cli_list *list);

/* For ARGP_KEY_ARG: keeps the command's one argument, called `what` in its usage; a second one is a usage
 * error. */
error_t cli_take_arg(struct argp_state *state, const char *what, char *arg, char **to);

/* For ARGP_KEY_END: a usage error if that argument is missing. */
void cli_need_arg(struct argp_state *state, const char *what, const char *arg);

/* An option's number within [low, high]; anything else is a usage error that quotes it. */
double cli_number(struct argp_state *state, const char *option, const char *arg, double low, double high);

/* {"model": ..., "compute": ..., "results": []} to be filled. compute: les_compute. */
cJSON *cli_results(const les_model *model, int compute);

#endif
