#include "stats/stats.h"

#include "base/rng.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 128 }; /* series that are resampled together */

double les_mean(const double *x, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i];
  return n > 0 ? sum / n : NAN;
}

static void swap(double *a, double *b) {
  double t = *a;
  *a = *b;
  *b = t;
}

/* Reorders x so that x[k] is what it would be if x were sorted, and everything before it is not larger
 * (Hoare, 1961). */
static void select_kth(double *x, int n, int k) {
  for (int low = 0, high = n - 1; low < high;) {
    double pivot = x[low + (high - low) / 2];
    int i = low, j = high;
    while (i <= j) {
      while (x[i] < pivot) i++;
      while (x[j] > pivot) j--;
      if (i <= j) swap(&x[i++], &x[j--]);
    }
    if (k <= j)
      high = j;
    else if (k >= i)
      low = i;
    else
      return;
  }
}

double les_quantile(double *x, int n, double q) {
  double place = q * (n - 1);
  int k = (int)place;
  select_kth(x, n, k);
  if (k + 1 >= n || place == k) return x[k];
  double next = x[k + 1];
  for (int i = k + 2; i < n; i++)
    if (x[i] < next) next = x[i];
  return x[k] + (place - k) * (next - x[k]);
}

/* How often each of n observations is drawn in one resample. */
static void draw_counts(int n, uint64_t seed, uint32_t resample, double *counts) {
  memset(counts, 0, (size_t)n * sizeof *counts);
  for (int i = 0; i < n; i += 2) {
    double u[2];
    les_random_uniform(seed, LES_FOR_RESAMPLES, resample, (uint64_t)i / 2, u);
    counts[(int)(u[0] * n)]++;
    if (i + 1 < n) counts[(int)(u[1] * n)]++;
  }
}

/* Workspace of the bootstrap: up to CHUNK series of one length, as columns. */
typedef struct workspace {
  int length, m;   /* of each series; series at most CHUNK */
  int rows[CHUNK]; /* (m) which series they are */
  double *columns; /* (length, CHUNK) */
  double *counts;  /* (length) */
  double *means;   /* (CHUNK, LES_RESAMPLES) */
} workspace;

static void resample(workspace *w, uint64_t seed) {
  for (int b = 0; b < LES_RESAMPLES; b++) {
    double sums[CHUNK] = {0};
    draw_counts(w->length, seed, (uint32_t)b, w->counts);
    for (int i = 0; i < w->length; i++) {
      const double *row = w->columns + (size_t)i * CHUNK;
      if (w->counts[i] == 0) continue;
      for (int k = 0; k < w->m; k++) sums[k] += w->counts[i] * row[k];
    }
    for (int k = 0; k < w->m; k++) w->means[(size_t)k * LES_RESAMPLES + b] = sums[k] / w->length;
  }
}

static les_interval summarise(const double *series, int n, double *means) {
  int below = 0, above = 0;
  for (int b = 0; b < LES_RESAMPLES; b++) {
    below += means[b] <= 0;
    above += means[b] >= 0;
  }
  les_interval i = {.mean = les_mean(series, n)};
  i.low = les_quantile(means, LES_RESAMPLES, 0.025);
  i.high = les_quantile(means, LES_RESAMPLES, 0.975);
  i.p = fmin(1, 2.0 * ((below < above ? below : above) + 1) / (LES_RESAMPLES + 1));
  return i;
}

/* Takes the next series of the workspace's length from row `first` on; returns the row to continue from. */
static int fill_workspace(workspace *w, const double *values, const int *n, int m, int width, int first) {
  int row = first;
  for (w->m = 0; row < m && w->m < CHUNK; row++) {
    if (n[row] != w->length) continue;
    for (int i = 0; i < w->length; i++)
      w->columns[(size_t)i * CHUNK + (size_t)w->m] = values[(size_t)row * (size_t)width + (size_t)i];
    w->rows[w->m++] = row;
  }
  return row;
}

static bool seen_before(const int *n, int row) {
  for (int i = 0; i < row; i++)
    if (n[i] == n[row]) return true;
  return false;
}

les_status les_bootstrap(const double *values, const int *n, int m, int width, uint64_t seed,
                         les_interval *out) {
  workspace w = {.columns = malloc((size_t)width * CHUNK * sizeof *w.columns),
                 .counts = malloc((size_t)width * sizeof *w.counts),
                 .means = malloc((size_t)CHUNK * LES_RESAMPLES * sizeof *w.means)};
  les_status s = w.columns && w.counts && w.means
                     ? LES_OK
                     : les_no_memory("resampling %d series of %d values", m, width);
  for (int i = 0; i < m; i++) out[i] = (les_interval){NAN, NAN, NAN, NAN};
  for (int i = 0; i < m && s == LES_OK; i++) {
    if (n[i] == 0 || seen_before(n, i)) continue;
    w.length = n[i];
    for (int next = i; next < m;) {
      next = fill_workspace(&w, values, n, m, width, next);
      if (w.m > 0) resample(&w, seed);
      for (int k = 0; k < w.m; k++)
        out[w.rows[k]] = summarise(values + (size_t)w.rows[k] * (size_t)width, w.length,
                                   w.means + (size_t)k * LES_RESAMPLES);
    }
  }
  free(w.means);
  free(w.counts);
  free(w.columns);
  return s;
}
