#include "engine/engine.h"

#include "engine/forward.h"
#include "engine/sequence.h"
#include "lesion/plan_cache.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_ROWS = 256 };

/* The cells of one input in a call. */
typedef struct group {
  int input, first, n; /* cells first .. first + n - 1 of `sorted` */
  int n_intact;        /* cells of the intact run, which come first */
  int intact_reported;
  int admitted; /* lesioned cells that have become runs */
  int left;     /* cells not yet reported */
  bool open;    /* its intact run is there or on its way */
} group;

/* A row of the current step: whose it is, and which row of `reference` it is compared with (-1: none). */
typedef struct step_row {
  les_sequence *run;
  int pos, reference;
} step_row;

struct les_engine {
  const les_model *model;
  const les_input *inputs;
  int n_inputs;
  const les_lesions *lesions;
  les_engine_options options;
  unsigned want; /* by any input */
  les_workspace *workspace;
  les_plan_cache *plans;
  bool *keep;            /* (n_layers + 1) hidden states that intact runs keep */
  les_sequence **trunks; /* (n_inputs) intact runs, NULL: not there */
  size_t bytes;          /* held by trunks and runs */
  uint64_t clock;

  /* Of the current call: */
  const les_engine_item *cells;
  int *sorted; /* (n) cells by input */
  group *groups;
  int n_groups, first_group; /* groups before are done */
  les_sequence **active;     /* (max_rows) */
  int n_active;

  /* Of the current step: */
  les_row *rows;     /* (max_rows) */
  step_row *who;     /* (max_rows) */
  les_row *ref_rows; /* (max_rows) rows of the intact runs' final states whose logits are compared with */
  float *reference;  /* (max_rows, n_vocab) their logits; allocated when first needed */
};

/* The layer where a lesion makes its first difference. */
static int start_of(const les_engine *e, int lesion) {
  const les_lesion *l = &e->lesions->items[lesion];
  int start = e->model->hparams.n_layers;
  for (int s = 0; s < l->n_edits; s++)
    if (l->edits[s].layers[0] < start) start = l->edits[s].layers[0];
  return start;
}

les_status les_engine_open(les_engine **out, const les_model *model, const les_input *inputs, int n_inputs,
                           const les_lesions *lesions, const les_means *means,
                           const les_engine_options *options) {
  les_engine *e = calloc(1, sizeof *e);
  *out = e;
  if (!e) return les_fail(LES_FAILED, "out of memory");
  e->model = model;
  e->inputs = inputs;
  e->n_inputs = n_inputs;
  e->lesions = lesions;
  e->options = *options;
  if (e->options.max_rows <= 0) e->options.max_rows = DEFAULT_ROWS;
  if (e->options.memory_limit == 0)
    e->options.memory_limit = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) / 4;
  size_t rows = (size_t)e->options.max_rows;
  int n_layers = model->hparams.n_layers;
  e->keep = calloc((size_t)n_layers + 1, sizeof *e->keep);
  e->trunks = calloc((size_t)n_inputs + 1, sizeof *e->trunks);
  e->active = calloc(rows, sizeof *e->active);
  e->rows = calloc(rows, sizeof *e->rows);
  e->who = calloc(rows, sizeof *e->who);
  e->ref_rows = calloc(rows, sizeof *e->ref_rows);
  les_status status = LES_OK;
  if (!e->keep || !e->trunks || !e->active || !e->rows || !e->who || !e->ref_rows)
    status = les_fail(LES_FAILED, "out of memory for %d prompts", n_inputs);
  if (status == LES_OK)
    status = les_workspace_open(&e->workspace, model, e->options.max_rows, options->threads);
  if (status == LES_OK) status = les_plan_cache_open(&e->plans, model, lesions, means, options->threads);
  if (status != LES_OK) return les_engine_close(out), status;
  for (int i = 0; i < lesions->n; i++) e->keep[start_of(e, i)] = true;
  e->keep[0] = false; /* a lesion of the first layer starts from the embedding */
  for (int i = 0; i < n_inputs; i++) e->want |= inputs[i].want;
  if (e->want & (LES_WANT_KL | LES_WANT_REREAD)) e->keep[n_layers] = true;
  return LES_OK;
}

