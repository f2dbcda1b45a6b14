/* The main path:
 *
 *   les_engine_run       items (lesion, input)
 *     group_items          by input, intact items first
 *     +-> admit            opens baselines and lesioned sequences while batch and memory have room
 *     |   step
 *     |     collect_rows         one row of each sequence that decodes; the rest of the batch is
 *     |                          teacher-forced rows
 *     |     compute_references   baselines' logits for rows that are compared with them
 *     |     les_forward          calls back with logits (on_logits) and hidden states (on_state)
 *     |     les_sequence_advance next phase of each sequence (sequence.h)
 *     +-- retire           outcomes of finished sequences -> done()
 */
#include "engine/engine.h"

#include "engine/forward.h"
#include "engine/sequence.h"
#include "lesion/plan_cache.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The items of one input in a call. */
typedef struct group {
  int input, first, n; /* items first .. first + n - 1 of `sorted` */
  int n_intact;        /* intact items, which come first */
  int intact_reported;
  int admitted; /* lesioned items that have become sequences */
  int left;     /* items not yet reported */
  bool open;    /* its baseline is there or under way */
} group;

/* A row of the current step: whose it is, and which row of `reference` it is compared with (-1: none). */
typedef struct step_row {
  les_sequence *sequence;
  int pos, reference;
} step_row;

struct les_engine {
  les_sequence_setup setup;
  const les_model *model;
  const les_input *inputs;
  int n_inputs;
  const les_lesions *lesions;
  les_engine_options options;
  unsigned want; /* by any input */
  les_workspace *workspace;
  les_plan_cache *plans;
  bool *keep;                /* (n_layers + 1) hidden states that baselines keep */
  les_sequence **baselines;  /* (n_inputs) NULL: not there */
  les_candidate *candidates; /* (threads, n_vocab) scratch of sampling; NULL at temperature 0 */
  size_t bytes;              /* held by `candidates` and all sequences */
  uint64_t clock;

  /* Of the current call: */
  const les_engine_item *items;
  int *sorted; /* (n) items by input */
  group *groups;
  int n_groups, first_group; /* groups before are done */
  les_sequence **active;     /* (max_rows) sequences in the batch */
  int n_active;

  /* Of the current step: */
  les_row *rows;       /* (max_rows) */
  step_row *step_rows; /* (max_rows) */
  les_row *ref_rows;   /* (max_rows) baselines' final states whose logits are compared with */
  float *reference;    /* (max_rows, n_vocab) their logits; allocated when first needed */
};

/* The lowest layer that a lesion touches. */
static int first_layer_of(const les_engine *e, int lesion) {
  const les_lesion *l = &e->lesions->items[lesion];
  int first = e->model->hparams.n_layers;
  for (int i = 0; i < l->n_edits; i++)
    if (l->edits[i].layers[0] < first) first = l->edits[i].layers[0];
  return first;
}

static int batch_rows(const les_engine_options *options) {
  return options->max_rows > 0 ? options->max_rows : LES_BATCH_ROWS;
}

/* Bytes of the scratch of sampling: the candidates of one token for each thread. */
static size_t candidates_bytes(const les_model *model, const les_engine_options *options) {
  if (options->sampling.temperature == 0) return 0;
  return (size_t)options->threads * (size_t)model->hparams.n_vocab * sizeof(les_candidate);
}

size_t les_engine_fixed_bytes(const les_model *model, const les_engine_options *options) {
  return les_workspace_bytes(model, batch_rows(options), options->threads) + candidates_bytes(model, options);
}

static les_status open_candidates(les_engine *e) {
  size_t bytes = candidates_bytes(e->model, &e->options);
  if (bytes == 0) return LES_OK;
  e->candidates = malloc(bytes);
  if (!e->candidates)
    return les_no_memory("the %zu bytes in which %d threads sample from %d tokens; fewer threads take less",
                         bytes, e->options.threads, e->model->hparams.n_vocab);
  e->bytes += bytes;
  return LES_OK;
}

