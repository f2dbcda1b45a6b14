#include "map/advice.h"

#include <stdint.h>
#include <stdio.h>

static void write_layers(FILE *out, const les_map *m, const int *lesions, int n) {
  for (int i = 0; i < n; i++) fprintf(out, "%s%d", i ? ", " : "", les_map_layer(m, lesions[i]));
}

static void write_extreme(FILE *out, const les_map *m, const char *what, const les_extreme *e) {
  fprintf(out, "%s: layer %d (%s %.4f), ", what, les_map_layer(m, e->lesion), m->damage->measure,
          m->damage->all[e->lesion].interval.mean);
  if (e->n_tied == 0) {
    fputs("told apart from every other\n", out);
    return;
  }
  fputs("not told apart from ", out);
  write_layers(out, m, e->tied, e->n_tied);
  fputc('\n', out);
}

static void write_candidates(FILE *out, const les_map *m) {
  const les_extreme *least = &m->comparison.least;
  if (!m->comparison.n_candidates) {
    fputs("candidates for removal: none, the data tell no layer apart from the most critical one\n", out);
    return;
  }
  fputs("candidates for removal: ", out);
  write_layers(out, m, m->comparison.candidates, m->comparison.n_candidates);
  fprintf(out, " (least damage first: layer %d and those not told apart from it)\n",
          les_map_layer(m, least->lesion));
}

static void write_accuracies(FILE *out, const les_map *m) {
  if (!m->accuracy) return;
  fputs("\nright answers\nlayer     n  intact  lesioned  lost  won  McNemar's p, Holm\n", out);
  for (int i = 0; i < m->damage->n_profile; i++) {
    const les_accuracy *a = &m->accuracy[m->damage->profile[i]];
    fprintf(out, "%5d %5d  %6.3f  %8.3f  %4d %4d  %.4f%s\n", les_map_layer(m, m->damage->profile[i]), a->n,
            a->intact, a->lesioned, a->lost, a->won, a->p_holm, a->p_holm <= 0.05 ? " *" : "");
  }
}

static void write_labels(FILE *out, const les_map *m) {
  if (!m->labels) return;
  fputs("\nhow continuations end\nlayer", out);
  for (int k = LES_LABEL_INTACT; k < LES_N_LABELS; k++) fprintf(out, " %10s", les_label_name((les_label)k));
  fputc('\n', out);
  for (int i = 0; i < m->damage->n_profile; i++) {
    fprintf(out, "%5d", les_map_layer(m, m->damage->profile[i]));
    for (int k = LES_LABEL_INTACT; k < LES_N_LABELS; k++)
      fprintf(out, " %10d", m->labels[m->damage->profile[i]].of[k]);
    fputc('\n', out);
  }
}

static void write_proxies(FILE *out, const les_map *m) {
  const les_proxies *p = &m->proxies;
  if (!p->n) return;
  fputs("\nproxies: rank correlation with measured damage over layers\n"
        "proxy       measure     Spearman  p, Holm  Kendall        p\n",
        out);
  for (int i = 0; i < p->n_correlations; i++) {
    const les_correlation *c = &p->correlations[i];
    fprintf(out, "%-10s  %-10s  %8.3f  %7.4f  %7.3f  %7.4f\n", p->items[c->proxy].name, c->measure,
            c->spearman.statistic, c->p_holm, c->kendall.statistic, c->kendall.p);
  }
}

/* Runs of the ranking in which no layer is told apart from the next one. */
static int write_unordered(FILE *out, const les_map *m) {
  const les_comparison *c = &m->comparison;
  int lines = 0;
  for (int i = 0, end; i + 1 < c->n_ranked; i = end + 1) {
    for (end = i; end + 1 < c->n_ranked && !les_contrast_holds(&c->neighbours[end]);) end++;
    if (end == i) continue;
    fputs("- the order of layers ", out);
    for (int k = i; k <= end; k++)
      fprintf(out, "%s%d", k > i ? ", " : "",
              les_map_layer(m, k < end ? c->neighbours[k].a : c->neighbours[k - 1].b));
    fputs(": neighbours differ by less than the data can tell\n", out);
    lines++;
  }
  return lines;
}

static int write_open_domains(FILE *out, const les_map *m) {
  int n = 0;
  for (int k = 0; k < m->damage->n_domains; k++) {
    const les_contrast *c = &m->comparison.firsts[k];
    if (c->n == 0 || les_contrast_holds(c)) continue;
    fprintf(out, "%s%s", n++ ? ", " : "- which layer matters most for ", m->damage->domains[k]);
  }
  if (n) fputc('\n', out);
  return n > 0;
}

static int write_few_prompts(FILE *out, const les_map *m) {
  const les_damage *d = m->damage;
  int fewest = INT32_MAX, n = 0;
  for (int k = 0; k < d->n_domains; k++) {
    int size = les_damage_estimate(d, d->profile[0], k)->n;
    if (size >= LES_FEW_PROMPTS) continue;
    if (size < fewest) fewest = size;
    n++;
  }
  if (!n) return 0;
  fprintf(out,
          "- intervals in %d of %d domains: they have fewer than %d prompts (%d the smallest), and are too "
          "narrow\n",
          n, d->n_domains, LES_FEW_PROMPTS, fewest);
  return 1;
}

static int write_lost(FILE *out, const les_map *m) {
  int64_t lost = 0;
  for (int i = 0; i < m->damage->n_profile; i++) lost += m->damage->all[m->damage->profile[i]].lost;
  if (!lost) return 0;
  fprintf(out, "- means over all cells: %lld without a finite value are left out\n", (long long)lost);
  return 1;
}

void les_advice_write(FILE *out, const les_map *m) {
  if (m->comparison.n_ranked == 0) return;
  fputc('\n', out);
  write_extreme(out, m, "most critical", &m->comparison.most);
  write_extreme(out, m, "least critical", &m->comparison.least);
  write_candidates(out, m);
  write_accuracies(out, m);
  write_labels(out, m);
  write_proxies(out, m);
  fputs("\nwhat the data do not support (paired bootstrap over prompts, Holm, 5 %)\n", out);
  int lines =
      write_unordered(out, m) + write_open_domains(out, m) + write_few_prompts(out, m) + write_lost(out, m);
  if (!lines) fputs("- nothing above is in doubt\n", out);
}
