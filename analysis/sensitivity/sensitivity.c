#include "sensitivity/sensitivity.h"

#include "result/digest.h"
#include "sensitivity/mode.h"
#include "stats/inference.h"
#include "stats/sign_flip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 20200806 }; /* of the resampling; any fixed number */

/* A lesion of one matrix of one layer. */
typedef struct target {
  int lesion, layer;
  les_linear_id linear;
  const char *operation;
} target;

/* False if the lesion is not one edit of one matrix of one layer. */
static bool find_target(const les_result *r, int lesion, target *t) {
  *t = (target){
      .lesion = lesion, .layer = r->lesion_layers[lesion], .operation = r->lesion_operations[lesion]};
  for (int i = 0; t->layer >= 0 && i < LES_N_LINEAR; i++) {
    t->linear = (les_linear_id)i;
    if (!strcmp(r->lesion_parts[lesion], les_linear_name(t->linear))) return true;
  }
  return false;
}

static bool same_operation(const target *a, const target *b) {
  return !strcmp(a->operation, b->operation);
}

static int compare_matrices(const void *a, const void *b) {
  const les_matrix_summary *x = a, *y = b;
  if (x->layer != y->layer) return x->layer < y->layer ? -1 : 1;
  return (x->linear > y->linear) - (x->linear < y->linear);
}

static int compare_scores(const void *a, const void *b) {
  const les_matrix_score *x = a, *y = b;
  if (x->damage.mean != y->damage.mean) return x->damage.mean > y->damage.mean ? -1 : 1;
  if (x->layer != y->layer) return x->layer < y->layer ? -1 : 1;
  return (x->linear > y->linear) - (x->linear < y->linear);
}

/* The series of one matrix: for each prompt the mean of its doses' damage. Returns its length. */
static int gather_series(const les_result *r, const double *values, const target *targets, int n,
                         const target *matrix, double *out) {
  int length = 0;
  for (int p = 0; p < r->n_prompts; p++) {
    double sum = 0;
    int doses = 0;
    for (int i = 0; i < n; i++) {
      const target *t = &targets[i];
      if (t->layer != matrix->layer || t->linear != matrix->linear || !same_operation(t, matrix)) continue;
      double value = values[(size_t)t->lesion * (size_t)r->n_prompts + (size_t)p];
      if (isnan(value)) continue;
      sum += value;
      doses++;
    }
    if (doses) out[length++] = sum / doses;
  }
  return length;
}

/* True if no target before this one is of the same operation and matrix. */
static bool is_first_dose(const target *targets, int i) {
  for (int k = 0; k < i; k++)
    if (targets[k].layer == targets[i].layer && targets[k].linear == targets[i].linear &&
        same_operation(&targets[k], &targets[i]))
      return false;
  return true;
}

static void mark_pillars(les_ranking *k, double share) {
  double carried = 0;
  for (int i = 0; i < k->n; i++) k->total += fmax(0, k->items[i].damage.mean);
  for (int i = 0; i < k->n; i++) {
    les_matrix_score *m = &k->items[i];
    double damage = fmax(0, m->damage.mean);
    m->pillar = carried < share * k->total && damage > 0 && m->p_holm <= LES_LEVEL;
    carried += damage;
    m->share = k->total > 0 ? damage / k->total : 0;
    m->cumulative = k->total > 0 ? carried / k->total : 0;
    if (!m->pillar) continue;
    k->n_pillars++;
    k->carried += m->share;
  }
}

/* What one ranking is computed from. */
typedef struct series {
  double *values; /* (n, n_prompts) of each matrix, the first lengths[i] of each row */
  int *lengths;   /* (n) */
  les_interval *intervals;
  double *p; /* (2, n) */
} series;

