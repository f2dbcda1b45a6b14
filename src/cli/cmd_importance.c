#include "cli/cli.h"
#include "cli/texts.h"
#include "data/corpus.h"
#include "engine/importance.h"
#include "model/load.h"

#include <stdio.h>
#include <stdlib.h>

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
    "layers, at the last token of each text.\vJSON: attn, mlp and block hold a number per layer; angular "
    "holds a list for every n from 1, of arccos(cos)/pi between the inputs of layers l and l + n, for every "
    "l.\n\n"
    "Example: lesion importance model.gguf --file text.txt",
    children,
    NULL,
    NULL};

static void print_json(const les_importance *i, const les_model *model, const importance_options *o) {
  cJSON *doc = cli_document(model, o->model.compute);
  cli_add_doubles(doc, "attn", i->attn, i->n_layers);
  cli_add_doubles(doc, "mlp", i->mlp, i->n_layers);
  cli_add_doubles(doc, "block", i->block, i->n_layers);
  cJSON *angular = cli_add_array(doc, "angular");
  for (int n = 1; n <= i->n_layers; n++)
    cli_add_doubles(angular, NULL, i->angular + (n - 1) * i->n_layers, i->n_layers - n + 1);
  cli_print_json(doc);
}

static void print_table(const les_importance *i) {
  printf("%5s %10s %10s %10s %10s\n", "layer", "attn", "mlp", "block", "angular");
  for (int l = 0; l < i->n_layers; l++)
    printf("%5d %10.6f %10.6f %10.6f %10.6f\n", l, i->attn[l], i->mlp[l], i->block[l], i->angular[l]);
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
  LES_GOTO(status, les_model_open(&model, o->path, &(les_model_options){.no_sha256 = true}), done);
  if (o->mix)
    LES_GOTO(status, les_corpus_read(&corpus, o->mix, model->tokenizer, o->seed), done);
  else
    LES_GOTO(status, list_passages(o, model, &corpus), done);
  LES_GOTO(status,
           les_importance_compute(&i, model, corpus.passages, corpus.n, (les_compute)o->model.compute,
                                  cli_threads(o->model.threads)),
           done);
  if (o->json)
    print_json(i, model, o);
  else
    print_table(i);
done:
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
