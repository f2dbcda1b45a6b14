#include "map/damage.h"

#include "base/cell.h"
#include "stats/inference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 20170427 }; /* of the resampling; any fixed number */

static les_status choose_measure(les_damage *d, const char *measure) {
  int preferred = les_field_preferred(LES_PREFER_TEXT, d->result->has);
  if (!measure && preferred >= 0) measure = les_fields[preferred].name;
  if (!measure)
    return les_fail(LES_FAILED, "%s: has neither jaccard, kl_mean nor delta_nll; choose with --measure",
                    d->result->path);
  int id = les_field_find(measure);
  if (id < 0 || les_fields[id].damage == 0) return les_field_refuse(measure, d->result->has);
  d->sign = les_fields[id].damage;
  d->measure = les_fields[id].name;
  return les_cells_read(&d->cells, d->result, id);
}

static bool is_measured(const les_damage *d, int prompt) {
  for (int i = 0; i < d->result->n_lesions; i++)
    if (isfinite(d->cells.values[(size_t)i * (size_t)d->result->n_prompts + (size_t)prompt])) return true;
  return false;
}

static les_status find_domains(les_damage *d) {
  const les_result *r = d->result;
  d->domains = calloc((size_t)r->n_prompts, sizeof *d->domains);
  d->domain_of = calloc((size_t)r->n_prompts, sizeof *d->domain_of);
  if (!d->domains || !d->domain_of) return les_no_memory("the damage of %s", r->path);
  for (int p = 0; p < r->n_prompts; p++) {
    int k = 0;
    d->domain_of[p] = -1;
    if (!is_measured(d, p)) continue;
    while (k < d->n_domains && strcmp(d->domains[k], r->prompt_domains[p])) k++;
    if (k == d->n_domains) d->domains[d->n_domains++] = r->prompt_domains[p];
    d->domain_of[p] = k;
  }
  return LES_OK;
}

/* Number of layers that the family of lesion i covers; 0 if it has no single layer. */
static int count_layers(const les_result *r, int i) {
  int n = 0;
  if (r->lesion_layers[i] < 0) return 0;
  for (int k = 0; k < r->n_lesions; k++)
    n += r->lesion_layers[k] >= 0 && !strcmp(r->lesion_families[k], r->lesion_families[i]);
  return n;
}

static les_status choose_family(les_damage *d, const char *family) {
  const les_result *r = d->result;
  if (family) {
    for (int i = 0; i < r->n_lesions && !d->family; i++)
      if (!strcmp(r->lesion_families[i], family)) d->family = r->lesion_families[i];
    if (d->family) return LES_OK;
    return les_fail(LES_USAGE, "%s: has no lesions '%s'; it has for example '%s'", r->path, family,
                    r->lesion_families[0]);
  }
  for (int i = 0; i < r->n_lesions && !d->family; i++)
    if (count_layers(r, i) >= r->n_layers) d->family = r->lesion_families[i];
  for (int i = 0; i < r->n_lesions && !d->family; i++)
    if (r->lesion_layers[i] >= 0) d->family = r->lesion_families[i];
  return LES_OK;
}

/* Gathers the values of a lesion, or of the intact run, over a domain (-1: all). */
static void gather(const les_damage *d, int lesion, int domain, double *values, les_estimate *e) {
  int width = d->result->n_prompts;
  for (int p = 0; p < width; p++) {
    size_t cell = (size_t)(lesion == LES_INTACT ? 0 : lesion) * (size_t)width + (size_t)p;
    double value = lesion == LES_INTACT ? d->cells.intact[p] : d->cells.values[cell];
    if (d->domain_of[p] < 0 || (domain >= 0 && d->domain_of[p] != domain)) continue;
    if (lesion != LES_INTACT) e->lost += d->cells.lost[cell];
    if (isfinite(value)) values[e->n++] = value;
  }
}

static les_estimate *estimate_at(const les_damage *d, int lesion, int domain) {
  return domain < 0 ? &d->all[lesion] : &d->parts[(size_t)lesion * (size_t)d->n_domains + (size_t)domain];
}

const les_estimate *les_damage_estimate(const les_damage *d, int lesion, int domain) {
  return estimate_at(d, lesion, domain);
}

double les_damage_loss(const les_damage *d, int lesion, int domain) {
  double sum = 0;
  int n = 0;
  for (int p = 0; p < d->result->n_prompts; p++) {
    double damage = les_cells_damage(&d->cells, lesion, p);
    if (isnan(damage) || d->domain_of[p] < 0 || (domain >= 0 && d->domain_of[p] != domain)) continue;
    sum += damage;
    n++;
  }
  return n ? sum / n : NAN;
}

/* Buffers for the estimates of all lesions, and of the intact run behind them, over one domain. */
typedef struct gathered {
  double *values; /* (n_lesions + 1, n_prompts) the first n of each row */
  int *n;         /* (n_lesions + 1) */
  les_interval *intervals;
} gathered;

/* Row i of the estimates. */
static les_estimate *row_estimate(const les_damage *d, int i, int domain) {
  return i < d->result->n_lesions ? estimate_at(d, i, domain) : &d->intact[1 + domain];
}