/* Gathers the matrices under the operation of targets[first]. */
static void gather_matrices(les_ranking *k, series *v, const les_result *r, const double *values,
                            const target *targets, int n, int first) {
  for (int i = first; i < n; i++) {
    if (!same_operation(&targets[i], &targets[first]) || !is_first_dose(targets, i)) continue;
    double *row = v->values + (size_t)k->n * (size_t)r->n_prompts;
    int length = gather_series(r, values, targets, n, &targets[i], row);
    if (length == 0) continue;
    v->lengths[k->n] = length;
    if (length > k->n_prompts) k->n_prompts = length;
    k->items[k->n++] =
        (les_matrix_score){.layer = targets[i].layer, .linear = targets[i].linear, .n = length};
  }
  k->n_needed = les_sign_flip_fewest(k->n);
}

/* Intervals and corrected p-values of the gathered matrices. A matrix that is not tested counts as one that
 * was. */
static les_status estimate(les_ranking *k, series *v, int width, les_range range) {
  les_bounds bounds = {0.025, range.low, range.high};
  double *corrected = v->p + k->n;
  LES_TRY(les_bootstrap(v->values, v->lengths, k->n, width, bounds, SEED, v->intervals));
  LES_TRY(les_sign_flip(v->values, v->lengths, k->n, width, (les_family){k->n, SEED}, v->p));
  for (int i = 0; i < k->n; i++) {
    k->items[i].damage = v->intervals[i];
    k->items[i].p_holm = v->p[i];
    if (isnan(v->p[i])) v->p[i] = 1;
  }
  LES_TRY(les_holm(v->p, k->n, corrected));
  for (int i = 0; i < k->n; i++)
    if (!isnan(k->items[i].p_holm)) k->items[i].p_holm = corrected[i];
  return LES_OK;
}

/* Ranks the matrices under the operation of targets[first]. */
static les_status rank(les_ranking *k, const les_result *r, const double *values, const target *targets,
                       int n, int first, les_range range, double share) {
  size_t some = (size_t)n;
  series v = {.values = calloc(some * (size_t)r->n_prompts, sizeof *v.values),
              .lengths = calloc(some, sizeof *v.lengths),
              .intervals = calloc(some, sizeof *v.intervals),
              .p = calloc(2 * some, sizeof *v.p)};
  k->operation = strdup(targets[first].operation);
  k->items = calloc(some, sizeof *k->items);
  les_status s = v.values && v.lengths && v.intervals && v.p && k->operation && k->items
                     ? LES_OK
                     : les_no_memory("the sensitivity of %s", r->path);
  if (s == LES_OK) {
    gather_matrices(k, &v, r, values, targets, n, first);
    s = estimate(k, &v, r->n_prompts, range);
  }
  if (s == LES_OK) {
    qsort(k->items, (size_t)k->n, sizeof *k->items, compare_scores);
    mark_pillars(k, share);
  }
  free(v.p);
  free(v.intervals);
  free(v.lengths);
  free(v.values);
  return s;
}

static void free_ranking(les_ranking *k) {
  free(k->operation);
  free(k->items);
  *k = (les_ranking){0};
}

/* Adds the ranking of one operation in one mode, unless there is no damage to rank by. */
static les_status add_ranking(les_sensitivity *s, const les_mode *mode, const char *measure,
                              const double *values, const target *targets, int n, int first) {
  les_ranking *larger = realloc(s->rankings, (size_t)(s->n_rankings + 1) * sizeof *larger);
  if (!larger) return les_no_memory("the sensitivity of %s", s->result->path);
  s->rankings = larger;
  les_ranking *k = &s->rankings[s->n_rankings];
  *k = (les_ranking){.mode = mode->name, .measure = measure};
  les_status status = rank(k, s->result, values, targets, n, first, les_mode_range(mode, measure), s->share);
  if (status != LES_OK || k->total <= 0)
    free_ranking(k);
  else
    s->n_rankings++;
  return status;
}

static les_status rank_mode(les_sensitivity *s, const les_mode *mode, const char *measure,
                            const target *targets, int n) {
  double *values;
  if (!les_result_has(s->result, measure)) return LES_OK;
  LES_TRY(les_mode_read(mode, measure, s->result, &values));
  les_status status = LES_OK;
  for (int i = 0; i < n && status == LES_OK; i++) {
    bool first = true;
    for (int k = 0; k < i; k++) first = first && !same_operation(&targets[k], &targets[i]);
    if (first) status = add_ranking(s, mode, measure, values, targets, n, i);
  }
  free(values);
  return status;
}

