#include "base/json.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/texts.h"
#include "data/corpus.h"
#include "engine/importance.h"
#include "model/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct importance_options {
  cli_model_options model;
  cli_texts texts;
  char *path;
  const char *mix;
  uint64_t seed;
  bool json;
} importance_options;

enum { KEY_MIX = CLI_OWN_KEYS };

static error_t parse(int key, char *arg, struct argp_state *state) {
  importance_options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->texts;
    state->child_inputs[1] = &o->model;
    return 0;
  case KEY_MIX:
    o->mix = arg;
    return 0;
  case CLI_SEED:
    o->seed = cli_seed(state, arg);
    return 0;
  case CLI_JSON:
    o->json = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "MODEL", arg, &o->path);
  case ARGP_KEY_END:
    cli_need_arg(state, "MODEL", o->path);
    if (!o->mix && o->texts.n == 0)
      argp_error(state, "nothing to read: give --text, --file, --tokens or --mix");
    if (o->mix && o->texts.n > 0) argp_error(state, "give either texts or --mix");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"mix", KEY_MIX, "FILE", 0,
     "Calibration texts instead of --text: a text file, a .jsonl, .csv or .tsv, a folder of such files, or a "
     ".json that "
     "mixes them: [{\"file\": ..., \"weight\": 0.3, \"samples\": 120}, ...]",
     1},
    CLI_SEED_OPTION("Seed of the draw of the mix's samples (default 0)", 1),
    CLI_JSON_OPTION(4),
    {0}};
static const struct argp_child children[] = {
    {&cli_texts_argp, 0, NULL, 0}, {&cli_model_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "MODEL",
    "How much each layer turns the hidden state of texts: 1 - cos(before, after), a mean over their tokens, "
    "for attention, MLP and the whole block (ShortGPT's Block Influence); and the angular distance over n "
    "layers, at the last token of each text.\vJSON: attn, mlp and block hold a number per layer, stderr "
    "their standard errors over texts (null of a "
    "single one); angular "
    "holds a list for every n from 1, of arccos(cos)/pi between the inputs of layers l and l + n, for every "
    "l.\n\n"
    "Example: lesion importance model.gguf --file text.txt",
    children,
    NULL,
    NULL};

static void print_json(const les_importance *i, const les_model *model, const importance_options *o) {
  cJSON *doc = cli_document(model, o->model.compute);
  les_json_add_doubles(doc, "attn", i->attn, i->n_layers);
  les_json_add_doubles(doc, "mlp", i->mlp, i->n_layers);
  les_json_add_doubles(doc, "block", i->block, i->n_layers);
  cJSON *errors = les_json_add_object(doc, "stderr");
  les_json_add_doubles(errors, "attn", i->attn_stderr, i->n_layers);
  les_json_add_doubles(errors, "mlp", i->mlp_stderr, i->n_layers);
  les_json_add_doubles(errors, "block", i->block_stderr, i->n_layers);
  cJSON *angular = les_json_add_array(doc, "angular");
  for (int n = 1; n <= i->n_layers; n++)
    les_json_add_doubles(angular, NULL, i->angular + (n - 1) * i->n_layers, i->n_layers - n + 1);
  cli_print_json(doc);
}

static void print_value(double value, double error) {
  printf("  %8.6f", value);
  if (isnan(error))
    printf(" %8s", "-");
  else
    printf(" %8.6f", error);
}

/* The layers from the smallest value to the largest, in lines of a terminal's width. */
static void print_order(const char *part, const double *values, int n) {
  enum { WIDTH = 79 };
  int at = printf("%-6s", part);
  bool *named = cli_grow(NULL, n, sizeof *named);
  memset(named, 0, (size_t)n * sizeof *named);
  for (int i = 0; i < n; i++) {
    int least = -1;
    for (int l = 0; l < n; l++)
      if (!named[l] && (least < 0 || values[l] < values[least])) least = l;
    named[least] = true;
    if (at + 5 > WIDTH) at = printf("\n      ") - 1;
    at += printf(" %d", least);
  }
  putchar('\n');
  free(named);
}

static void print_table(const les_importance *i) {
  printf("%5s  %8s %8s  %8s %8s  %8s %8s  %8s\n", "layer", "attn", "stderr", "mlp", "stderr", "block",
         "stderr", "angular");
  for (int l = 0; l < i->n_layers; l++) {
    printf("%5d", l);
    print_value(i->attn[l], i->attn_stderr[l]);
    print_value(i->mlp[l], i->mlp_stderr[l]);
    print_value(i->block[l], i->block_stderr[l]);
    printf("  %8.6f\n", i->angular[l]);
  }
  puts("\nlayers, the least important first");
  print_order("attn", i->attn, i->n_layers);
  print_order("mlp", i->mlp, i->n_layers);
  print_order("block", i->block, i->n_layers);
}

/* Texts of the command line: every token counts the same. The passages borrow their tokens. */
static les_status list_passages(importance_options *o, const les_model *model, les_corpus *corpus) {
  les_input *inputs;
  les_status status = cli_texts_resolve(&o->texts, model, 0, &inputs);
  corpus->passages = calloc((size_t)o->texts.n, sizeof *corpus->passages);
  if (status == LES_OK && !corpus->passages) status = les_no_memory("%d texts", o->texts.n);
  for (; status == LES_OK && corpus->n < o->texts.n; corpus->n++)
    corpus->passages[corpus->n] = (les_passage){o->texts.items[corpus->n].tokens, 1};
  free(inputs);
  return status;
}

static les_status importance(importance_options *o) {
  les_model *model = NULL;
  les_corpus corpus = {0};
  les_importance *i = NULL;
  les_status status;
  cli_progress progress;
  cli_progress_init(&progress, "tokens", o->model.progress);
  const les_progress teller = cli_progress_teller(&progress);
  LES_GOTO(status, les_model_open(&model, o->path, &(les_model_options){.no_sha256 = true}), done);
  if (o->mix)
    LES_GOTO(status, les_corpus_read(&corpus, o->mix, model->tokenizer, o->seed), done);
  else
    LES_GOTO(status, list_passages(o, model, &corpus), done);
  LES_GOTO(status,
           les_importance_compute(&i, model, corpus.passages, corpus.n, (les_compute)o->model.compute,
                                  cli_threads(o->model.threads), &teller),
           done);
  cli_progress_free(&progress);
  if (o->json)
    print_json(i, model, o);
  else
    print_table(i);
done:
  cli_progress_free(&progress);
  les_importance_free(&i);
  if (o->mix)
    les_corpus_free(&corpus);
  else
    free(corpus.passages);
  les_model_close(&model);
  return status;
}

int cmd_importance(int argc, char **argv) {
  importance_options o = {.texts.encoding.options.bos = true};
  cli_parse(&argp, argc, argv, &o);
  les_status status = importance(&o);
  cli_texts_free(&o.texts);
  return cli_finish(status);
}