static les_status allocate(les_engine *e) {
  size_t rows = (size_t)e->options.max_rows;
  e->keep = calloc((size_t)e->model->hparams.n_layers + 1, sizeof *e->keep);
  e->baselines = calloc((size_t)e->n_inputs + 1, sizeof *e->baselines);
  e->active = calloc(rows, sizeof *e->active);
  e->rows = calloc(rows, sizeof *e->rows);
  e->step_rows = calloc(rows, sizeof *e->step_rows);
  e->ref_rows = calloc(rows, sizeof *e->ref_rows);
  if (!e->keep || !e->baselines || !e->active || !e->rows || !e->step_rows || !e->ref_rows)
    return les_no_memory("%d inputs", e->n_inputs);
  return open_candidates(e);
}

/* Baselines keep the hidden states at which lesioned sequences enter: the input of each first lesioned layer.
 * At layer 0 that is the embedding, which is computed. */
static void choose_states_to_keep(les_engine *e) {
  int n_layers = e->model->hparams.n_layers;
  for (int i = 0; i < e->lesions->n; i++) e->keep[first_layer_of(e, i)] = true;
  e->keep[0] = false;
  if (e->want & (LES_WANT_KL | LES_WANT_LOGPROB_INTACT)) e->keep[n_layers] = true;
}

les_status les_engine_open(les_engine **out, const les_model *model, const les_input *inputs, int n_inputs,
                           const les_lesions *lesions, const les_means *means,
                           const les_engine_options *options) {
  les_engine *e = *out = calloc(1, sizeof *e);
  if (!e) return les_no_memory("the engine");
  e->model = model;
  e->inputs = inputs;
  e->n_inputs = n_inputs;
  e->lesions = lesions;
  e->options = *options;
  e->options.max_rows = batch_rows(options);
  if (e->options.memory_limit == 0)
    e->options.memory_limit = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) / 4;
  les_status status = allocate(e);
  if (status == LES_OK)
    status = les_workspace_open(&e->workspace, model, e->options.max_rows, options->threads);
  if (status == LES_OK) status = les_plan_cache_open(&e->plans, model, lesions, means, options->threads);
  if (status != LES_OK) return les_engine_close(out), status;
  for (int i = 0; i < n_inputs; i++) e->want |= inputs[i].want;
  choose_states_to_keep(e);
  e->setup = (les_sequence_setup){.model = model,
                                  .lesions = lesions,
                                  .sampling = options->sampling,
                                  .ignore_eos = options->ignore_eos,
                                  .keep = e->keep};
  return LES_OK;
}

void les_engine_close(les_engine **engine) {
  les_engine *e = *engine;
  if (!e) return;
  for (int i = 0; e->baselines && i < e->n_inputs; i++) les_sequence_close(&e->baselines[i]);
  les_plan_cache_close(&e->plans);
  les_workspace_close(&e->workspace);
  free(e->keep);
  free(e->baselines);
  free(e->candidates);
  free(e->active);
  free(e->rows);
  free(e->step_rows);
  free(e->ref_rows);
  free(e->reference);
  free(e);
  *engine = NULL;
}

/* ---- memory ----------------------------------------------------------------------------------------------
 */

static size_t baseline_bytes(const les_engine *e, int input) {
  return les_sequence_baseline_bytes(&e->setup, &e->inputs[input]);
}

static void close_baseline(les_engine *e, int input) {
  e->bytes -= baseline_bytes(e, input);
  les_sequence_close(&e->baselines[input]);
}

/* True if `bytes` more fit. Makes room by closing the baselines that nobody needs now, the longest unused
 * first, and then plans. With nothing in the batch the answer is yes: one item at a time always runs. */
