#include "measure/divergence.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double jaccard(int n_a, int n_b, int n_both) {
  int n_either = n_a + n_b - n_both;
  return n_either == 0 ? 0 : 1 - (double)n_both / n_either;
}

les_status les_jaccard_words(const char *a, const char *b, double *distance) {
  les_words words_a, words_b;
  LES_TRY(les_words_make(&words_a, a));
  les_status s = les_words_make(&words_b, b);
  int both = 0;
  for (int i = 0, k = 0; s == LES_OK && i < words_a.n && k < words_b.n;) {
    int order = strcmp(words_a.items[i], words_b.items[k]);
    both += order == 0;
    i += order <= 0;
    k += order >= 0;
  }
  if (s == LES_OK) *distance = jaccard(words_a.n, words_b.n, both);
  les_words_free(&words_b);
  les_words_free(&words_a);
  return s;
}

static int compare_ids(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* Copies the ids to `out`, sorted, each once; returns their number. */
static int make_set(const int32_t *ids, int n, int32_t *out) {
  if (n == 0) return 0;
  memcpy(out, ids, (size_t)n * sizeof *ids);
  qsort(out, (size_t)n, sizeof *out, compare_ids);
  int unique = 1;
  for (int i = 1; i < n; i++)
    if (out[i] != out[unique - 1]) out[unique++] = out[i];
  return unique;
}

les_status les_jaccard_tokens(const int32_t *a, int n_a, const int32_t *b, int n_b, double *distance) {
  int32_t *sets = malloc(((size_t)n_a + (size_t)n_b + 1) * sizeof *sets);
  if (!sets) return les_no_memory("the sets of %d and %d tokens", n_a, n_b);
  int32_t *other = sets + n_a;
  n_a = make_set(a, n_a, sets);
  n_b = make_set(b, n_b, other);
  int both = 0;
  for (int i = 0, k = 0; i < n_a && k < n_b;) {
    int order = compare_ids(&sets[i], &other[k]);
    both += order == 0;
    i += order <= 0;
    k += order >= 0;
  }
  *distance = jaccard(n_a, n_b, both);
  free(sets);
  return LES_OK;
}

int les_common_prefix(const int32_t *a, int n_a, const int32_t *b, int n_b) {
  int n = 0;
  while (n < n_a && n < n_b && a[n] == b[n]) n++;
  return n;
}

void les_forced_add(les_forced *f, double nll, double kl, bool same_top1) {
  f->kl_max = f->n == 0 || isnan(kl) || kl > f->kl_max ? kl : f->kl_max;
  f->n++;
  f->nll += nll;
  f->kl += kl;
  f->same_top1 += same_top1;
}

les_forced_measures les_forced_finish(const les_forced *f) {
  if (f->n == 0 || isnan(f->nll) || isnan(f->kl)) return (les_forced_measures){NAN, NAN, NAN, NAN, NAN};
  double n = (double)f->n, mean = f->nll / n;
  return (les_forced_measures){mean, exp(mean), f->kl / n, f->kl_max, (double)f->same_top1 / n};
}
