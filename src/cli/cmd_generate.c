#include "base/json.h"
#include "cli/cli.h"
#include "cli/lesions.h"
#include "cli/progress.h"
#include "cli/texts.h"
#include "model/load.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct generate_options {
  cli_model_options model;
  cli_texts prompts;
  cli_lesions lesions;
  char *path;
  int max_new_tokens;
  les_sampling sampling;
  bool json, ignore_eos, trace;
} generate_options;

enum { KEY_TOP_K = CLI_OWN_KEYS, KEY_TOP_P, KEY_IGNORE_EOS, KEY_TRACE };

static error_t parse(int key, char *arg, struct argp_state *state) {
  generate_options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->prompts;
    state->child_inputs[1] = &o->lesions;
    state->child_inputs[2] = &o->model;
    return 0;
  case CLI_PROMPT:
    cli_texts_add(&o->prompts, CLI_KIND_TEXT, arg);
    return 0;
  case CLI_NEW_TOKENS:
    o->max_new_tokens = cli_int(state, "--max-new-tokens", arg, 1, 1 << 20);
    return 0;
  case CLI_TEMPERATURE:
    o->sampling.temperature = (float)cli_number(state, "--temperature", arg, 0, 100);
    return 0;
  case CLI_SEED:
    o->sampling.seed = cli_seed(state, arg);
    return 0;
  case KEY_TOP_K:
    o->sampling.top_k = cli_int(state, "--top-k", arg, 0, 1 << 30);
    return 0;
  case KEY_TOP_P:
    o->sampling.top_p = (float)cli_number(state, "--top-p", arg, 0, 1);
    return 0;
  case KEY_IGNORE_EOS:
    o->ignore_eos = true;
    return 0;
  case KEY_TRACE:
    o->trace = o->json = true;
    return 0;
  case CLI_JSON:
    o->json = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "MODEL", arg, &o->path);
  case ARGP_KEY_END:
    cli_need_arg(state, "MODEL", o->path);
    if (o->prompts.n == 0) argp_error(state, "nothing to go on from: give --prompt");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"prompt", CLI_PROMPT, "TEXT", 0, "A prompt; several times for several prompts", 0},
    {"max-new-tokens", CLI_NEW_TOKENS, "N", 0, "At most N new tokens (default 64)", 0},
    {"temperature", CLI_TEMPERATURE, "X", 0, "Sample at this temperature (default 0: the most likely token)",
     4},
    CLI_SEED_OPTION("Seed of the sampling (default 0); intact and lesioned runs draw the same numbers, "
                    "none:seed=S others",
                    4),
    {"top-k", KEY_TOP_K, "K", 0, "Sample among the K most likely tokens (default 0: all)", 4},
    {"top-p", KEY_TOP_P, "P", 0,
     "Sample among the most likely tokens that together have probability P (default 1)", 4},
    {"ignore-eos", KEY_IGNORE_EOS, NULL, 0, "Go on after an end token", 5},
    {"trace", KEY_TRACE, NULL, 0, "JSON with the log-probability, entropy and intact rank of every new token",
     6},
    CLI_JSON_OPTION(6),
    {0}};