static bool make_room(les_engine *e, size_t bytes) {
  size_t limit = e->options.memory_limit;
  while (e->bytes + les_plan_cache_bytes(e->plans) + bytes > limit) {
    int oldest = -1;
    for (int i = 0; i < e->n_inputs; i++)
      if (e->baselines[i] && e->baselines[i]->users == 0 &&
          (oldest < 0 || e->baselines[i]->used < e->baselines[oldest]->used))
        oldest = i;
    if (oldest < 0) break;
    close_baseline(e, oldest);
  }
  if (e->bytes + les_plan_cache_bytes(e->plans) + bytes > limit)
    les_plan_cache_trim(e->plans, e->bytes + bytes < limit ? limit - e->bytes - bytes : 0);
  return e->bytes + les_plan_cache_bytes(e->plans) + bytes <= limit || e->n_active == 0;
}

/* ---- admission ---- */

static les_status open_group(les_engine *e, group *g) {
  g->open = true;
  les_sequence **baseline = &e->baselines[g->input];
  if (!*baseline) {
    LES_TRY(les_sequence_open_baseline(baseline, &e->setup, &e->inputs[g->input], g->input));
    e->bytes += baseline_bytes(e, g->input);
    e->active[e->n_active++] = *baseline;
  }
  (*baseline)->users += g->n;
  return LES_OK;
}

static les_status admit_item(les_engine *e, group *g, int index) {
  int lesion = e->items[index].lesion, first_layer = first_layer_of(e, lesion);
  const les_lesion_plan *lesion_plan;
  LES_TRY(les_plan_cache_take(e->plans, lesion, &lesion_plan));
  les_sequence *sequence;
  les_status status =
      les_sequence_open(&sequence, e->baselines[g->input], lesion_plan, lesion, index, first_layer);
  if (status != LES_OK) return les_plan_cache_give_back(e->plans, lesion), status;
  e->bytes += les_sequence_bytes(e->model, sequence->input, first_layer);
  e->active[e->n_active++] = sequence;
  g->admitted++;
  return LES_OK;
}

static void close_lesioned(les_engine *e, les_sequence *sequence) {
  e->bytes -= les_sequence_bytes(e->model, sequence->input, sequence->first_layer);
  les_plan_cache_give_back(e->plans, sequence->lesion);
  les_sequence_close(&sequence);
}

/* Reports one finished item. */
static les_status report(les_engine *e, group *g, int index, const les_sequence *sequence,
                         les_outcome_fn *done, void *ctx) {
  les_sequence *baseline = e->baselines[g->input];
  bool lesioned = sequence != baseline;
  int n_layers = e->model->hparams.n_layers;
  les_outcome intact, outcome;
  float *means = calloc(4 * (size_t)n_layers, sizeof *means);
  if (!means) return les_no_memory("the means of %d layers", n_layers);
  les_sequence_outcome(baseline, &intact, NULL, means, means + n_layers);
  if (lesioned) les_sequence_outcome(sequence, &outcome, &intact, means + 2 * n_layers, means + 3 * n_layers);
  les_status status = done(ctx, index, lesioned ? &outcome : &intact);
  free(means);
  g->left--;
  baseline->users--;
  baseline->used = ++e->clock;
  return status;
}

/* Fills the batch with sequences, input by input. */
static les_status admit(les_engine *e, les_outcome_fn *done, void *ctx) {
  while (e->first_group < e->n_groups && e->groups[e->first_group].left == 0) e->first_group++;
  for (int i = e->first_group; i < e->n_groups && e->n_active < e->options.max_rows; i++) {
    group *g = &e->groups[i];
    if (!g->open) {
      if (!make_room(e, e->baselines[g->input] ? 0 : baseline_bytes(e, g->input))) return LES_OK;
      LES_TRY(open_group(e, g));
    }
    const les_sequence *baseline = e->baselines[g->input];
    for (; baseline->phase == LES_PHASE_DONE && g->intact_reported < g->n_intact; g->intact_reported++)
      LES_TRY(report(e, g, e->sorted[g->first + g->intact_reported], baseline, done, ctx));
    while (les_sequence_can_branch(baseline) && g->n_intact + g->admitted < g->n &&
           e->n_active < e->options.max_rows) {
      int index = e->sorted[g->first + g->n_intact + g->admitted], lesion = e->items[index].lesion;
      size_t bytes = les_sequence_bytes(e->model, &e->inputs[g->input], first_layer_of(e, lesion));
      if (!make_room(e, bytes + les_plan_cache_cost(e->plans, lesion))) return LES_OK;
      LES_TRY(admit_item(e, g, index));
    }
  }
  return LES_OK;
}

