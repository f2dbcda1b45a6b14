#include "cli.h"

#include "importance.h"
#include "job.h"
#include "texts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct importance_options {
  cli_model_options model;
  cli_texts texts;
  const char *path;
  bool json;
} importance_options;

static error_t parse(int key, char *arg, struct argp_state *state) {
  importance_options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->texts;
    state->child_inputs[1] = &o->model;
    return 0;
  case 'j':
    o->json = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->path) argp_error(state, "one MODEL is enough: '%s'", arg);
    o->path = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->path) argp_error(state, "MODEL is missing");
    if (o->texts.n == 0) argp_error(state, "nothing to read: give --text, --file or --tokens");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {{"json", 'j', NULL, 0, "Print one JSON document", 4}, {0}};
static const struct argp_child children[] = {
    {&cli_texts_argp, 0, NULL, 0}, {&cli_model_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "MODEL",
    "How much each layer turns the hidden state of texts: 1 - cos(before, after), a mean over their tokens, "
    "for "
    "attention, MLP and the whole block (ShortGPT's Block Influence); and the angular distance over n "
    "layers, at "
    "the last token of each text.\vJSON: attn, mlp and block hold a number per layer; angular holds a list "
    "for "
    "every n from 1, of arccos(cos)/pi between the inputs of layers l and l + n, for every l.\n\n"
    "Example: lesion importance model.gguf --file text.txt",
    children,
    NULL,
    NULL};

static void print_json(const les_importance *i, const les_model *model, const importance_options *o) {
  cJSON *doc = cJSON_CreateObject();
  cJSON_AddStringToObject(doc, "model", model->name);
  cJSON_AddStringToObject(doc, "compute", les_compute_name((les_compute)o->model.compute));
  cJSON_AddItemToObject(doc, "attn", cJSON_CreateDoubleArray(i->attn, i->n_layers));
  cJSON_AddItemToObject(doc, "mlp", cJSON_CreateDoubleArray(i->mlp, i->n_layers));
  cJSON_AddItemToObject(doc, "block", cJSON_CreateDoubleArray(i->block, i->n_layers));
  cJSON *angular = cJSON_AddArrayToObject(doc, "angular");
  for (int n = 1; n <= i->n_layers; n++)
    cJSON_AddItemToArray(angular,
                         cJSON_CreateDoubleArray(i->angular + (n - 1) * i->n_layers, i->n_layers - n + 1));
  cli_print_json(doc);
}

static void print_table(const les_importance *i) {
  printf("%5s %10s %10s %10s %10s\n", "layer", "attn", "mlp", "block", "angular");
  for (int l = 0; l < i->n_layers; l++)
    printf("%5d %10.6f %10.6f %10.6f %10.6f\n", l, i->attn[l], i->mlp[l], i->block[l], i->angular[l]);
}

/* Texts of the command line: every token counts the same. */
static les_status list_passages(const importance_options *o, les_passage **passages) {
  *passages = calloc((size_t)o->texts.n, sizeof **passages);
  if (!*passages) return les_fail(LES_FAILED, "out of memory for %d texts", o->texts.n);
  for (int i = 0; i < o->texts.n; i++) (*passages)[i] = (les_passage){o->texts.items[i].tokens, 1};
  return LES_OK;
}

static les_status importance(importance_options *o) {
  les_model *model = NULL;
  les_input *inputs = NULL;
  les_passage *passages = NULL;
  les_importance *i = NULL;
  les_status status;
  LES_GOTO(status, les_model_open(&model, o->path, &(les_model_options){.no_sha256 = true}), done);
  LES_GOTO(status, cli_texts_resolve(&o->texts, model, 0, &inputs), done);
  LES_GOTO(status, list_passages(o, &passages), done);
  LES_GOTO(status,
           les_importance_open(&i, model, passages, o->texts.n, (les_compute)o->model.compute,
                               cli_threads(o->model.threads)),
           done);
  if (o->json)
    print_json(i, model, o);
  else
    print_table(i);
done:
  les_importance_close(&i);
  free(passages);
  free(inputs);
  les_model_close(&model);
  return status;
}

int cmd_importance(int argc, char **argv) {
  importance_options o = {.texts.encode.bos = true};
  cli_parse(&argp, argc, argv, &o);
  les_status status = importance(&o);
  cli_texts_free(&o.texts);
  return cli_finish(status);
}