static les_status estimate_domain(les_damage *d, int domain, gathered *g) {
  int n_lesions = d->result->n_lesions, rows = n_lesions + (d->intact ? 1 : 0), width = d->result->n_prompts;
  les_bounds bounds = {0.025, d->cells.field->range.low, d->cells.field->range.high};
  for (int i = 0; i < rows; i++) {
    les_estimate *e = row_estimate(d, i, domain);
    gather(d, i < n_lesions ? i : LES_INTACT, domain, g->values + (size_t)i * (size_t)width, e);
    g->n[i] = e->n;
  }
  LES_TRY(les_bootstrap(g->values, g->n, rows, width, bounds, (uint64_t)(SEED + domain), g->intervals));
  for (int i = 0; i < rows; i++) row_estimate(d, i, domain)->interval = g->intervals[i];
  return LES_OK;
}

static les_status estimate(les_damage *d) {
  size_t n_lesions = (size_t)d->result->n_lesions, rows = n_lesions + 1;
  gathered g = {.values = malloc(rows * (size_t)d->result->n_prompts * sizeof *g.values),
                .n = malloc(rows * sizeof *g.n),
                .intervals = malloc(rows * sizeof *g.intervals)};
  d->all = calloc(n_lesions, sizeof *d->all);
  d->parts = calloc(n_lesions * (size_t)d->n_domains + 1, sizeof *d->parts);
  if (d->cells.intact) d->intact = calloc((size_t)d->n_domains + 1, sizeof *d->intact);
  les_status s = g.values && g.n && g.intervals && d->all && d->parts && (d->intact || !d->cells.intact)
                     ? LES_OK
                     : les_no_memory("the damage of %s", d->result->path);
  for (int k = -1; k < d->n_domains && s == LES_OK; k++) s = estimate_domain(d, k, &g);
  free(g.intervals);
  free(g.n);
  free(g.values);
  return s;
}

static les_status make_profile(les_damage *d) {
  const les_result *r = d->result;
  d->profile = calloc((size_t)r->n_lesions, sizeof *d->profile);
  if (!d->profile) return les_no_memory("the damage of %s", r->path);
  for (int layer = 0; d->family && layer < r->n_layers; layer++)
    for (int i = 0; i < r->n_lesions; i++)
      if (r->lesion_layers[i] == layer && d->all[i].n > 0 &&
          !strcmp(d->result->lesion_families[i], d->family))
        d->profile[d->n_profile++] = i;
  return LES_OK;
}

les_status les_damage_compute(les_damage **out, const les_result *result, const char *measure,
                              const char *family) {
  les_status s;
  les_damage *d = calloc(1, sizeof *d);
  *out = NULL;
  if (!d) return les_no_memory("the damage of %s", result->path);
  d->result = result;
  LES_GOTO(s, choose_measure(d, measure), end);
  LES_GOTO(s, find_domains(d), end);
  LES_GOTO(s, choose_family(d, family), end);
  LES_GOTO(s, estimate(d), end);
  LES_GOTO(s, make_profile(d), end);
end:
  if (s != LES_OK) les_damage_free(&d);
  *out = d;
  return s;
}

void les_damage_free(les_damage **damage) {
  les_damage *d = *damage;
  if (!d) return;
  les_cells_free(&d->cells);
  free(d->intact);
  free(d->domains);
  free(d->domain_of);
  free(d->all);
  free(d->parts);
  free(d->profile);
  free(d);
  *damage = NULL;
}

int les_damage_rank(const les_damage *d, int domain, int *order) {
  int n = 0;
  for (int i = 0; i < d->n_profile; i++) {
    const les_estimate *e = estimate_at(d, d->profile[i], domain);
    if (e->n == 0) continue;
    int k = n++; /* insertion keeps equal ones in layer order */
    for (; k > 0; k--) {
      const les_estimate *before = estimate_at(d, order[k - 1], domain);
      if (d->sign * before->interval.mean >= d->sign * e->interval.mean) break;
      order[k] = order[k - 1];
    }
    order[k] = d->profile[i];
  }
  return n;
}

bool les_damage_same_family(const les_damage *d, int a, int b) {
  const les_result *r = d->result;
  if (r->lesion_layers[a] < 0 || r->lesion_layers[b] < 0)
    return r->lesion_layers[a] < 0 && r->lesion_layers[b] < 0;
  return !strcmp(r->lesion_families[a], r->lesion_families[b]);
}

les_status les_damage_holm(const les_damage *d, const double *p, double *corrected) {
  int n = d->result->n_lesions;
  double *mine = malloc(2 * (size_t)n * sizeof *mine);
  les_status s = mine ? LES_OK : les_no_memory("the damage of %s", d->result->path);
  for (int i = 0; i < n && s == LES_OK; i++) {
    bool first = true;
    for (int k = 0; k < n; k++) {
      bool same = les_damage_same_family(d, k, i);
      first = first && !(same && k < i);
      mine[k] = !same ? NAN : isnan(p[k]) ? 1 : p[k];
    }
    if (!first) continue;
    s = les_holm(mine, n, mine + n);
    for (int k = 0; k < n && s == LES_OK; k++)
      if (les_damage_same_family(d, k, i)) corrected[k] = isnan(p[k]) ? NAN : mine[n + k];
  }
  free(mine);
  return s;
}
