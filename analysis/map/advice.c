#include "map/advice.h"

#include "map/map_tables.h"
#include "stats/sign_flip.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

static void write_layers(les_line *line, const les_map *m, const int *lesions, int n) {
  for (int i = 0; i < n; i++)
    les_line_print(line, " %d%s", les_map_layer(m, lesions[i]), i + 1 < n ? "," : "");
}

static void write_extreme(FILE *out, const les_map *m, int width, const char *what, const les_extreme *e) {
  les_line line = {out, width, 2, 0};
  const les_estimate *mean = &m->damage->all[e->lesion];
  les_line_print(&line, "%s: layer %d (%s %.4f), ", what, les_map_layer(m, e->lesion), m->damage->measure,
                 mean->interval.mean);
  if (e->n_tied == 0 && m->comparison.n_ranked > 1)
    les_line_print(&line, "told apart from every other");
  else if (e->n_tied == 0)
    les_line_print(&line, "the only one");
  else {
    les_line_print(&line, "not told apart from");
    write_layers(&line, m, e->tied, e->n_tied);
  }
  fputc('\n', out);
}

/* The lesion of the profile whose damage has the least upper bound; -1: none has one. */
static int least_bound(const les_map *m) {
  int best = -1;
  for (int i = 0; i < m->damage->n_profile; i++) {
    int lesion = m->damage->profile[i];
    if (isfinite(m->removal.upper[lesion]) && !m->damage->all[lesion].lost &&
        (best < 0 || m->removal.upper[lesion] < m->removal.upper[best]))
      best = lesion;
  }
  return best;
}

static void write_candidates(FILE *out, const les_map *m, int width) {
  const les_removal *r = &m->removal;
  les_line line = {out, width, 2, 0};
  les_line_print(&line, "candidates for removal:");
  if (isnan(r->margin)) {
    les_line_print(&line, " none without a --margin: how much damage (%s) counts as none?\n",
                   m->damage->measure);
    return;
  }
  int best = least_bound(m);
  if (r->n)
    write_layers(&line, m, r->lesions, r->n);
  else
    les_line_print(&line, " none");
  les_line_print(&line, " (damage below %g", r->margin);
  les_line_print(&line, " with 95 %% confidence,");
  les_line_print(&line, " all layers together; --margin)");
  if (!r->n && best >= 0)
    les_line_print(&line, "; the nearest is layer %d, below %.4g", les_map_layer(m, best), r->upper[best]);
  else if (!r->n)
    les_line_print(&line, "; there are too few prompts for a bound");
  fputc('\n', out);
}

/* Runs of the ranking in which no layer is told apart from the next one. */
static int write_unordered(FILE *out, const les_map *m, int width) {
  const les_comparison *c = &m->comparison;
  int lines = 0;
  for (int i = 0, end; i + 1 < c->n_ranked; i = end + 1) {
    for (end = i; end + 1 < c->n_ranked && !les_contrast_holds(&c->neighbours[end]);) end++;
    if (end == i) continue;
    les_line line = {out, width, 2, 0};
    les_line_print(&line, "- the order of layers");
    for (int k = i; k <= end; k++)
      les_line_print(&line, " %d%s", les_map_layer(m, k < end ? c->neighbours[k].a : c->neighbours[k - 1].b),
                     k < end ? "," : ":");
    les_line_print(&line, " neighbours differ by less than the data can tell");
    fputc('\n', out);
    lines++;
  }
  return lines;
}

static int write_open_domains(FILE *out, const les_map *m, int width) {
  les_line line = {out, width, 2, 0};
  int n = 0;
  for (int k = 0; k < m->damage->n_domains; k++) {
    const les_contrast *c = &m->comparison.firsts[k];
    if (c->n == 0 || les_contrast_holds(c)) continue;
    if (n == 0) les_line_print(&line, "- which layer matters most for");
    les_line_print(&line, "%s %s", n++ ? "," : "", m->damage->domains[k]);
  }
  if (n) fputc('\n', out);
  return n > 0;
}

/* Says so where there are not enough prompts for any claim, however large the differences. */
static int write_few_prompts(FILE *out, const les_map *m) {
  const les_damage *d = m->damage;
  double family = m->comparison.family;
  int needed = les_sign_flip_fewest(family), by_domain = les_sign_flip_fewest(family * d->n_domains);
  int most = 0, largest = 0, lines = 0;
  if (m->comparison.n_ranked < 2) return 0;
  for (int i = 0; i < d->n_profile; i++) most = (int)fmax(most, d->all[d->profile[i]].n);
  for (int i = 0; i < d->n_profile; i++)
    for (int k = 0; k < d->n_domains; k++)
      largest = (int)fmax(largest, les_damage_estimate(d, d->profile[i], k)->n);
  if (most < needed)
    lines +=
        fprintf(
            out,
            "- any order of layers: a choice among %.0f pairs takes %d prompts or more on which two layers "
            "differ; there are %d, so no p\n",
            family, needed, most) > 0;
  if (d->n_domains > 1 && most >= needed && largest < by_domain)
    lines +=
        fprintf(
            out,
            "- any order of layers within a domain: a choice among %.0f pairs takes %d prompts; the largest "
            "has %d, so no p\n",
            family * d->n_domains, by_domain, largest) > 0;
  return lines;
}

static int write_lost(FILE *out, const les_map *m) {
  int64_t lost = 0;
  for (int i = 0; i < m->result->n_lesions; i++) lost += m->damage->all[i].lost;
  if (!lost) return 0;
  fprintf(
      out,
      "- means over all cells: %lld are lost (failed, or without a finite value) and count as the worst\n",
      (long long)lost);
  return 1;
}

void les_advice_write(FILE *out, const les_map *m, int width) {
  if (m->comparison.n_ranked == 0) return;
  fputc('\n', out);
  write_extreme(out, m, width, "most critical", &m->comparison.most);
  write_extreme(out, m, width, "least critical", &m->comparison.least);
  write_candidates(out, m, width);
}

void les_advice_doubts(FILE *out, const les_map *m, int width) {
  if (m->comparison.n_ranked == 0) return;
  fputs("\nwhat the data do not support (sign-flip tests of paired differences, all pairs of layers "
        "together, 5 %)\n",
        out);
  int lines = write_unordered(out, m, width) + write_open_domains(out, m, width) + write_few_prompts(out, m) +
              write_lost(out, m);
  if (!lines) fputs("- nothing above is in doubt\n", out);
}
