#include "base/json.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "job/estimate.h"
#include "model/load.h"

#include <stdio.h>

typedef struct estimate_options {
  cli_model_options model;
  char *job;
  int ranks, prompts, lesions;
  bool json;
} estimate_options;

enum { KEY_PROMPTS = CLI_OWN_KEYS, KEY_LESIONS };

static error_t parse(int key, char *arg, struct argp_state *state) {
  estimate_options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->model;
    return 0;
  case CLI_RANKS:
    o->ranks = cli_int(state, "--ranks", arg, 1, 1000000);
    return 0;
  case KEY_PROMPTS:
    o->prompts = cli_int(state, "--sample-prompts", arg, 1, 1000000);
    return 0;
  case KEY_LESIONS:
    o->lesions = cli_int(state, "--sample-lesions", arg, 1, 1000000);
    return 0;
  case CLI_JSON:
    o->json = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "JOB.json", arg, &o->job);
  case ARGP_KEY_END:
    cli_need_arg(state, "JOB.json", o->job);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    CLI_RANKS_OPTION("Say how long it takes on N ranks (default: 1, 4, 16 and 64)"),
    {"sample-prompts", KEY_PROMPTS, "P", 0, "Prompts of the trial run (default 12)", 1},
    {"sample-lesions", KEY_LESIONS, "L", 0, "Lesions of the trial run (default 6)", 1},
    CLI_JSON_OPTION(2),
    {0}};
static const struct argp_child children[] = {{&cli_model_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "JOB.json",
    "Says what a sweep will take before it is run: cells, tokens, memory, and hours, from a short trial run "
    "on this machine.\vThe trial runs some prompts of the job under some of its lesions, spread evenly. "
    "Hours on N ranks are those of N ranks that each have the threads of this run (--threads) on cores of "
    "their own.",
    children,
    NULL,
    NULL};

static const int usual_ranks[] = {1, 4, 16, 64};

static void print_json(const les_cost_estimate *f, const les_study *study, const estimate_options *o) {
  cJSON *doc = cJSON_CreateObject();
  les_json_add_string(doc, "compute", les_compute_name(study->job->compute));
  les_json_add_number(doc, "cells", (double)f->cells);
  les_json_add_number(doc, "intact_runs", (double)f->intact_runs);
  les_json_add_number(doc, "prompt_tokens", (double)f->prompt_tokens);
  les_json_add_number(doc, "new_tokens", (double)f->new_tokens);
  les_json_add_number(doc, "weights_bytes", (double)f->weights_bytes);
  les_json_add_number(doc, "batch_bytes", (double)f->batch_bytes);
  les_json_add_number(doc, "plan_bytes", (double)f->plan_bytes);
  les_json_add_number(doc, "threads", f->threads);
  les_json_add_number(doc, "intact_seconds", f->intact_seconds);
  les_json_add_number(doc, "cell_seconds", f->cell_seconds);
  les_json_add_number(doc, "plan_seconds", f->plan_seconds);
  cJSON *list = les_json_add_array(doc, "time");
  for (size_t i = 0; i < (o->ranks ? 1 : sizeof usual_ranks / sizeof *usual_ranks); i++) {
    int ranks = o->ranks ? o->ranks : usual_ranks[i];
    cJSON *item = les_json_add_object(list, NULL);
    les_json_add_number(item, "ranks", ranks);
    les_json_add_number(item, "seconds", les_cost_estimate_seconds(f, study, ranks));
  }
  cli_print_json(doc);
}

static void print_text(const les_cost_estimate *f, const les_study *study, const estimate_options *o) {
  const double gib = 1 << 30;
  printf("%d lesions x %d prompts and documents = %lld cells, and %lld intact runs\n", study->lesions.n,
         study->columns.n, (long long)f->cells, (long long)f->intact_runs);
  printf("%lld tokens given, at most %lld to generate\n\n", (long long)f->prompt_tokens,
         (long long)f->new_tokens);
  printf("memory of a node   %.2f GiB of weights, shared by its ranks\n", (double)f->weights_bytes / gib);
  printf("memory of a rank   %.2f GiB of batch, %.2f GiB for the largest lesion's own parameters, and kept "
         "states (at\n                   most a quarter of the node's memory, divided by its ranks)\n\n",
         (double)f->batch_bytes / gib, (double)f->plan_bytes / gib);
  printf("measured with %d threads on %d prompts x %d lesions: %.3f s an intact run, %.3f s a cell\n\n",
         f->threads, f->sampled_columns, f->sampled_lesions, f->intact_seconds, f->cell_seconds);
  printf("%8s %12s\n", "ranks", "hours");
  for (size_t i = 0; i < (o->ranks ? 1 : sizeof usual_ranks / sizeof *usual_ranks); i++) {
    int ranks = o->ranks ? o->ranks : usual_ranks[i];
    printf("%8d %12.3f\n", ranks, les_cost_estimate_seconds(f, study, ranks) / 3600);
  }
}

static les_status estimate(const estimate_options *o) {
  les_job *job = NULL;
  les_model *model = NULL;
  les_study *study = NULL;
  les_cost_estimate cost;
  les_status status;
  cli_progress progress;
  cli_progress_init(&progress, "cells", o->model.progress);
  const les_progress teller = cli_progress_teller(&progress);
  LES_GOTO(status, les_job_open(&job, o->job), done);
  if (o->model.compute >= 0) job->compute = (les_compute)o->model.compute;
  LES_GOTO(status, les_model_open(&model, job->model_path, &(les_model_options){.no_sha256 = true}), done);
  LES_GOTO(status, les_study_open(&study, job, model), done);
  if (study->warning) fprintf(stderr, "lesion: %s\n", study->warning);
  LES_GOTO(status,
           les_cost_estimate_compute(&cost, study,
                                     cli_threads(o->model.threads ? o->model.threads : job->threads),
                                     o->prompts, o->lesions, &teller),
           done);
  cli_progress_free(&progress);
  if (o->json)
    print_json(&cost, study, o);
  else
    print_text(&cost, study, o);
done:
  cli_progress_free(&progress);
  les_study_close(&study);
  les_model_close(&model);
  les_job_close(&job);
  return status;
}

int cmd_estimate(int argc, char **argv) {
  estimate_options o = {.model.compute = -1};
  cli_parse(&argp, argc, argv, &o);
  return cli_finish(estimate(&o));
}
