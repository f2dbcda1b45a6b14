#include "cli/cli.h"
#include "job/job.h"
#include "watch/launch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct launch_arguments {
  cli_model_options model;
  char *job, *output;
  double time_limit;
  int ranks, retries;
} launch_arguments;

static error_t parse_option(int key, char *arg, struct argp_state *state) {
  launch_arguments *a = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &a->model;
    return 0;
  case CLI_RANKS:
    a->ranks = cli_int(state, "--ranks", arg, 1, 1000000);
    return 0;
  case CLI_RETRIES:
    a->retries = cli_int(state, "--retries", arg, 0, 1000000);
    return 0;
  case CLI_OUTPUT:
    a->output = arg;
    return 0;
  case CLI_TIME_LIMIT:
    a->time_limit = cli_time_limit(state, arg);
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
    CLI_RANKS_OPTION("Processes: one that coordinates, the others compute (default: a batch system's "
                     "allocation, else by the node's cores)"),
    {"retries", CLI_RETRIES, "K", 0, "Start again after a crash, at most K times (default 5)", 0},
    CLI_OUTPUT_OPTION("RUN.h5", "Result file (default: the job's `output`)"),
    CLI_TIME_LIMIT_OPTION,
    {0}};
static const struct argp_child children[] = {{&cli_model_argp, 0, NULL, 0}, {0}};
static const struct argp launch_argp = {options,
                                        parse_option,
                                        "JOB.json",
                                        "Runs `lesion sweep` under mpirun with the options that let it "
                                        "survive: a dead worker is replaced while the sweep "
                                        "goes on, a crashed sweep is started again and goes on from its file."
                                        "\vEnds with the sweep's own exit code: 0 done, 1 failed, 2 wrong "
                                        "usage, 75 stopped early with a good checkpoint.",
                                        children,
                                        NULL,
                                        NULL};

static void print_note(void *ctx, const char *text) {
  (void)ctx;
  fprintf(stderr, "lesion: launch: %s\n", text);
}

int cmd_launch(int argc, char **argv) {
  launch_arguments a = {.model.compute = -1, .retries = 5};
  char program[PATH_MAX] = "", threads[32];
  char *pass[8] = {0};
  int n = 0, code;
  cli_parse(&launch_argp, argc, argv, &a);
  if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
    return cli_finish(les_fail(LES_FAILED, "/proc/self/exe cannot be read: is /proc mounted?"));
  if (a.model.compute >= 0)
    pass[n++] = "--compute", pass[n++] = (char *)les_compute_name((les_compute)a.model.compute);
  if (a.model.threads > 0) {
    snprintf(threads, sizeof threads, "%d", a.model.threads);
    pass[n++] = "--threads", pass[n++] = threads;
  }
  if (isatty(STDERR_FILENO)) pass[n++] = "--bar";
  les_launch_options o = {.program = program,
                          .job_path = a.job,
                          .output = a.output,
                          .sweep_options = pass,
                          .ranks = a.ranks,
                          .allocated = getenv("SLURM_JOB_ID") != NULL,
                          .retries = a.retries,
                          .time_limit = a.time_limit,
                          .note = print_note};
  les_status status = les_launch_run(&o, &code);
  return status == LES_OK ? code : cli_finish(status);
}
