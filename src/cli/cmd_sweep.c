#include "cli/cli.h"
#include "cli/progress.h"
#include "sweep/sweep.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct sweep_arguments {
  cli_model_options model;
  char *job, *output, *exit_status_file;
  double time_limit;
  bool bar;
  int sharers;
} sweep_arguments;

/* For `lesion launch`, which knows what mpirun hides from a rank, and for replacements of dead workers. */
enum { KEY_EXIT_STATUS_FILE = CLI_OWN_KEYS, KEY_BAR, KEY_SHARERS };

static error_t parse_option(int key, char *arg, struct argp_state *state) {
  sweep_arguments *a = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &a->model;
    return 0;
  case CLI_OUTPUT:
    a->output = arg;
    return 0;
  case CLI_TIME_LIMIT:
    a->time_limit = cli_time_limit(state, arg);
    return 0;
  case KEY_EXIT_STATUS_FILE:
    a->exit_status_file = arg;
    return 0;
  case KEY_SHARERS:
    a->sharers = atoi(arg);
    return 0;
  case KEY_BAR:
    a->bar = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "JOB.json", arg, &a->job);
  case ARGP_KEY_END:
    cli_need_arg(state, "JOB.json", a->job);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    CLI_OUTPUT_OPTION("RUN.h5", "Result file (default: the job's `output`)"),
    CLI_TIME_LIMIT_OPTION,
    {"exit-status-file", KEY_EXIT_STATUS_FILE, "FILE", OPTION_HIDDEN, "Leave the exit code in FILE", 0},
    {"bar", KEY_BAR, NULL, OPTION_HIDDEN, "Show progress as a bar though stderr is no terminal", 0},
    {"sharers", KEY_SHARERS, "N", OPTION_HIDDEN, "N ranks share this node's cores and memory", 0},
    {0}};
static const struct argp_child children[] = {{&cli_model_argp, 0, NULL, 0}, {0}};
static const struct argp sweep_argp = {
    options,
    parse_option,
    "JOB.json",
    "Runs every lesion of the job on every prompt, alone or under mpirun or srun, and writes the results to "
    "one HDF5 file. On an existing file of the same job it goes on where that stopped."
    "\vExit codes: 0 done, 1 failed, 2 wrong usage, 75 stopped early with a good checkpoint (SIGTERM, "
    "SIGINT, the time limit, or a file RUN.h5.stop): start the same command again to go on.",
    children,
    NULL,
    NULL};

static les_team team;

static void free_team(void) {
  les_team_free(&team, 0);
}

/* Only one rank speaks: the streams of the others go nowhere, their file descriptors stay for the sanitizers.
 */
static void mute(void) {
  FILE *nowhere = fopen("/dev/null", "w");
  if (nowhere) stdout = stderr = nowhere;
}

int cmd_sweep(int argc, char **argv) {
  char program[PATH_MAX] = "";
  sweep_arguments a = {.model.compute = -1};
  int code = 1;
  les_status status = les_team_init(&team);
  if (status != LES_OK) return cli_finish(status);
  atexit(free_team); /* argp ends the process on --help and wrong usage, on all ranks alike */
  if (!les_team_is_root(&team)) mute();
  cli_parse(&sweep_argp, argc, argv, &a);

  if (a.sharers > 0) team.sharers = a.sharers;
  char sharers[16];
  char **again = calloc((size_t)argc + 3, sizeof *again); /* the arguments of a replacement */
  if (!again) return cli_finish(les_no_memory("the arguments"));
  snprintf(sharers, sizeof sharers, "%d", team.sharers);
  again[0] = "sweep", again[1] = "--sharers", again[2] = sharers;
  memcpy(again + 3, argv + 1, (size_t)(argc - 1) * sizeof *again);
  if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) strcpy(program, "lesion");
  const char *threads = getenv("OMP_NUM_THREADS");
  cli_progress progress;
  les_sweep_options o = {.job_path = a.job,
                         .output = a.output,
                         .compute = a.model.compute,
                         .threads = a.model.threads,
                         .default_threads = threads ? atoi(threads) : 0,
                         .time_limit = a.time_limit,
                         .exit_status_file = a.exit_status_file,
                         .observer = cli_progress_init_sweep(&progress, a.bar),
                         .cache_dir = cli_cache_dir(),
                         .respawn = {program, again}};
  status = les_sweep_run(&team, &o, &code);
  cli_progress_free(&progress);
  free(again);
  if (les_team_is_root(&team)) cli_finish(status);
  if (team.rank_died) les_team_free(&team, code);
  return a.exit_status_file ? 0
                            : code; /* which the launcher reads; mpirun adds errors of its own to others */
}
