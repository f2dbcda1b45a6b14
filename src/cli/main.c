#include "base/text.h"
#include "cli/cli.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct command {
  const char *name;
  const char *help; /* one line for `lesion --help` */
  int (*run)(int argc, char **argv);
  const char *alias; /* its name of before, which still works; or NULL */
} command;

static const command commands[] = {
    {"inspect", "what a model file holds and which parts can be lesioned", cmd_inspect, NULL},
    {"synth", "write a model with random weights, to plan runs and to test with", cmd_synth, NULL},
    {"tokenize", "text to token ids, or back", cmd_tokenize, NULL},
    {"score", "perplexity of given texts, intact and lesioned, and how far they are apart", cmd_score, NULL},
    {"generate", "continuations of prompts, intact and lesioned", cmd_generate, NULL},
    {"importance", "how much each layer turns the hidden state of texts", cmd_importance, NULL},
    {"task", "scores of an evaluation task, intact and lesioned", cmd_task, NULL},
    {"perplexity", "perplexity of long texts by the rules of lm-evaluation-harness or llama.cpp",
     cmd_perplexity, NULL},
    {"estimate", "what a job will take: cells, memory, hours", cmd_estimate, "plan"},
    {"sweep", "run a job: every lesion on every prompt, under mpirun or alone", cmd_sweep, NULL},
    {"launch", "run a job under mpirun: dead workers are replaced, crashes are started again", cmd_launch,
     NULL},
    {"status", "how far a sweep is", cmd_status, NULL},
    {"map", "what each layer is for: the map of a finished or running sweep", cmd_map, NULL},
    {"sensitivity", "which matrices are pillars: rankings and a freeze list for fine-tuning", cmd_sensitivity,
     NULL},
};
enum { n_commands = sizeof commands / sizeof commands[0] };

static void usage(FILE *to) {
  fprintf(to, "Usage: lesion COMMAND [ARGUMENT...]\n\n"
              "Disables parts of a language model, runs prompts through what is left, and says what each "
              "layer is for.\n\n");
  for (int i = 0; i < n_commands; i++) fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].help);
  fprintf(to, "\n`lesion help COMMAND` explains a command. `lesion --version` prints the version.\n");
}

/* Threads that wait for work spin for some tens of microseconds and then sleep: a rank whose neighbour
 * computes, or waits in MPI, does not take its core. OpenMP's runtime reads this before main, hence the
 * second start. */
static void wait_politely(char **argv) {
  if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || getenv("KMP_BLOCKTIME")) return;
  setenv("GOMP_SPINCOUNT", "10000", 1); /* gcc's runtime */
  setenv("KMP_BLOCKTIME", "0", 1);      /* clang's */
  char self[PATH_MAX];                  /* by its name, which is what ps and top show */
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) return;
  self[n] = 0;
  execv(self, argv);
}

static const command *find_command(const char *name) {
  for (int i = 0; i < n_commands; i++)
    if (!strcmp(name, commands[i].name) || (commands[i].alias && !strcmp(name, commands[i].alias)))
      return &commands[i];
  return NULL;
}

static int unknown_command(const char *name) {
  const char *names[n_commands];
  for (int i = 0; i < n_commands; i++) names[i] = commands[i].name;
  const char *nearest = les_text_nearest(name, names, n_commands);
  fprintf(stderr, "lesion: no command '%s'; %s%s%s`lesion --help` lists them\n", name,
          nearest ? "did you mean '" : "", nearest ? nearest : "", nearest ? "'? " : "");
  return 2;
}

/* argv[0] is the command's name. */
static int run(int argc, char **argv) {
  const command *c = find_command(argv[0]);
  if (!c) return unknown_command(argv[0]);
  char title[64]; /* argp prints argv[0] in its messages */
  snprintf(title, sizeof title, "lesion %s", c->name);
  argv[0] = title;
  return c->run(argc, argv);
}

int main(int argc, char **argv) {
  wait_politely(argv);
  argp_err_exit_status = 2;
  signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error like a full disk */
  atexit(cli_close_output);
  if (argc < 2) return usage(stderr), 2;
  const char *name = argv[1];
  bool help = !strcmp(name, "help");
  if (!strcmp(name, "--help") || !strcmp(name, "-h") || (help && argc == 2)) return usage(stdout), 0;
  if (!strcmp(name, "--version")) return printf("lesion %s\n", LES_VERSION), 0;
  if (help) return run(2, (char *[]){argv[2], "--help", NULL});
  return run(argc - 1, argv + 1);
}
