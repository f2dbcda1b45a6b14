#include "map/damage.h"

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
  d->measure = strdup(measure);
  if (!d->measure) return les_no_memory("the damage of %s", d->result->path);
  LES_TRY(les_result_field(d->result, measure, &d->values));
  return les_fields[id].baseline ? les_result_baseline(d->result, measure, &d->intact) : LES_OK;
}

static void drop_unfinished(les_damage *d) {
  size_t n = (size_t)d->result->n_lesions * (size_t)d->result->n_prompts;
  for (size_t i = 0; i < n; i++)
    if (d->result->status[i] != LES_CELL_DONE) d->values[i] = NAN;
}

static bool is_measured(const les_damage *d, int prompt) {
  for (int i = 0; i < d->result->n_lesions; i++)
    if (isfinite(d->values[(size_t)i * (size_t)d->result->n_prompts + (size_t)prompt])) return true;
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

/* Gathers the finite values of a lesion over a domain (-1: all) and counts those that are not. */
static void gather(const les_damage *d, int lesion, int domain, double *values, les_estimate *e) {
  const les_result *r = d->result;
  for (int p = 0; p < r->n_prompts; p++) {
    size_t cell = (size_t)lesion * (size_t)r->n_prompts + (size_t)p;
    if (d->domain_of[p] < 0 || (domain >= 0 && d->domain_of[p] != domain)) continue;
    if (r->status[cell] != LES_CELL_DONE) continue;
    if (isfinite(d->values[cell]))
      values[e->n++] = d->values[cell];
    else
      e->lost++;
  }
}

static les_estimate *estimate_at(const les_damage *d, int lesion, int domain) {
  return domain < 0 ? &d->all[lesion] : &d->parts[(size_t)lesion * (size_t)d->n_domains + (size_t)domain];
}

const les_estimate *les_damage_estimate(const les_damage *d, int lesion, int domain) {
  return estimate_at(d, lesion, domain);
}

/* Buffers for the estimates of all lesions over one domain. */
typedef struct gathered {
  double *values; /* (n_lesions, n_prompts) the first n of each row */
  int *n;         /* (n_lesions) */
  les_interval *intervals;
} gathered;

static les_status estimate_domain(les_damage *d, int domain, gathered *g) {
  const les_result *r = d->result;
  for (int i = 0; i < r->n_lesions; i++) {
    les_estimate *e = estimate_at(d, i, domain);
    gather(d, i, domain, g->values + (size_t)i * (size_t)r->n_prompts, e);
    g->n[i] = e->n;
  }
  LES_TRY(
      les_bootstrap(g->values, g->n, r->n_lesions, r->n_prompts, (uint64_t)(SEED + domain), g->intervals));
  for (int i = 0; i < r->n_lesions; i++) estimate_at(d, i, domain)->interval = g->intervals[i];
  return LES_OK;
}

static les_status estimate(les_damage *d) {
  size_t n_lesions = (size_t)d->result->n_lesions;
  gathered g = {.values = malloc(n_lesions * (size_t)d->result->n_prompts * sizeof *g.values),
                .n = malloc(n_lesions * sizeof *g.n),
                .intervals = malloc(n_lesions * sizeof *g.intervals)};
  d->all = calloc(n_lesions, sizeof *d->all);
  d->parts = calloc(n_lesions * (size_t)d->n_domains, sizeof *d->parts);
  les_status s = g.values && g.n && g.intervals && d->all && d->parts
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
  drop_unfinished(d);
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
  free(d->measure);
  free(d->values);
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

les_status les_damage_holm(const les_damage *d, const double *p, double *corrected) {
  int n = d->result->n_lesions;
  double *mine = malloc(2 * (size_t)n * sizeof *mine);
  les_status s = mine ? LES_OK : les_no_memory("the damage of %s", d->result->path);
  for (int i = 0; i < n && s == LES_OK; i++) {
    bool first = true;
    for (int k = 0; k < n; k++) {
      bool same = !strcmp(d->result->lesion_families[k], d->result->lesion_families[i]);
      first = first && !(same && k < i);
      mine[k] = same ? p[k] : NAN;
    }
    if (!first) continue;
    s = les_holm(mine, n, mine + n);
    for (int k = 0; k < n && s == LES_OK; k++)
      if (!strcmp(d->result->lesion_families[k], d->result->lesion_families[i])) corrected[k] = mine[n + k];
  }
  free(mine);
  return s;
}
