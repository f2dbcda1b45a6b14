#include "sensitivity/sensitivity_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROBUST = 3 }; /* robust matrices that are shown behind the pillars */

/* What is said of a ranking in one line; the shares are of matrices and of their damage. */
static void print_summary(FILE *out, const les_ranking *k, double share) {
  fprintf(out, "\n%s, %s (%s), %d prompts: ", k->operation, k->mode, k->measure, k->n_prompts);
  if (k->n_prompts < k->n_needed) {
    fprintf(out,
            "no pillars, since to tell the damage of one of %d matrices from none takes %d prompts or more\n",
            k->n, k->n_needed);
    return;
  }
  if (k->n_pillars == 0) {
    fprintf(out, "none of %d matrices does damage that is told apart from none\n", k->n);
    return;
  }
  fprintf(out, "%d of %d matrices (%.1f %%) carry %.1f %% of the damage", k->n_pillars, k->n,
          100.0 * k->n_pillars / k->n, 100 * k->carried);
  if (k->carried < share)
    fprintf(out, ", less than %g %%: the damage of others is not told apart from none", 100 * share);
  fputc('\n', out);
}

static void print_ranking(FILE *out, const les_ranking *k, double share) {
  print_summary(out, k, share);
  if (k->n_pillars == 0) return;
  fputs("layer  matrix       damage  95 % interval        of damage    verdict\n", out);
  int shown = 0, robust = 0;
  for (int i = 0; i < k->n; i++) {
    const les_matrix_score *m = &k->items[i];
    if (!m->pillar && robust++ >= MOST_ROBUST) continue;
    fprintf(out, "%5d  %-9s  %8.4f  [%8.4f, %8.4f]  %9.1f %%  %s\n", m->layer, les_linear_name(m->linear),
            m->damage.mean, m->damage.low, m->damage.high, 100 * m->share, m->pillar ? "pillar" : "robust");
    shown++;
  }
  if (shown < k->n) fprintf(out, "   ... and %d more robust ones\n", k->n - shown);
}

les_status les_sensitivity_text(const les_sensitivity *s, char **text) {
  const les_result *r = s->result;
  size_t n = 0;
  int pillars = 0;
  *text = NULL;
  FILE *out = open_memstream(text, &n);
  if (!out) return les_no_memory("the sensitivity of %s", r->path);
  for (int i = 0; i < s->n_matrices; i++) pillars += s->matrices[i].pillar;
  fprintf(out, "%s (%s, %d layers): %d matrices on %d prompts; ", r->model_name, r->arch, r->n_layers,
          s->n_matrices, r->n_prompts);
  if (les_sensitivity_supported(s))
    fprintf(out, "%d of them (%.1f %%) are pillars in some mode\n", pillars, 100.0 * pillars / s->n_matrices);
  else
    fputs("too few prompts to call any a pillar; the freeze list is empty for that reason\n", out);
  fprintf(out,
          "pillars: the fewest matrices that carry %g %% of the damage of a mode (--share), each told apart "
          "from none\n",
          100 * s->share);
  for (int i = 0; i < s->n_rankings; i++) print_ranking(out, &s->rankings[i], s->share);
  if (fclose(out) == 0 && *text) return LES_OK;
  return les_no_memory("the sensitivity of %s", r->path);
}