static const struct argp_child children[] = {
    {&cli_texts_argp, 0, NULL, 0}, {&cli_lesions_argp, 0, NULL, 0}, {&cli_model_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {options,
                                 parse,
                                 "MODEL",
                                 "Continuations of prompts by the intact model, then under each "
                                 "lesion.\vExample: lesion generate model.gguf --prompt "
                                 "\"Once upon a time\" -n 32 --lesion skip@each",
                                 children,
                                 NULL,
                                 NULL};

/* One result: a lesion on a prompt. */
typedef struct result {
  char *text;
  cJSON *json;
} result;

typedef struct results {
  const generate_options *o;
  const les_model *model;
  const les_lesions *lesions;
  result *items; /* (n_lesions + 1, n_prompts), intact first */
  cli_progress progress;
  int64_t done, total;
} results;

static const char *spec_of(const results *r, int lesion) {
  return lesion == LES_INTACT ? "none" : r->lesions->items[lesion].spec;
}

static cJSON *describe(const results *r, const les_outcome *out, const char *text) {
  static const char *const stops[] = {
      [LES_STOP_LENGTH] = "length", [LES_STOP_END] = "end", [LES_STOP_NAN] = "nan"};
  const cli_text *prompt = &r->o->prompts.items[out->input];
  cJSON *doc = cJSON_CreateObject();
  les_json_add_string(doc, "lesion", spec_of(r, out->lesion));
  les_json_add_string(doc, "prompt", cli_text_name(prompt));
  les_json_add_ints(doc, "tokens", out->tokens, out->n_tokens);
  les_json_add_string(doc, "text", text);
  les_json_add_string(doc, "stop", stops[out->stop]);
  if (r->o->trace) {
    les_json_add_floats(doc, "logprob", out->trace_logprob, out->n_tokens);
    les_json_add_floats(doc, "entropy", out->trace_entropy, out->n_tokens);
    les_json_add_ints(doc, "intact_rank", out->trace_rank, out->n_tokens);
    les_json_add_floats(doc, "hidden_norm", out->hidden_norm, r->model->hparams.n_layers);
    les_json_add_floats(doc, "attn_entropy", out->attn_entropy, r->model->hparams.n_layers);
  }
  return doc;
}

static les_status on_outcome(void *ctx, int index, const les_outcome *out) {
  results *r = ctx;
  result *item = &r->items[index];
  if (r->model->tokenizer) LES_TRY(les_decode(r->model->tokenizer, out->tokens, out->n_tokens, &item->text));
  item->json = describe(r, out, item->text ? item->text : "");
  const les_progress teller = cli_progress_teller(&r->progress);
  les_progress_tell(&teller, ++r->done, r->total);
  return LES_OK;
}

static void print_results(const results *r, int n) {
  if (r->o->json) {
    cJSON *doc = cli_document(r->model, r->o->model.compute), *list = les_json_add_array(doc, "results");
    for (int i = 0; i < n; i++) {
      les_json_add(list, NULL, r->items[i].json);
      r->items[i].json = NULL;
    }
    cli_print_json(doc);
    return;
  }
  int n_prompts = r->o->prompts.n;
  for (int p = 0; p < n_prompts; p++) {
    printf("%s%s\n", p ? "\n" : "", cli_text_name(&r->o->prompts.items[p]));
    for (int i = p; i < n; i += n_prompts)
      printf("  [%s] %s\n", spec_of(r, LES_INTACT + i / n_prompts),
             r->items[i].text ? r->items[i].text : "(no tokenizer; use --json)");
  }
}

static les_status run(results *r, les_engine *engine) {
  int n_prompts = r->o->prompts.n, n = (r->lesions->n + 1) * n_prompts;
  les_engine_item *cells = calloc((size_t)n, sizeof *cells);
  r->items = calloc((size_t)n, sizeof *r->items);
  les_status status = LES_OK;
  if (!cells || !r->items) status = les_no_memory("%d continuations", n);
  for (int i = 0; status == LES_OK && i < n; i++)
    cells[i] = (les_engine_item){.lesion = LES_INTACT + i / n_prompts, .input = i % n_prompts};
  r->total = n;
  cli_progress_init(&r->progress, "continuations", r->o->model.progress);
  if (status == LES_OK) status = les_engine_run(engine, cells, n, on_outcome, r, NULL);
  cli_progress_free(&r->progress);
  if (status == LES_OK) print_results(r, n);
  for (int i = 0; r->items && i < n; i++) {
    free(r->items[i].text);
    cJSON_Delete(r->items[i].json);
  }
  free(r->items);
  free(cells);
  return status;
}

static les_status generate(generate_options *o) {
  les_model *model = NULL;
  les_input *inputs = NULL;
  les_engine *engine = NULL;
  les_status status;
  LES_GOTO(status, les_model_open(&model, o->path, &(les_model_options){.no_sha256 = true}), done);
  LES_GOTO(status, cli_lesions_resolve(&o->lesions, model, &o->model), done);
  LES_GOTO(status, cli_texts_resolve(&o->prompts, model, o->max_new_tokens, &inputs), done);
  for (int i = 0; i < o->prompts.n; i++) {
    inputs[i].max_new_tokens = o->max_new_tokens;
    inputs[i].want = o->trace ? LES_WANT_TRACE : 0;
  }
  les_engine_options e = {.compute = (les_compute)o->model.compute,
                          .threads = cli_threads(o->model.threads),
                          .sampling = o->sampling,
                          .ignore_eos = o->ignore_eos};
  LES_GOTO(status,
           les_engine_open(&engine, model, inputs, o->prompts.n, &o->lesions.lesions, o->lesions.means, &e),
           done);
  LES_GOTO(status, run(&(results){.o = o, .model = model, .lesions = &o->lesions.lesions}, engine), done);
done:
  les_engine_close(&engine);
  free(inputs);
  les_model_close(&model);
  return status;
}

int cmd_generate(int argc, char **argv) {
  generate_options o = {.prompts.encoding.options.bos = true, .max_new_tokens = 64, .sampling.top_p = 1};
  cli_parse(&argp, argc, argv, &o);
  les_status status = generate(&o);
  cli_texts_free(&o.prompts);
  cli_lesions_free(&o.lesions);
  return cli_finish(status);
}
