#include "map/tasks.h"

#include "stats/inference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS = 3 };
static const les_field_id metrics[METRICS] = {LES_FIELD_ACC, LES_FIELD_ACC_NORM, LES_FIELD_ACC_BYTES};

/* Scratch of one row: the values of the two runs, paired, and their differences; each (n_prompts). */
typedef struct pairs {
  int n;
  double *intact, *lesioned, *difference;
} pairs;

static les_task_row compare(const les_cells *c, const les_result *r, int lesion, const char *task, pairs *v) {
  les_task_row row = {.lesion = lesion, .task = task, .metric = c->field->name, .p_holm = NAN};
  int losses = 0, wins = 0;
  for (int p = 0; p < c->n_prompts; p++) {
    size_t cell = (size_t)lesion * (size_t)c->n_prompts + (size_t)p;
    if (strcmp(r->prompt_domains[p], task) || isnan(c->intact[p]) || isnan(c->values[cell])) continue;
    v->intact[row.n] = c->intact[p];
    v->lesioned[row.n] = c->values[cell];
    v->difference[row.n++] = c->values[cell] - c->intact[p];
    row.lost += c->lost[cell];
    losses += c->values[cell] < c->intact[p];
    wins += c->values[cell] > c->intact[p];
  }
  row.intact = les_mean(v->intact, row.n);
  row.intact_error = les_standard_error(v->intact, row.n);
  row.lesioned = les_mean(v->lesioned, row.n);
  row.lesioned_error = les_standard_error(v->lesioned, row.n);
  row.difference = les_mean(v->difference, row.n);
  row.difference_error = les_standard_error(v->difference, row.n);
  row.p = row.n ? les_mcnemar_exact(losses, wins).p : NAN;
  return row;
}

/* Holm's correction within each family of lesions. */
static les_status correct(les_tasks *t, const les_damage *d) {
  size_t n = (size_t)t->n;
  double *p = malloc((2 * n + 1) * sizeof *p);
  les_status s = p ? LES_OK : les_no_memory("the tasks of %s", d->result->path);
  for (size_t i = 0; s == LES_OK && i < n; i++) {
    bool first = i == 0 || t->rows[i].lesion != t->rows[i - 1].lesion;
    for (size_t k = 0; first && k < n; k++) {
      bool same = les_damage_same_family(d, t->rows[i].lesion, t->rows[k].lesion);
      first = !(same && k < i);
      p[k] = same ? t->rows[k].p : NAN;
    }
    if (first) s = les_holm(p, t->n, p + n);
    for (size_t k = 0; first && s == LES_OK && k < n; k++)
      if (!isnan(p[k])) t->rows[k].p_holm = p[n + k];
  }
  free(p);
  return s;
}

static bool is_first(const les_result *r, int prompt) {
  for (int p = 0; p < prompt; p++)
    if (!strcmp(r->prompt_domains[p], r->prompt_domains[prompt])) return false;
  return true;
}

/* The rows of one lesion on the domain of a prompt. */
static void add_rows(les_tasks *t, const les_cells *cells, const les_result *r, int lesion, int prompt,
                     pairs *scratch) {
  for (int k = 0; k < METRICS; k++) {
    if (!cells[k].values) continue;
    les_task_row row = compare(&cells[k], r, lesion, r->prompt_domains[prompt], scratch);
    if (row.n) t->rows[t->n++] = row;
  }
}

/* The first prompt of each domain; firsts (n_prompts) is the caller's. Returns their number. */
static int find_domains(const les_result *r, int *firsts) {
  int n = 0;
  for (int p = 0; p < r->n_prompts; p++)
    if (is_first(r, p)) firsts[n++] = p;
  return n;
}

les_status les_tasks_compute(les_tasks *out, const les_damage *d) {
  const les_result *r = d->result;
  les_cells cells[METRICS] = {0};
  *out = (les_tasks){0};
  if (!les_result_has(r, "acc")) return LES_OK;
  les_status s = LES_OK;
  size_t width = (size_t)r->n_prompts;
  double *scratch = malloc((3 * width + 1) * sizeof *scratch);
  pairs v = {.intact = scratch, .lesioned = scratch + width, .difference = scratch + 2 * width};
  int *firsts = malloc((width + 1) * sizeof *firsts);
  int n_domains = firsts ? find_domains(r, firsts) : 0;
  out->rows = calloc((size_t)r->n_lesions * (size_t)n_domains * METRICS + 1, sizeof *out->rows);
  if (!scratch || !firsts || !out->rows) LES_GOTO(s, les_no_memory("the tasks of %s", r->path), end);
  for (int k = 0; k < METRICS; k++)
    if (les_result_has(r, les_fields[metrics[k]].name))
      LES_GOTO(s, les_cells_read(&cells[k], r, (int)metrics[k]), end);
  for (int i = 0; i < r->n_lesions; i++)
    for (int k = 0; k < n_domains; k++) add_rows(out, cells, r, i, firsts[k], &v);
  LES_GOTO(s, correct(out, d), end);
end:
  for (int k = 0; k < METRICS; k++) les_cells_free(&cells[k]);
  free(firsts);
  free(scratch);
  if (s != LES_OK) les_tasks_free(out);
  return s;
}

void les_tasks_free(les_tasks *t) {
  free(t->rows);
  *t = (les_tasks){0};
}
