#include "base/json.h"
#include "cli/cli.h"
#include "cli/lesions.h"
#include "cli/texts.h"
#include "measure/divergence.h"
#include "model/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct score_options {
  cli_model_options model;
  cli_texts texts;
  cli_lesions lesions;
  char *path;
  bool json, per_token, logits;
} score_options;

enum { KEY_PER_TOKEN = CLI_OWN_KEYS };

static error_t parse(int key, char *arg, struct argp_state *state) {
  score_options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->texts;
    state->child_inputs[1] = &o->lesions;
    state->child_inputs[2] = &o->model;
    return 0;
  case CLI_JSON:
    o->json = true;
    return 0;
  case KEY_PER_TOKEN:
    o->per_token = o->json = true;
    return 0;
  case CLI_LOGITS:
    o->logits = o->json = true;
    return 0;
  case ARGP_KEY_ARG:
    return cli_take_arg(state, "MODEL", arg, &o->path);
  case ARGP_KEY_END:
    cli_need_arg(state, "MODEL", o->path);
    if (o->texts.n == 0) argp_error(state, "nothing to score: give --text, --file or --tokens");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    CLI_JSON_OPTION(4),
    {"per-token", KEY_PER_TOKEN, NULL, 0, "JSON with nll and kl of every position, a list per text", 4},
    {"logits", CLI_LOGITS, NULL, 0, "JSON with the logits after each text's last token", 4},
    {0}};
