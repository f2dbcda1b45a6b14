#include "sensitivity/sensitivity_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROBUST = 3 }; /* robust matrices that are shown behind the pillars */

static void print_ranking(FILE *out, const les_ranking *k) {
  fprintf(out, "\n%s, %s (%s): ", k->operation, k->mode, k->measure);
  if (k->n_pillars == 0) {
    fprintf(out, "none of %d matrices does damage that is told apart from none\n", k->n);
    return;
  }
  double carried = 0;
  for (int i = 0; i < k->n; i++) carried += k->items[i].pillar ? k->items[i].share : 0;
  fprintf(out, "%d of %d matrices carry %.0f %% of the damage\n", k->n_pillars, k->n, 100 * carried);
  fputs("layer  matrix       damage  95 % interval         share  verdict\n", out);
  int shown = 0, robust = 0;
  for (int i = 0; i < k->n; i++) {
    const les_matrix_score *m = &k->items[i];
    if (!m->pillar && robust++ >= MOST_ROBUST) continue;
    fprintf(out, "%5d  %-9s  %8.4f  [%8.4f, %8.4f]  %5.1f %%  %s\n", m->layer, les_linear_name(m->linear),
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
  fprintf(
      out,
      "%s (%s, %d layers): %d matrices on %d prompts; %d pillars carry %.0f %% of the damage in some mode\n",
      r->model_name, r->arch, r->n_layers, s->n_matrices, r->n_prompts, pillars, 100 * s->share);
  for (int i = 0; i < s->n_rankings; i++) print_ranking(out, &s->rankings[i]);
  if (fclose(out) == 0 && *text) return LES_OK;
  return les_no_memory("the sensitivity of %s", r->path);
}