static les_status summarize_matrices(les_sensitivity *s, const target *targets, int n) {
  s->matrices = calloc((size_t)n, sizeof *s->matrices);
  if (!s->matrices) return les_no_memory("the sensitivity of %s", s->result->path);
  for (int i = 0; i < n; i++) {
    les_matrix_summary v = {.layer = targets[i].layer, .linear = targets[i].linear};
    bool known = false;
    for (int k = 0; k < s->n_matrices; k++) known = known || !compare_matrices(&s->matrices[k], &v);
    for (int k = 0; k < s->n_rankings; k++)
      for (int m = 0; m < s->rankings[k].n; m++) {
        const les_matrix_score *score = &s->rankings[k].items[m];
        if (score->layer == v.layer && score->linear == v.linear) v.pillar = v.pillar || score->pillar;
      }
    if (!known) s->matrices[s->n_matrices++] = v;
  }
  qsort(s->matrices, (size_t)s->n_matrices, sizeof *s->matrices, compare_matrices);
  return LES_OK;
}

static les_status analyse(les_sensitivity *s, const les_sensitivity_options *o) {
  const les_result *r = s->result;
  int n = 0;
  target *targets = calloc((size_t)r->n_lesions, sizeof *targets);
  if (!targets) return les_no_memory("the sensitivity of %s", r->path);
  for (int i = 0; i < r->n_lesions; i++)
    if (find_target(r, i, &targets[n])) n++;
  les_status status = LES_OK;
  int id = o->measure ? les_field_find(o->measure) : les_field_preferred(LES_PREFER_LOGITS, r->has);
  if (n == 0)
    status = les_fail(LES_FAILED,
                      "%s: has no lesion of a single matrix; a job for this has lesions such as "
                      "svd@each.mlp.down:keep=0.1 and noise@each.mlp.down:sigma=0.1",
                      r->path);
  else if (o->measure && (id < 0 || les_fields[id].damage == 0))
    status = les_field_refuse(o->measure, r->has);
  else if (id < 0)
    status = les_fail(LES_FAILED, "%s: has neither kl_mean nor jaccard; choose with --measure", r->path);
  else if (!r->has[id])
    status = les_fail(LES_FAILED, "%s: has no data set /cells/%s; choose with --measure", r->path,
                      les_fields[id].name);
  for (int i = 0; status == LES_OK && les_mode_at(i); i++) {
    const les_mode *mode = les_mode_at(i);
    status = rank_mode(s, mode, mode->measure ? mode->measure : les_fields[id].name, targets, n);
  }
  if (status == LES_OK) status = summarize_matrices(s, targets, n);
  free(targets);
  return status;
}

les_status les_sensitivity_compute(les_sensitivity **out, const char *path,
                                   const les_sensitivity_options *options) {
  les_status status;
  les_sensitivity *s = calloc(1, sizeof *s);
  *out = NULL;
  if (!s) return les_no_memory("the sensitivity of %s", path);
  s->share = options->share;
  LES_GOTO(status, les_result_open(&s->result, path), end);
  LES_GOTO(status, les_result_sha256(path, s->result_sha256), end);
  LES_GOTO(status, analyse(s, options), end);
end:
  if (status != LES_OK) les_sensitivity_free(&s);
  *out = s;
  return status;
}

bool les_sensitivity_supported(const les_sensitivity *s) {
  for (int i = 0; i < s->n_rankings; i++)
    if (s->rankings[i].n_prompts >= s->rankings[i].n_needed) return true;
  return false;
}

void les_sensitivity_free(les_sensitivity **sensitivity) {
  les_sensitivity *s = *sensitivity;
  if (!s) return;
  for (int i = 0; i < s->n_rankings; i++) free_ranking(&s->rankings[i]);
  free(s->rankings);
  free(s->matrices);
  les_result_close(&s->result);
  free(s);
  *sensitivity = NULL;
}