/* ---- steps ---- */

/* Rows for this step: first one for each sequence that decodes, since it waits for nothing else;
 * teacher-forced sequences share the rest of the batch. Those of one input get equal shares, so that they
 * come to the same positions together and share the baseline's logits there. */
static int collect_rows(les_engine *e) {
  int n = 0, forced = 0, max = e->options.max_rows;
  for (int i = 0; i < e->n_active; i++) forced += e->active[i]->phase != LES_PHASE_DECODE;
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < e->n_active; i++) {
      les_sequence *s = e->active[i];
      if ((s->phase == LES_PHASE_DECODE) != (pass == 0)) continue;
      int share = pass == 0 ? 1 : (max - n) / forced--;
      s->first_row = n;
      n += les_sequence_rows(s, e->rows + n, share);
      for (int j = 0; j < s->n_rows; j++)
        e->step_rows[s->first_row + j] = (step_row){s, les_sequence_position(s, j), -1};
    }
  return n;
}

static void on_reference(void *ctx, int row, const float *logits) {
  les_engine *e = ctx;
  size_t n = (size_t)e->model->hparams.n_vocab;
  memcpy(e->reference + (size_t)row * n, logits, n * sizeof *logits);
}

/* The baselines' logits at the positions that rows of this step are compared with. They are computed again
 * from the final states: those are kept, logits would take n_vocab numbers a position. */
static les_status compute_references(les_engine *e, int n_rows) {
  int n = 0, n_layers = e->model->hparams.n_layers, n_embd = e->model->hparams.n_embd;
  for (int r = 0; r < n_rows; r++) {
    const step_row *at = &e->step_rows[r];
    if (!les_sequence_wants_reference(at->sequence, at->pos)) continue;
    const float *state = at->sequence->baseline->hidden[n_layers] + (size_t)at->pos * (size_t)n_embd;
    int k = n - 1;
    while (k >= 0 && e->ref_rows[k].hidden != state) k--;
    if (k < 0) e->ref_rows[k = n++] = (les_row){.first_layer = n_layers, .hidden = state, .logits = true};
    e->step_rows[r].reference = k;
  }
  if (n == 0) return LES_OK;
  size_t values = (size_t)e->options.max_rows * (size_t)e->model->hparams.n_vocab;
  if (!e->reference) e->reference = malloc(values * sizeof *e->reference);
  if (!e->reference) return les_no_memory("the logits of %d rows", e->options.max_rows);
  les_forward_options o = {
      .compute = e->options.compute, .threads = e->options.threads, .on_logits = on_reference, .ctx = e};
  return les_forward(e->model, e->workspace, e->ref_rows, n, &o);
}

static void on_logits(void *ctx, int row, const float *logits) {
  les_engine *e = ctx;
  const step_row *at = &e->step_rows[row];
  size_t n = (size_t)e->model->hparams.n_vocab;
  const float *reference = at->reference < 0 ? NULL : e->reference + (size_t)at->reference * n;
  les_candidate *candidates = e->candidates ? e->candidates + (size_t)omp_get_thread_num() * n : NULL;
  les_sequence_take_logits(at->sequence, at->pos, logits, reference, candidates);
}

