#include "cli/cli.h"
#include "cli/progress.h"
#include "job/job.h"
#include "watch/launch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct launch_arguments {
  cli_model_options model;
  char *job, *output;
  double time_limit;
  int ranks, retries;
} launch_arguments;

static int number(const char *text, int least, struct argp_state *state, const char *option) {
  char *end;
  long n = strtol(text, &end, 10);
  if (*end || end == text || n < least || n > 1000000)
    argp_error(state, "%s needs a number from %d, not '%s'", option, least, text);
  return (int)n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
  launch_arguments *a = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &a->model;
    return 0;
  case 'n':
    a->ranks = number(arg, 1, state, "-n");
    return 0;
  case 'r':
    a->retries = number(arg, 0, state, "--retries");
    return 0;
  case 'o':
    a->output = arg;
    return 0;
  case 'l':
    if (!cli_parse_time(arg, &a->time_limit)) argp_error(state, "--time-limit is HH:MM:SS, not '%s'", arg);
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
    {"ranks", 'n', "RANKS", 0,
     "Processes: one that coordinates, the others compute (default: a batch system's allocation, else by the "
     "node's cores)",
     0},
    {"retries", 'r', "K", 0, "Start again after a crash, at most K times (default 5)", 0},
    {"output", 'o', "RUN.h5", 0, "Result file (default: the job's `output`)", 0},
    {"time-limit", 'l', "HH:MM:SS", 0, "End early with a good checkpoint after this time", 0},
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