void les_engine_close(les_engine **engine) {
  les_engine *e = *engine;
  if (!e) return;
  for (int i = 0; e->trunks && i < e->n_inputs; i++) les_sequence_close(&e->trunks[i]);
  les_plan_cache_close(&e->plans);
  les_workspace_close(&e->workspace);
  free(e->keep);
  free(e->trunks);
  free(e->active);
  free(e->rows);
  free(e->who);
  free(e->ref_rows);
  free(e->reference);
  free(e);
  *engine = NULL;
}

/* ---- memory ----------------------------------------------------------------------------------------------
 */

static size_t trunk_bytes(const les_engine *e, int input) {
  return les_sequence_baseline_bytes(e->model, &e->inputs[input], e->keep);
}

static void drop_trunk(les_engine *e, int input) {
  e->bytes -= trunk_bytes(e, input);
  les_sequence_close(&e->trunks[input]);
}

/* True if `bytes` more fit; kept things that nobody needs now go first. With nothing under way the answer is
 * yes: one cell at a time always runs. */
static bool make_room(les_engine *e, size_t bytes) {
  size_t limit = e->options.memory_limit;
  while (e->bytes + les_plan_cache_bytes(e->plans) + bytes > limit) {
    int oldest = -1;
    for (int i = 0; i < e->n_inputs; i++)
      if (e->trunks[i] && e->trunks[i]->users == 0 &&
          (oldest < 0 || e->trunks[i]->used < e->trunks[oldest]->used))
        oldest = i;
    if (oldest < 0) break;
    drop_trunk(e, oldest);
  }
  if (e->bytes + les_plan_cache_bytes(e->plans) + bytes > limit)
    les_plan_cache_trim(e->plans, e->bytes + bytes < limit ? limit - e->bytes - bytes : 0);
  return e->bytes + les_plan_cache_bytes(e->plans) + bytes <= limit || e->n_active == 0;
}

/* ---- admission -------------------------------------------------------------------------------------------
 */

static les_status open_group(les_engine *e, group *g) {
  g->open = true;
  if (!e->trunks[g->input]) {
    LES_TRY(les_sequence_open_baseline(&e->trunks[g->input], e->model, &e->options, &e->inputs[g->input],
                                       g->input, e->keep));
    e->bytes += trunk_bytes(e, g->input);
    e->active[e->n_active++] = e->trunks[g->input];
  }
  e->trunks[g->input]->users += g->n;
  return LES_OK;
}

static les_status admit_cell(les_engine *e, group *g, int index) {
  int lesion = e->cells[index].lesion, start = start_of(e, lesion);
  const les_lesion_plan *plan;
  LES_TRY(les_plan_cache_take(e->plans, lesion, &plan));
  les_sequence *run;
  les_status status = les_sequence_open(&run, e->trunks[g->input], plan, lesion, index, start);
  if (status != LES_OK) return les_plan_cache_give_back(e->plans, lesion), status;
  e->bytes += les_sequence_bytes(e->model, run->input, start);
  e->active[e->n_active++] = run;
  g->admitted++;
  return LES_OK;
}

static void close_run(les_engine *e, les_sequence *run) {
  e->bytes -= les_sequence_bytes(e->model, run->input, run->start);
  les_plan_cache_give_back(e->plans, run->lesion);
  les_sequence_close(&run);
}

/* Reports one finished cell. */
static les_status report(les_engine *e, group *g, int index, const les_sequence *run, les_outcome_fn *done,
                         void *ctx) {
  les_sequence *trunk = e->trunks[g->input];
  int n_layers = e->model->hparams.n_layers;
  les_outcome intact, lesioned;
  float *means = calloc(4 * (size_t)n_layers, sizeof *means);
  if (!means) return les_fail(LES_FAILED, "out of memory");
  les_sequence_outcome(trunk, &intact, NULL, means, means + n_layers);
  if (run != trunk) les_sequence_outcome(run, &lesioned, &intact, means + 2 * n_layers, means + 3 * n_layers);
  les_status status = done(ctx, index, run != trunk ? &lesioned : &intact);
  free(means);
  g->left--;
  trunk->users--;
  trunk->used = ++e->clock;
  return status;
}

