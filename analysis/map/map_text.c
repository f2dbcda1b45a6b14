#include "map/map_text.h"

#include "map/advice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 24, TOP_DOMAINS = 3 };

static void print_head(FILE *out, const les_map *m) {
  const les_result *r = m->result;
  fprintf(out, "%s (%s, %d layers): %s of %d prompts in %d domains", r->model_name, r->arch, r->n_layers,
          m->damage->measure, r->n_prompts, m->damage->n_domains);
  if (r->max_new_tokens) fprintf(out, ", %d new tokens", r->max_new_tokens);
  if (r->samples > 1)
    fprintf(out, "; %d samples of each prompt, taken for prompts of their own: intervals are too narrow",
            r->samples);
  fputc('\n', out);
  if (m->done < m->total)
    fprintf(out, "NOT FINISHED: %lld of %lld cells done, %lld failed; what follows is of the finished ones\n",
            (long long)m->done, (long long)m->total, (long long)m->failed);
}

/* A mean and its interval in columns of one width. */
static void print_estimate(FILE *out, const les_estimate *e) {
  if (e->n == 0)
    fprintf(out, "%8s  %-18s", "-", "");
  else
    fprintf(out, "%8.4f  [%7.4f, %7.4f]", e->interval.mean, e->interval.low, e->interval.high);
}

/* Scales the damage of a mean to 0..1 between no damage and the largest of the profile. */
static double relative_damage(const les_damage *d, double mean) {
  double low = 0, high = 0;
  for (int i = 0; i < d->n_profile; i++) {
    double damage = d->sign * d->all[d->profile[i]].interval.mean;
    if (i == 0) high = damage;
    if (i == 0 && d->sign < 0) low = damage; /* nothing says what an undamaged model would have */
    low = fmin(low, damage);
    high = fmax(high, damage);
  }
  return high > low ? (d->sign * mean - low) / (high - low) : 0;
}

static void print_bar(FILE *out, double share) {
  int n = (int)lround(share * BAR);
  for (int i = 0; i < BAR; i++) fputs(i < n ? "#" : " ", out);
}

/* The domains in which the lesion damages most, with their means. */
static void print_top_domains(FILE *out, const les_damage *d, int lesion) {
  int last = -1;
  for (int rank = 0; rank < TOP_DOMAINS && rank < d->n_domains; rank++) {
    int best = -1;
    for (int k = 0; k < d->n_domains; k++) {
      double mean = d->sign * les_damage_estimate(d, lesion, k)->interval.mean;
      double limit = last < 0 ? INFINITY : d->sign * les_damage_estimate(d, lesion, last)->interval.mean;
      double found = best < 0 ? -INFINITY : d->sign * les_damage_estimate(d, lesion, best)->interval.mean;
      bool later = mean < limit || (mean == limit && k > last);
      if (later && mean > found) best = k;
    }
    if (best < 0) return;
    fprintf(out, "%s%s %.3f", rank ? ", " : "", d->domains[best],
            les_damage_estimate(d, lesion, best)->interval.mean);
    last = best;
  }
}

static void print_layers(FILE *out, const les_map *m) {
  const les_damage *d = m->damage;
  fprintf(out, "\n%s\nlayer      mean  %-18s  %-8s  %-*s  most affected domains\n", d->family,
          "95 % interval", "zone", BAR, "");
  for (int i = 0; i < d->n_profile; i++) {
    int lesion = d->profile[i];
    const les_estimate *e = &d->all[lesion];
    fprintf(out, "%5d  ", les_map_layer(m, lesion));
    print_estimate(out, e);
    fprintf(out, "  %-8s  ", les_map_zone(m, lesion));
    print_bar(out, relative_damage(d, e->interval.mean));
    fputs("  ", out);
    print_top_domains(out, d, lesion);
    if (e->lost) fprintf(out, " (%d cells without a finite value left out)", e->lost);
    fputc('\n', out);
  }
}

static void print_others(FILE *out, const les_map *m) {
  const les_damage *d = m->damage;
  bool first = true;
  for (int i = 0; i < m->result->n_lesions; i++) {
    if (d->family && !strcmp(m->result->lesion_families[i], d->family)) continue;
    if (first) fprintf(out, "\nother lesions\n    mean  %-18s  lesion\n", "95 % interval");
    first = false;
    print_estimate(out, &d->all[i]);
    fprintf(out, "  %s\n", m->result->lesion_specs[i]);
  }
}

static void print_zones(FILE *out, const les_map *m) {
  fputs("\nzones", out);
  for (int i = 0; i < m->n_zones; i++) {
    const les_zone *z = &m->zones[i];
    int first = les_map_layer(m, m->damage->profile[z->first]);
    int last = les_map_layer(m, m->damage->profile[z->last]);
    fprintf(out, "%s layers %d-%d %s (mean %.4f, %.4f to %.4f)", i ? ";" : ":", first, last, z->name, z->mean,
            z->min, z->max);
  }
  fputc('\n', out);
}

static void print_ranking(FILE *out, const les_map *m, int domain, int *order) {
  int n = les_damage_rank(m->damage, domain, order);
  for (int i = 0; i < n; i++) fprintf(out, "%s%d", i ? " > " : "", les_map_layer(m, order[i]));
  fputc('\n', out);
}

static void print_rankings(FILE *out, const les_map *m, int *order) {
  const les_damage *d = m->damage;
  int width = 10;
  for (int k = 0; k < d->n_domains; k++) width = (int)fmax(width, strlen(d->domains[k]));
  fprintf(out, "\nlayers, most damaging first\n%-*s  ", width, "all");
  print_ranking(out, m, -1, order);
  for (int k = 0; k < d->n_domains; k++) {
    fprintf(out, "%-*s  ", width, d->domains[k]);
    print_ranking(out, m, k, order);
  }
}

les_status les_map_text(const les_map *m, char **text) {
  size_t n = 0;
  *text = NULL;
  int *order = malloc(((size_t)m->damage->n_profile + 1) * sizeof *order);
  FILE *out = order ? open_memstream(text, &n) : NULL;
  if (!out) {
    free(order);
    return les_no_memory("the map of %s", m->result->path);
  }
  print_head(out, m);
  if (m->damage->n_profile) print_layers(out, m);
  print_others(out, m);
  les_floor_write(out, &m->floor, m->damage);
  if (m->damage->n_profile) {
    print_zones(out, m);
    print_rankings(out, m, order);
    les_advice_write(out, m);
  }
  free(order);
  if (fclose(out) == 0 && *text) return LES_OK;
  return les_no_memory("the map of %s", m->result->path);
}
