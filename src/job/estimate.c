#include "job/estimate.h"

#include "base/clock.h"
#include "job/evaluate.h"

#include <stdlib.h>

/* A sample that fills batches as a tile of a sweep does. */
enum { SAMPLE_COLUMNS = 12, SAMPLE_LESIONS = 6 };

static size_t matrix_bytes(const les_matrix *w) {
  return w->data ? (size_t)w->rows * les_dtype_bytes(w->type, w->cols) : 0;
}

static void count_memory(les_cost_estimate *estimate, const les_study *study) {
  const les_model *m = study->model;
  estimate->weights_bytes = matrix_bytes(&m->tok_embd) + matrix_bytes(&m->pos_embd);
  if (m->output.data != m->tok_embd.data) estimate->weights_bytes += matrix_bytes(&m->output);
  for (int l = 0; l < m->hparams.n_layers; l++)
    for (int i = 0; i < LES_N_LINEAR; i++) estimate->weights_bytes += matrix_bytes(&m->layers[l].linear[i].w);
  estimate->batch_bytes = les_engine_fixed_bytes(
      m, &(les_engine_options){.threads = estimate->threads, .sampling = study->job->sampling});
  for (int i = 0; i < study->lesions.n; i++) {
    size_t bytes = les_lesion_plan_bytes(m, &study->lesions.items[i]);
    if (bytes > estimate->plan_bytes) estimate->plan_bytes = bytes;
  }
}

static void count_tokens(les_cost_estimate *estimate, const les_study *study) {
  const les_columns *columns = &study->columns;
  for (int i = 0; i < columns->n_inputs; i++) {
    estimate->prompt_tokens += columns->inputs[i].n;
    estimate->new_tokens += ((int64_t)study->lesions.n + 1) * columns->inputs[i].max_new_tokens;
  }
  estimate->intact_runs = columns->n;
  estimate->cells = (int64_t)study->lesions.n * columns->n;
}

/* The trial run. */
typedef struct trial {
  les_evaluator *evaluator;
  const les_study *study;
  const les_cost_estimate *estimate; /* its samples are known */
  const les_progress *progress;
  int64_t done, total; /* cells */
} trial;

static les_status count_cell(void *ctx, les_cell cell, const void *record) {
  (void)cell, (void)record;
  trial *t = ctx;
  les_progress_tell(t->progress, ++t->done, t->total);
  return LES_OK;
}

/* The i-th of n things spread evenly over `all`. */
static int spread(int i, int n, int all) {
  return (int)(((int64_t)2 * i + 1) * all / (2 * n));
}

/* Seconds for the sampled columns `from` to `to` - 1 under the sampled lesions, or (lesions 0) intact. */
static les_status time_cells(trial *t, int from, int to, int lesions, double *seconds) {
  const les_study *study = t->study;
  int n = 0;
  les_cell *cells = calloc((size_t)(to - from) * (size_t)(lesions + 1), sizeof *cells);
  if (!cells) return les_no_memory("a sample");
  for (int c = from; c < to; c++) {
    int column = spread(c, t->estimate->sampled_columns, study->columns.n);
    if (lesions == 0) cells[n++] = (les_cell){LES_INTACT, column};
    for (int l = 0; l < lesions; l++) cells[n++] = (les_cell){spread(l, lesions, study->lesions.n), column};
  }
  double start = les_now();
  les_status status = les_evaluate(t->evaluator, cells, n, count_cell, t, NULL);
  *seconds = les_now() - start;
  free(cells);
  return status;
}

static les_status measure(les_cost_estimate *estimate, const les_study *study, const les_progress *progress) {
  double warm = 0, intact = 0, first = 0, rest = 0;
  int columns = estimate->sampled_columns, lesions = estimate->sampled_lesions;
  int intact_columns = columns > 1 ? columns - 1 : columns;
  trial t = {.study = study,
             .estimate = estimate,
             .progress = progress,
             .total = 1 + intact_columns + lesions + (int64_t)columns * lesions};
  LES_TRY(les_evaluator_open(&t.evaluator, study, &(les_evaluator_options){.threads = estimate->threads}));
  les_status status;
  /* The first intact run reads the weights from disk; the first column under lesions makes their parameters.
   */
  LES_GOTO(status, time_cells(&t, 0, 1, 0, &warm), done);
  LES_GOTO(status, time_cells(&t, columns - intact_columns, columns, 0, &intact), done);
  LES_GOTO(status, time_cells(&t, 0, 1, lesions, &first), done);
  LES_GOTO(status, time_cells(&t, 0, columns, lesions, &rest), done);
  estimate->intact_seconds = columns > 1 ? intact / (columns - 1) : warm;
  estimate->cell_seconds = rest / ((double)columns * lesions);
  estimate->plan_seconds = estimate->plan_bytes > 0 && first / lesions > estimate->cell_seconds
                               ? first / lesions - estimate->cell_seconds
                               : 0;
done:
  les_evaluator_close(&t.evaluator);
  return status;
}

les_status les_cost_estimate_compute(les_cost_estimate *out, const les_study *study, int threads, int columns,
                                     int lesions, const les_progress *progress) {
  *out = (les_cost_estimate){.threads = threads};
  if (columns == 0) columns = SAMPLE_COLUMNS;
  if (lesions == 0) lesions = SAMPLE_LESIONS;
  out->sampled_columns = columns < study->columns.n ? columns : study->columns.n;
  out->sampled_lesions = lesions < study->lesions.n ? lesions : study->lesions.n;
  count_tokens(out, study);
  count_memory(out, study);
  return measure(out, study, progress);
}

double les_cost_estimate_seconds(const les_cost_estimate *estimate, const les_study *study, int ranks) {
  double work = (double)estimate->intact_runs * estimate->intact_seconds +
                (double)estimate->cells * estimate->cell_seconds;
  /* every rank that works on a lesion makes its parameters */
  return work / ranks + study->lesions.n * estimate->plan_seconds;
}