static void on_state(void *ctx, int row, int layer, les_site site, const float *before, const float *after,
                     float attn_entropy) {
  (void)site;
  const les_engine *e = ctx;
  const step_row *at = &e->step_rows[row];
  les_sequence_take_state(at->sequence, at->pos, layer, before, after, attn_entropy);
}

static les_status step(les_engine *e) {
  int n = collect_rows(e);
  LES_TRY(compute_references(e, n));
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

/* Takes finished sequences out of the batch and reports the lesioned ones. Baselines stay, and are reported
 * by admit. */
static les_status retire(les_engine *e, les_outcome_fn *done, void *ctx) {
  les_status status = LES_OK;
  int kept = 0;
  for (int i = 0; i < e->n_active; i++) {
    les_sequence *s = e->active[i];
    bool baseline_done = !s->baseline || s->baseline->phase == LES_PHASE_DONE;
    if (s->phase != LES_PHASE_DONE || !baseline_done || status != LES_OK) {
      e->active[kept++] = s;
      continue;
    }
    if (!s->baseline) continue;
    group *g = e->groups;
    while (g->input != s->input_index) g++;
    status = report(e, g, s->item, s, done, ctx);
    close_lesioned(e, s);
  }
  e->n_active = kept;
  return status;
}

static int by_input(const void *a, const void *b, void *ctx) {
  const les_engine_item *items = ctx;
  int i = *(const int *)a, j = *(const int *)b;
  if (items[i].input != items[j].input) return items[i].input - items[j].input;
  bool a_intact = items[i].lesion == LES_INTACT, b_intact = items[j].lesion == LES_INTACT;
  return a_intact != b_intact ? b_intact - a_intact : i - j;
}

static les_status group_items(les_engine *e, const les_engine_item *items, int n) {
  e->items = items;
  e->sorted = malloc((size_t)n * sizeof *e->sorted);
  e->groups = calloc((size_t)n, sizeof *e->groups);
  if (!e->sorted || !e->groups) return les_no_memory("%d engine items", n);
  for (int i = 0; i < n; i++) e->sorted[i] = i;
  qsort_r(e->sorted, (size_t)n, sizeof *e->sorted, by_input, (void *)items);
  e->n_groups = e->first_group = 0;
  for (int i = 0; i < n; i++) {
    int input = items[e->sorted[i]].input;
    if (i == 0 || input != e->groups[e->n_groups - 1].input)
      e->groups[e->n_groups++] = (group){.input = input, .first = i};
    group *g = &e->groups[e->n_groups - 1];
    g->n++;
    g->left++;
    g->n_intact += items[e->sorted[i]].lesion == LES_INTACT;
  }
  return LES_OK;
}

/* Frees what belongs to a call, and after a failed one the sequences that were under way. */
static void end_call(les_engine *e) {
  for (int i = 0; i < e->n_active; i++)
    if (e->active[i]->baseline) close_lesioned(e, e->active[i]);
  e->n_active = 0;
  for (int i = 0; i < e->n_inputs; i++) {
    if (!e->baselines[i]) continue;
    e->baselines[i]->users = 0;
    if (e->baselines[i]->phase != LES_PHASE_DONE) close_baseline(e, i);
  }
  free(e->sorted);
  free(e->groups);
  e->sorted = NULL;
  e->groups = NULL;
}

les_status les_engine_run(les_engine *e, const les_engine_item *items, int n, les_outcome_fn *done, void *ctx,
                          bool (*stop)(void *ctx)) {
  if (n == 0) return LES_OK;
  les_status status = group_items(e, items, n);
  while (status == LES_OK) {
    status = admit(e, done, ctx);
    if (status != LES_OK || e->n_active == 0) break;
    if (stop && stop(ctx)) status = les_fail(LES_STOPPED, "stopped on request");
    if (status == LES_OK) status = step(e);
    if (status == LES_OK) status = retire(e, done, ctx);
  }
  end_call(e);
  return status;
}
