#include "map/map_text.h"

#include "map/advice.h"
#include "map/map_tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 24, NARROW_BAR = 10, TOP_DOMAINS = 3, BEFORE_BAR = 49 };

static void print_head(FILE *out, const les_map *m) {
  const les_result *r = m->result;
  fprintf(out, "%s (%s, %d layers): %s of %d prompts in %d domains", r->model_name, r->arch, r->n_layers,
          m->damage->measure, r->n_prompts, m->damage->n_domains);
  if (r->max_new_tokens) fprintf(out, ", %d new tokens", r->max_new_tokens);
  if (r->samples > 1) fprintf(out, "; %d samples of each prompt, averaged", r->samples);
  fputc('\n', out);
  if (m->done < m->total)
    fprintf(out, "NOT FINISHED: %lld of %lld cells done, %lld failed; what follows is of the finished ones\n",
            (long long)m->done, (long long)m->total, (long long)m->failed);
}

/* A mean and its interval in columns of one width. */
static void print_estimate(FILE *out, const les_estimate *e) {
  if (e->n == 0)
    fprintf(out, "%8s  %-18s", "-", "");
  else if (isnan(e->interval.low))
    fprintf(out, "%8.4f  %-18s", e->interval.mean, "too few prompts");
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

static void print_bar(FILE *out, double share, int width) {
  int n = (int)lround(share * width);
  for (int i = 0; i < width; i++) fputs(i < n ? "#" : " ", out);
}

/* The domains in which the lesion damages most, with the damage against the intact run, as far as they fit.
 */
static void print_top_domains(les_line *line, const les_damage *d, int lesion) {
  double last = INFINITY;
  int last_domain = -1, room = (int)fmax(4, line->width - line->indent - 8);
  for (int rank = 0; rank < TOP_DOMAINS && rank < d->n_domains; rank++) {
    int best = -1;
    double found = -INFINITY;
    for (int k = 0; k < d->n_domains; k++) {
      double loss = les_damage_loss(d, lesion, k);
      bool later = loss < last || (loss == last && k > last_domain);
      if (later && loss > found) best = k, found = loss;
    }
    if (best < 0) return;
    les_line_print(line, "%s%.*s %.3f", rank ? ", " : "", les_text_prefix(d->domains[best], room),
                   d->domains[best], found);
    last = found;
    last_domain = best;
  }
}

static void print_layers(FILE *out, const les_map *m, int width) {
  const les_damage *d = m->damage;
  int bar = width >= 120 ? BAR : width >= 100 ? NARROW_BAR : 0;
  fprintf(out, "\n%s\nlayer      mean  %-18s  %-8s  %-*s  most affected domains%s\n", d->family,
          "95 % interval", "zone", bar, "", d->intact ? " (loss)" : "");
  for (int i = 0; i < d->n_profile; i++) {
    int lesion = d->profile[i];
    const les_estimate *e = &d->all[lesion];
    fprintf(out, "%5d  ", les_map_layer(m, lesion));
    print_estimate(out, e);
    fprintf(out, "  %-8s  ", les_map_zone(m, lesion));
    print_bar(out, relative_damage(d, e->interval.mean), bar);
    fputs("  ", out);
    les_line line = {out, width, BEFORE_BAR + bar, BEFORE_BAR + bar};
    print_top_domains(&line, d, lesion);
    if (e->lost) les_line_print(&line, " (%d of %d lost)", e->lost, e->n);
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
    fprintf(out, "  %s", m->result->lesion_specs[i]);
    if (d->all[i].lost) fprintf(out, " (%d of %d lost)", d->all[i].lost, d->all[i].n);
    fputc('\n', out);
  }
}

static void print_zones(FILE *out, const les_map *m, int width) {
  les_line line = {out, width, 2, 0};
  fputs("\nzones:", out);
  line.column = 6;
  for (int i = 0; i < m->n_zones; i++) {
    const les_zone *z = &m->zones[i];
    int first = les_map_layer(m, m->damage->profile[z->first]);
    int last = les_map_layer(m, m->damage->profile[z->last]);
    les_line_print(&line, i ? "; layer" : " layer");
    if (last > first)
      les_line_print(&line, "s %d-%d", first, last);
    else
      les_line_print(&line, " %d", first);
    les_line_print(&line, " %s (mean %.4f, %.4f to %.4f)", z->name, z->mean, z->min, z->max);
  }
  fputc('\n', out);
}

static void print_ranking(les_line line, const les_map *m, int domain, int *order) {
  int n = les_damage_rank(m->damage, domain, order);
  for (int i = 0; i < n; i++) les_line_print(&line, "%s%d", i ? " > " : "", les_map_layer(m, order[i]));
  fputc('\n', line.out);
}

static void print_rankings(FILE *out, const les_map *m, int width, int *order) {
  const les_damage *d = m->damage;
  int name = 10;
  for (int k = 0; k < d->n_domains; k++) name = (int)fmax(name, strlen(d->domains[k]));
  les_line line = {out, width, name + 2, name + 2};
  fprintf(out, "\nlayers, most damaging first\n%-*s  ", name, "all");
  print_ranking(line, m, -1, order);
  for (int k = 0; k < d->n_domains; k++) {
    fprintf(out, "%-*s  ", name, d->domains[k]);
    print_ranking(line, m, k, order);
  }
}

static void print_all(FILE *out, const les_map *m, int width, bool tasks, int *order) {
  bool profile = m->damage->n_profile > 0;
  print_head(out, m);
  if (profile) print_layers(out, m, width);
  print_others(out, m);
  les_floor_write(out, &m->floor, m->damage);
  if (profile) {
    les_table_matrix(out, m, width);
    print_zones(out, m, width);
    print_rankings(out, m, width, order);
    les_advice_write(out, m, width);
  }
  les_table_accuracies(out, m);
  les_table_labels(out, m);
  les_table_proxies(out, m);
  if (tasks) les_table_tasks(out, m);
  les_advice_doubts(out, m, width);
}

les_status les_map_text(const les_map *m, int width, bool tasks, char **text) {
  size_t n = 0;
  *text = NULL;
  int *order = malloc(((size_t)m->damage->n_profile + 1) * sizeof *order);
  FILE *out = order ? open_memstream(text, &n) : NULL;
  if (out) print_all(out, m, width, tasks, order);
  free(order);
  if (out && fclose(out) == 0 && *text) return LES_OK;
  return les_no_memory("the map of %s", m->result->path);
}