/* Fills the batch with runs, input by input. */
static les_status admit(les_engine *e, les_outcome_fn *done, void *ctx) {
  while (e->first_group < e->n_groups && e->groups[e->first_group].left == 0) e->first_group++;
  for (int i = e->first_group; i < e->n_groups && e->n_active < e->options.max_rows; i++) {
    group *g = &e->groups[i];
    if (!g->open) {
      if (!make_room(e, e->trunks[g->input] ? 0 : trunk_bytes(e, g->input))) return LES_OK;
      LES_TRY(open_group(e, g));
    }
    const les_sequence *trunk = e->trunks[g->input];
    for (; trunk->phase == LES_PHASE_DONE && g->intact_reported < g->n_intact; g->intact_reported++)
      LES_TRY(report(e, g, e->sorted[g->first + g->intact_reported], trunk, done, ctx));
    while (les_sequence_can_follow(trunk) && g->n_intact + g->admitted < g->n &&
           e->n_active < e->options.max_rows) {
      int index = e->sorted[g->first + g->n_intact + g->admitted], lesion = e->cells[index].lesion;
      size_t bytes = les_sequence_bytes(e->model, &e->inputs[g->input], start_of(e, lesion));
      if (!make_room(e, bytes + les_plan_cache_cost(e->plans, lesion))) return LES_OK;
      LES_TRY(admit_cell(e, g, index));
    }
  }
  return LES_OK;
}

/* ---- steps -----------------------------------------------------------------------------------------------
 */

/* Rows for this step: first one for each run that generates, since it waits for nothing else; the rest of the
 * batch is shared out among runs whose tokens are given. Runs of one input get equal shares, so that they
 * come to the same positions together and one reference row serves them all. */
static int collect_rows(les_engine *e) {
  int n = 0, given = 0, max = e->options.max_rows;
  for (int i = 0; i < e->n_active; i++) given += e->active[i]->phase != LES_PHASE_NEW;
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < e->n_active; i++) {
      les_sequence *run = e->active[i];
      if ((run->phase == LES_PHASE_NEW) != (pass == 0)) continue;
      int share = pass == 0 ? 1 : (max - n) / given--;
      run->first_row = n;
      n += les_sequence_rows(run, e->rows + n, share);
      for (int j = 0; j < run->n_rows; j++)
        e->who[run->first_row + j] = (step_row){run, les_sequence_position(run, j), -1};
    }
  return n;
}

static void on_reference(void *ctx, int row, const float *logits) {
  les_engine *e = ctx;
  size_t n = (size_t)e->model->hparams.n_vocab;
  memcpy(e->reference + (size_t)row * n, logits, n * sizeof *logits);
}

/* The intact runs' logits at the positions that rows of this step are compared with: from the final states,
 * which are kept, where the logits themselves (a vocabulary for each position) are not. */
static les_status run_references(les_engine *e, int n_rows) {
  int n = 0, n_layers = e->model->hparams.n_layers, n_embd = e->model->hparams.n_embd;
  for (int r = 0; r < n_rows; r++) {
    les_sequence *run = e->who[r].run;
    if (!les_sequence_wants_reference(run, e->who[r].pos)) continue;
    const float *state = run->trunk->hidden[n_layers] + (size_t)e->who[r].pos * (size_t)n_embd;
    int k = n - 1;
    while (k >= 0 && e->ref_rows[k].hidden != state) k--;
    if (k < 0) e->ref_rows[k = n++] = (les_row){.first_layer = n_layers, .hidden = state, .logits = true};
    e->who[r].reference = k;
  }
  if (n == 0) return LES_OK;
  if (!e->reference)
    e->reference =
        malloc((size_t)e->options.max_rows * (size_t)e->model->hparams.n_vocab * sizeof *e->reference);
  if (!e->reference) return les_fail(LES_FAILED, "out of memory for logits of %d rows", e->options.max_rows);
  les_forward_options o = {
      .compute = e->options.compute, .threads = e->options.threads, .on_logits = on_reference, .ctx = e};
  return les_forward(e->model, e->workspace, e->ref_rows, n, &o);
}

static void on_logits(void *ctx, int row, const float *logits) {
  les_engine *e = ctx;
  const step_row *w = &e->who[row];
  const float *reference =
      w->reference < 0 ? NULL : e->reference + (size_t)w->reference * (size_t)e->model->hparams.n_vocab;
  les_sequence_read(w->run, w->pos, logits, reference);
}

