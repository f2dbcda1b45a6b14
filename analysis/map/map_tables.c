#include "map/map_tables.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

void les_line_print(les_line *line, const char *format, ...) {
  char word[256];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(word, sizeof word, format, args);
  va_end(args);
  if (n >= (int)sizeof word) n = sizeof word - 1;
  const char *rest = word;
  if (line->column > line->indent && line->column + n >= line->width) {
    if (*rest == ',' || *rest == ';') fputc(*rest++, line->out); /* stays with what it follows */
    if (*rest == ' ') rest++;
    fprintf(line->out, "\n%*s", line->indent, "");
    line->column = line->indent - (int)(rest - word);
  }
  fputs(rest, line->out);
  line->column += n;
}

int les_text_prefix(const char *text, int columns) {
  int n = 0;
  while (text[n]) {
    if (((unsigned char)text[n] & 0xc0) != 0x80 && columns-- == 0) break;
    n++;
  }
  return n;
}

static int characters(const char *text) {
  int n = 0;
  for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
  return n;
}

/* A name right-aligned in a column, cut if it is longer. */
static void print_cut(FILE *out, const char *name, int width) {
  fprintf(out, "%*s%.*s", width > characters(name) ? width - characters(name) : 0, "",
          les_text_prefix(name, width), name);
}

enum { NARROW = 8, WIDE = 14 }; /* columns of the matrix */

void les_table_matrix(FILE *out, const les_map *m, int width) {
  const les_damage *d = m->damage;
  int column = NARROW;
  if (d->n_domains < 2) return;
  for (int k = 0; k < d->n_domains; k++) column = (int)fmax(column, fmin(WIDE, characters(d->domains[k])));
  int fits = (int)fmax(1, (width - 6) / (column + 2));
  fprintf(out, "\n%s by layer and domain\n", d->measure);
  for (int first = 0; first < d->n_domains; first += fits) {
    int end = (int)fmin(first + fits, d->n_domains);
    fputs(first ? "\n layer" : " layer", out);
    for (int k = first; k < end; k++) {
      fputs("  ", out);
      print_cut(out, d->domains[k], column);
    }
    fputc('\n', out);
    if (d->intact) fputs("intact", out);
    for (int k = first; d->intact && k < end; k++)
      fprintf(out, "  %*.4f", column, d->intact[1 + k].interval.mean);
    if (d->intact) fputc('\n', out);
    for (int i = 0; i < d->n_profile; i++) {
      fprintf(out, "%6d", les_map_layer(m, d->profile[i]));
      for (int k = first; k < end; k++) {
        const les_estimate *e = les_damage_estimate(d, d->profile[i], k);
        if (e->n)
          fprintf(out, "  %*.4f", column, e->interval.mean);
        else
          fprintf(out, "  %*s", column, "-");
      }
      fputc('\n', out);
    }
  }
}

/* The lesions in the order of the text: the profile's layers, then the rest in order. Returns the next one
 * behind *place, or -1. */
static int next_lesion(const les_map *m, int *place) {
  const les_damage *d = m->damage;
  if (*place < d->n_profile) return d->profile[(*place)++];
  for (int i = *place - d->n_profile; i < m->result->n_lesions; i++) {
    bool shown = false;
    *place = d->n_profile + i + 1;
    for (int k = 0; k < d->n_profile; k++) shown = shown || d->profile[k] == i;
    if (!shown) return i;
  }
  return -1;
}

/* Begins a row: the layer of the profile, or the lesion behind a blank line. */
static void print_lesion(FILE *out, const les_map *m, int lesion, int place) {
  if (place <= m->damage->n_profile)
    fprintf(out, "%5d", les_map_layer(m, lesion));
  else
    fprintf(out, "%5s", "");
}

/* Ends a row: what the lesion is, if that is not the profile's. */
static void end_row(FILE *out, const les_map *m, int lesion, int place) {
  if (place > m->damage->n_profile) fprintf(out, "  %s", m->result->lesion_specs[lesion]);
  fputc('\n', out);
}

void les_table_accuracies(FILE *out, const les_map *m) {
  if (!m->accuracy) return;
  fputs("\nright answers\nlayer     n  intact  lesioned  lost  won  McNemar's p, Holm\n", out);
  for (int place = 0, i; (i = next_lesion(m, &place)) >= 0;) {
    const les_accuracy *a = &m->accuracy[i];
    if (a->n == 0) continue;
    print_lesion(out, m, i, place);
    fprintf(out, " %5d  %6.3f  %8.3f  %4d %4d  %.4f%s", a->n, a->intact, a->lesioned, a->lost, a->won,
            a->p_holm, a->p_holm <= 0.05 ? " *" : "");
    end_row(out, m, i, place);
  }
}

void les_table_labels(FILE *out, const les_map *m) {
  if (!m->labels) return;
  fputs("\nhow continuations end\nlayer", out);
  for (int k = LES_LABEL_INTACT; k < LES_N_LABELS; k++) fprintf(out, " %10s", les_label_name((les_label)k));
  fputc('\n', out);
  for (int place = 0, i; (i = next_lesion(m, &place)) >= 0;) {
    print_lesion(out, m, i, place);
    for (int k = LES_LABEL_INTACT; k < LES_N_LABELS; k++) fprintf(out, " %10d", m->labels[i].of[k]);
    end_row(out, m, i, place);
  }
}

void les_table_proxies(FILE *out, const les_map *m) {
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

static void print_task(FILE *out, const les_task_row *t, const char *name, int width) {
  fprintf(out, "|%s%*s", name, width - characters(name), "");
  fprintf(out, "|%-9s|%6d|%6.4f|±|%6.4f|%8.4f|±|%6.4f|%10.4f|±|%6.4f|%7.4f|\n", t->metric, t->n, t->intact,
          t->intact_error, t->lesioned, t->lesioned_error, t->difference, t->difference_error, t->p_holm);
}

void les_table_tasks(FILE *out, const les_map *m) {
  const les_tasks *t = &m->tasks;
  int width = 5;
  if (!t->n) return;
  for (int i = 0; i < t->n; i++) width = (int)fmax(width, characters(t->rows[i].task));
  for (int i = 0; i < t->n; i++) {
    if (i == 0 || t->rows[i].lesion != t->rows[i - 1].lesion) {
      fprintf(out,
              "\n%s\n|%-*s|Metric   |     n|Intact| |Stderr|Lesioned| |Stderr|Difference| |Stderr|p, Holm|\n",
              m->result->lesion_specs[t->rows[i].lesion], width, "Tasks");
      fputc('|', out);
      for (int k = 0; k < width; k++) fputc('-', out);
      fputs("|---------|-----:|-----:|-|-----:|-------:|-|-----:|---------:|-|-----:|------:|\n", out);
    }
    print_task(out, &t->rows[i], t->rows[i].task, width);
  }
  fputs("\nStandard errors of the means, as lm-evaluation-harness has them, and of the paired differences; p "
        "of\n"
        "McNemar's exact test, Holm over all rows of a family of lesions.\n",
        out);
}