static const struct argp_child children[] = {
    {&cli_texts_argp, 0, NULL, 0}, {&cli_lesions_argp, 0, NULL, 0}, {&cli_model_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "MODEL",
    "Teacher-forced measures of texts: how well the intact model predicts them, how well a lesioned one, and "
    "how far the two are apart.\vMODEL is a .gguf file, a safetensors directory or a .safetensors file "
    "beside its config.json. Measures are means over all predicted tokens of all texts; nll and kl are in "
    "nats.\n\n"
    "Example: lesion score model.gguf --text \"Once upon a time\" --lesion skip@each",
    children,
    NULL,
    NULL};

/* The results of one lesion (row 0: intact) while texts come in, in any order. */
typedef struct row {
  const char *lesion;
  float **nll, **kl; /* (n_texts) copies of (n_forced) */
  uint8_t **agrees;  /* (n_texts) */
  float **logits;    /* (n_texts), n_vocab each; NULL if not wanted */
} row;

typedef struct table {
  row *rows;
  int n_rows, n_texts, n_vocab;
  const les_input *inputs;
} table;

static void *copy(const void *data, size_t bytes) {
  void *p = data ? malloc(bytes + 1) : NULL;
  return p ? memcpy(p, data, bytes) : NULL;
}

static les_status on_outcome(void *ctx, int index, const les_outcome *o) {
  (void)index;
  table *t = ctx;
  row *r = &t->rows[o->lesion + 1];
  size_t n = (size_t)o->n_forced;
  r->nll[o->input] = copy(o->nll, n * sizeof(float));
  r->kl[o->input] = copy(o->kl, n * sizeof(float));
  r->agrees[o->input] = copy(o->agrees, n);
  r->logits[o->input] = copy(o->last_logits, (size_t)t->n_vocab * sizeof(float));
  if (!r->nll[o->input] || !r->kl[o->input] || !r->agrees[o->input] ||
      (o->last_logits && !r->logits[o->input]))
    return les_no_memory("the scores of %d texts", t->n_texts);
  return LES_OK;
}

static les_status init_table(table *t, const les_lesions *lesions, const les_model *model,
                             const les_input *inputs, int n_texts) {
  *t = (table){
      .n_rows = lesions->n + 1, .n_texts = n_texts, .n_vocab = model->hparams.n_vocab, .inputs = inputs};
  t->rows = calloc((size_t)t->n_rows, sizeof *t->rows);
  for (int i = 0; t->rows && i < t->n_rows; i++) {
    row *r = &t->rows[i];
    size_t n = (size_t)n_texts;
    r->lesion = i == 0 ? "none" : lesions->items[i - 1].spec;
    r->nll = calloc(n, sizeof *r->nll);
    r->kl = calloc(n, sizeof *r->kl);
    r->agrees = calloc(n, sizeof *r->agrees);
    r->logits = calloc(n, sizeof *r->logits);
    if (!r->nll || !r->kl || !r->agrees || !r->logits)
      return les_no_memory("the scores of %d texts", n_texts);
  }
  return t->rows ? LES_OK : les_no_memory("the scores of %d lesions", lesions->n);
}

static void free_table(table *t) {
  for (int i = 0; t->rows && i < t->n_rows; i++) {
    row *r = &t->rows[i];
    for (int k = 0; k < t->n_texts; k++) {
      if (r->nll) free(r->nll[k]);
      if (r->kl) free(r->kl[k]);
      if (r->agrees) free(r->agrees[k]);
      if (r->logits) free(r->logits[k]);
    }
    free(r->nll), free(r->kl), free(r->agrees), free(r->logits);
  }
  free(t->rows);
}

static les_forced sum_up(const table *t, const row *r) {
  les_forced sums = {0};
  for (int k = 0; k < t->n_texts; k++)
    for (int i = 0; i + 1 < t->inputs[k].n; i++)
      les_forced_add(&sums, r->nll[k][i], r->kl[k][i], r->agrees[k][i]);
  return sums;
}

/* Adds a list of numbers for each text: `fixed` of them, or one for each of its predicted tokens (0). */
static void add_lists(cJSON *doc, const char *name, const table *t, float *const *values, int fixed) {
  cJSON *all = les_json_add_array(doc, name);
  for (int k = 0; k < t->n_texts; k++) {
    int n = fixed ? fixed : t->inputs[k].n - 1;
    les_json_add_floats(all, NULL, values[k], n);
  }
}

static void print_json(const table *t, const les_model *model, const score_options *o) {
  cJSON *doc = cli_document(model, o->model.compute), *results = les_json_add_array(doc, "results");
  double intact = 0;
  for (int i = 0; i < t->n_rows; i++) {
    const row *r = &t->rows[i];
    les_forced sums = sum_up(t, r);
    les_forced_measures m = les_forced_finish(&sums);
    if (i == 0) intact = m.mean_nll;
    cJSON *item = les_json_add_object(results, NULL);
    les_json_add_string(item, "lesion", r->lesion);
    les_json_add_number(item, "tokens", (double)sums.n);
    les_json_add_number(item, "mean_nll", m.mean_nll);
    les_json_add_number(item, "perplexity", m.perplexity);
    les_json_add_number(item, "kl_mean", m.kl_mean);
    les_json_add_number(item, "kl_max", m.kl_max);
    les_json_add_number(item, "top1_agreement", m.top1_agreement);
    les_json_add_number(item, "delta_nll", m.mean_nll - intact);
    if (o->per_token) {
      add_lists(item, "nll", t, r->nll, 0);
      add_lists(item, "kl", t, r->kl, 0);
    }
    if (o->logits) add_lists(item, "logits_last", t, r->logits, t->n_vocab);
  }
  cli_print_json(doc);
}

static void print_table(const table *t) {
  printf("%-24s %8s %10s %12s %10s %10s %8s %10s\n", "lesion", "tokens", "mean_nll", "perplexity", "kl_mean",
         "kl_max", "top1", "delta_nll");
  double intact = 0;
  for (int i = 0; i < t->n_rows; i++) {
    les_forced sums = sum_up(t, &t->rows[i]);
    les_forced_measures m = les_forced_finish(&sums);
    if (i == 0) intact = m.mean_nll;
    printf("%-24s %8lld %10.5f %12.6g %10.5f %10.5f %8.4f %+10.5f\n", t->rows[i].lesion, (long long)sums.n,
           m.mean_nll, m.perplexity, m.kl_mean, m.kl_max, m.top1_agreement, m.mean_nll - intact);
  }
}

static les_status run(les_engine *engine, table *t) {
  int n = t->n_rows * t->n_texts;
  les_engine_item *cells = calloc((size_t)n, sizeof *cells);
  if (!cells) return les_no_memory("%d cells", n);
  for (int i = 0; i < n; i++)
    cells[i] = (les_engine_item){.lesion = i % t->n_rows - 1, .input = i / t->n_rows};
  les_status status = les_engine_run(engine, cells, n, on_outcome, t, NULL);
  free(cells);
  return status;
}

static les_status score(score_options *o) {
  les_model *model = NULL;
  les_input *inputs = NULL;
  les_engine *engine = NULL;
  table t = {0};
  les_status status;
  LES_GOTO(status, les_model_open(&model, o->path, &(les_model_options){.no_sha256 = true}), done);
  LES_GOTO(status, cli_lesions_resolve(&o->lesions, model, &o->model), done);
  LES_GOTO(status, cli_texts_resolve(&o->texts, model, 0, &inputs), done);
  for (int i = 0; i < o->texts.n; i++) inputs[i].want = LES_WANT_KL | (o->logits ? LES_WANT_LAST_LOGITS : 0);
  LES_GOTO(status, init_table(&t, &o->lesions.lesions, model, inputs, o->texts.n), done);
  les_engine_options e = {.compute = (les_compute)o->model.compute, .threads = cli_threads(o->model.threads)};
  LES_GOTO(status,
           les_engine_open(&engine, model, inputs, o->texts.n, &o->lesions.lesions, o->lesions.means, &e),
           done);
  LES_GOTO(status, run(engine, &t), done);
  if (o->json)
    print_json(&t, model, o);
  else
    print_table(&t);
done:
  les_engine_close(&engine);
  free_table(&t);
  free(inputs);
  les_model_close(&model);
  return status;
}

int cmd_score(int argc, char **argv) {
  score_options o = {.texts.encoding.options.bos = true};
  cli_parse(&argp, argc, argv, &o);
  les_status status = score(&o);
  cli_texts_free(&o.texts);
  cli_lesions_free(&o.lesions);
  return cli_finish(status);
}