static void on_state(void *ctx, int row, int layer, les_site site, const float *before, const float *after,
                     float attn_entropy) {
  (void)site;
  const les_engine *e = ctx;
  les_sequence_probe(e->who[row].run, e->who[row].pos, layer, before, after, attn_entropy);
}

static les_status step(les_engine *e) {
  int n = collect_rows(e);
  LES_TRY(run_references(e, n));
  bool trace = (e->want & LES_WANT_TRACE) != 0;
  les_forward_options o = {.compute = e->options.compute,
                           .threads = e->options.threads,
                           .on_logits = on_logits,
                           .probe = on_state,
                           .sites = 1u << LES_SITE_BLOCK,
                           .attn_entropy = trace,
                           .ctx = e};
  LES_TRY(les_forward(e->model, e->workspace, e->rows, n, &o));
  for (int i = 0; i < e->n_active; i++) LES_TRY(les_sequence_advance(e->active[i]));
  return LES_OK;
}

/* Takes finished runs out of the batch and reports them. */
static les_status retire(les_engine *e, les_outcome_fn *done, void *ctx) {
  les_status status = LES_OK;
  int kept = 0;
  for (int i = 0; i < e->n_active; i++) {
    les_sequence *run = e->active[i];
    bool compared = !run->trunk || run->trunk->phase == LES_PHASE_DONE;
    if (run->phase != LES_PHASE_DONE || !compared || status != LES_OK) {
      e->active[kept++] = run;
      continue;
    }
    if (!run->trunk) continue; /* an intact run stays among the trunks */
    group *g = e->groups;
    while (g->input != run->input_index) g++;
    status = report(e, g, run->index, run, done, ctx);
    close_run(e, run);
  }
  e->n_active = kept;
  return status;
}

static int by_input(const void *a, const void *b, void *ctx) {
  const les_engine_item *cells = ctx;
  int i = *(const int *)a, j = *(const int *)b;
  if (cells[i].input != cells[j].input) return cells[i].input - cells[j].input;
  bool a_intact = cells[i].lesion < 0, b_intact = cells[j].lesion < 0;
  return a_intact != b_intact ? b_intact - a_intact : i - j;
}

static les_status group_cells(les_engine *e, const les_engine_item *cells, int n) {
  e->cells = cells;
  e->sorted = malloc((size_t)n * sizeof *e->sorted);
  e->groups = calloc((size_t)n, sizeof *e->groups);
  if (!e->sorted || !e->groups) return les_fail(LES_FAILED, "out of memory for %d cells", n);
  for (int i = 0; i < n; i++) e->sorted[i] = i;
  qsort_r(e->sorted, (size_t)n, sizeof *e->sorted, by_input, (void *)cells);
  e->n_groups = e->first_group = 0;
  for (int i = 0; i < n; i++) {
    int input = cells[e->sorted[i]].input;
    if (i == 0 || input != e->groups[e->n_groups - 1].input)
      e->groups[e->n_groups++] = (group){.input = input, .first = i};
    group *g = &e->groups[e->n_groups - 1];
    g->n++;
    g->left++;
    g->n_intact += cells[e->sorted[i]].lesion < 0;
  }
  return LES_OK;
}

/* Lets go of what an ended call had under way. */
static void abandon(les_engine *e) {
  for (int i = 0; i < e->n_active; i++)
    if (e->active[i]->trunk) close_run(e, e->active[i]);
  e->n_active = 0;
  for (int i = 0; i < e->n_inputs; i++) {
    if (!e->trunks[i]) continue;
    e->trunks[i]->users = 0;
    if (e->trunks[i]->phase != LES_PHASE_DONE) drop_trunk(e, i);
  }
  free(e->sorted);
  free(e->groups);
  e->sorted = NULL;
  e->groups = NULL;
}

les_status les_engine_run(les_engine *e, const les_engine_item *cells, int n, les_outcome_fn *done, void *ctx,
                          bool (*stop)(void *ctx)) {
  if (n == 0) return LES_OK;
  les_status status = group_cells(e, cells, n);
  while (status == LES_OK) {
    status = admit(e, done, ctx);
    if (status != LES_OK || e->n_active == 0) break;
    if (stop && stop(ctx)) status = les_fail(LES_STOPPED, "stopped on request");
    if (status == LES_OK) status = step(e);
    if (status == LES_OK) status = retire(e, done, ctx);
  }
  abandon(e);
  return status;
}
