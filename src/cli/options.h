/* Options that several commands take, and helpers to parse them. A letter means one thing in all commands:
 * every short option of the program is named here, and nowhere else. */
#ifndef LES_CLI_OPTIONS_H
#define LES_CLI_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/* Keys of the options that have a letter. Only -n has two meanings: the number of new tokens in `generate`,
 * the number of ranks, as in mpirun, in `launch` and `estimate`. */
enum {
  CLI_ARCH = 'a',
  CLI_NO_BOS = 'B',
  CLI_COMPUTE = 'c',
  CLI_CALIBRATION = 'C',
  CLI_DECODE = 'd',
  CLI_FILE = 'f',
  CLI_LOGITS = 'g',
  CLI_TOKENS = 'i',
  CLI_JSON = 'j',
  CLI_TASK = 'k',
  CLI_LESION = 'l',
  CLI_MEASURE = 'm',
  CLI_NEW_TOKENS = 'n',
  CLI_RANKS = 'n',
  CLI_OUTPUT = 'o',
  CLI_PROMPT = 'p',
  CLI_RETRIES = 'r',
  CLI_SEED = 's',
  CLI_SPECIAL = 'S',
  CLI_THREADS = 't',
  CLI_TEMPERATURE = 'T',
  CLI_UNTIED = 'u',
  CLI_VOCAB = 'v',
  CLI_WINDOW = 'w',
  CLI_TEXT = 'x',

  /* Without a letter, in more than one command. */
  CLI_CHAT = 256,
  CLI_PROGRESS,
  CLI_SYSTEM,
  CLI_TIME_LIMIT,

  CLI_OWN_KEYS = 1000 /* the first key for a command's own options without a letter */
};

/* Rows of a struct argp_option array; `group` is where --help lists the option. */
#define CLI_JSON_OPTION(group)                                                                               \
  { "json", CLI_JSON, NULL, 0, "Print one JSON document", group }
#define CLI_OUTPUT_OPTION(what, help)                                                                        \
  { "output", CLI_OUTPUT, what, 0, help, 0 }
#define CLI_MEASURE_OPTION(help)                                                                             \
  { "measure", CLI_MEASURE, "NAME", 0, help, 0 }
#define CLI_RANKS_OPTION(help)                                                                               \
  { "ranks", CLI_RANKS, "N", 0, help, 0 }
#define CLI_SEED_OPTION(help, group)                                                                         \
  { "seed", CLI_SEED, "S", 0, help, group }
#define CLI_TEXT_OPTION(help, group)                                                                         \
  { "text", CLI_TEXT, "TEXT", 0, help, group }
#define CLI_FILE_OPTION(help, group)                                                                         \
  { "file", CLI_FILE, "FILE", 0, help, group }
#define CLI_TIME_LIMIT_OPTION                                                                                \
  { "time-limit", CLI_TIME_LIMIT, "HH:MM:SS", 0, "End early with a good checkpoint after this time", 0 }

/* --compute, --threads and --progress, of every command that runs a model: add `.children = cli_model_argp`
 * and let the input of the child be a cli_model_options. */
typedef struct cli_model_options {
  int compute;   /* les_compute; a command with a job starts from -1: the job's */
  int threads;   /* 0: not given */
  bool progress; /* asked for, though stderr is no terminal */
} cli_model_options;
extern const struct argp cli_model_argp;

/* Threads to use: `requested` if > 0, else OMP_NUM_THREADS, else the machine's cores available to the
 * process. */
int cli_threads(int requested);

/* Parses with argp, which prints usage errors itself and exits with 2 (main sets argp_err_exit_status). */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* For ARGP_KEY_ARG: keeps the command's one argument, called `what` in its usage; a second one is a usage
 * error. */
error_t cli_take_arg(struct argp_state *state, const char *what, char *arg, char **to);

/* For ARGP_KEY_END: a usage error if that argument is missing. */
void cli_need_arg(struct argp_state *state, const char *what, const char *arg);

/* An option's number within [low, high]; anything else is a usage error that quotes it. */
double cli_number(struct argp_state *state, const char *option, const char *arg, double low, double high);

/* The same for whole numbers. */
int cli_int(struct argp_state *state, const char *option, const char *arg, int low, int high);

/* The number of a --seed: whole, up to 2^53. */
uint64_t cli_seed(struct argp_state *state, const char *arg);

/* Seconds of a --time-limit: HH:MM:SS, MM:SS or SS. */
double cli_time_limit(struct argp_state *state, const char *arg);

/* The strings that an option given several times collects. */
typedef struct cli_list {
  char **items; /* borrowed */
  int n;
} cli_list;
void cli_list_add(cli_list *list, char *item);
void cli_list_free(cli_list *list);

#endif
