#include "stats/stats.h"

#include "base/rng.h"
#include "stats/inference.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 128 }; /* series that are resampled together */

double les_mean(const double *x, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i];
  return n > 0 ? sum / n : NAN;
}

double les_standard_error(const double *x, int n) {
  double mean = les_mean(x, n), squares = 0;
  for (int i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
  return n > 1 ? sqrt(squares / (n - 1) / n) : NAN;
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
  if (k + 1 >= n || place == k || isinf(x[k])) return x[k];
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
  int length, m;       /* of each series; series at most CHUNK */
  int rows[CHUNK];     /* (m) which series they are */
  double means[CHUNK]; /* (m) of the series */
  double *columns;     /* (length, CHUNK) values less the mean of their series */
  double *counts;      /* (length) */
  double *t;           /* (CHUNK, LES_RESAMPLES) mean over standard error of each resample */
} workspace;

/* Mean over standard error of a resample of n values from their sum and sum of squares; infinite where they
 * are all equal, but for rounding, and not the mean of the series. */
static double studentise(double sum, double squares, int n, double tiny) {
  double mean = sum / n, variance = squares / n - mean * mean;
  if (variance > tiny) return mean / sqrt(variance / n);
  return mean * mean <= tiny ? 0 : mean > 0 ? INFINITY : -INFINITY;
}

static void resample(workspace *w, uint64_t seed) {
  double tiny[CHUNK] = {0};
  for (int i = 0; i < w->length; i++)
    for (int k = 0; k < w->m; k++) {
      double x = w->columns[(size_t)i * CHUNK + (size_t)k];
      tiny[k] += 1e-15 * x * x;
    }
  for (int b = 0; b < LES_RESAMPLES; b++) {
    double sums[CHUNK] = {0}, squares[CHUNK] = {0};
    draw_counts(w->length, seed, (uint32_t)b, w->counts);
    for (int i = 0; i < w->length; i++) {
      const double *row = w->columns + (size_t)i * CHUNK;
      double count = w->counts[i];
      if (count == 0) continue;
      for (int k = 0; k < w->m; k++) {
        double x = count * row[k];
        sums[k] += x;
        squares[k] += x * row[k];
      }
    }
    for (int k = 0; k < w->m; k++)
      w->t[(size_t)k * LES_RESAMPLES + (size_t)b] = studentise(sums[k], squares[k], w->length, tiny[k]);
  }
}

static double clip(double x, double low, double high) {
  return fmin(high, fmax(low, x));
}

/* Clopper's and Pearson's upper bound of the mean of sign times n values on a range; without one, its end.
 * What lies above 0 bounds the mean as well, and closer where values are spread about 0. */
static double proportion_bound(const double *series, int n, double sign, double low, double high,
                               double tail) {
  double middle = clip(0, low, high), sum = 0, above = 0;
  if (isinf(high - low)) return high;
  for (int i = 0; i < n; i++) {
    double x = clip(sign * series[i], low, high);
    sum += (x - low) / (high - low);
    above += x > middle ? (x - middle) / (high - middle) : 0;
  }
  return fmin(low + (high - low) * les_proportion_high(sum, n, tail),
              middle + (high - middle) * les_proportion_high(above, n, tail));
}

/* The bounds of one series from its resamples; see les_bootstrap. */
static les_interval summarise(const double *series, int n, const les_bounds *b, double mean, double *t) {
  les_interval i = {mean, les_standard_error(series, n), NAN, NAN};
  if (n < LES_FEWEST_VALUES) return i;
  bool equal = true;
  for (int k = 1; k < n; k++) equal = equal && series[k] == series[0];
  if (equal && isinf(b->high - b->low)) {
    i.low = i.high = mean;
    return i;
  }
  double below = equal ? INFINITY : les_quantile(t, LES_RESAMPLES, 1 - b->tail);
  double above = equal ? -INFINITY : les_quantile(t, LES_RESAMPLES, b->tail);
  double spread = i.error * sqrt((n - 1.0) / n); /* of resamples: divided by n, not n - 1 */
  i.low = isinf(below) ? -proportion_bound(series, n, -1, -b->high, -b->low, b->tail) : mean - below * spread;
  i.high = isinf(above) ? proportion_bound(series, n, 1, b->low, b->high, b->tail) : mean - above * spread;
  i.low = clip(i.low, b->low, b->high);
  i.high = clip(i.high, b->low, b->high);
  return i;
}

/* Takes the next series of the workspace's length from row `first` on; returns the row to continue from. */
static int fill_workspace(workspace *w, const double *values, const int *n, int m, int width, int first) {
  int row = first;
  for (w->m = 0; row < m && w->m < CHUNK; row++) {
    const double *series = values + (size_t)row * (size_t)width;
    if (n[row] != w->length) continue;
    w->means[w->m] = les_mean(series, w->length);
    for (int i = 0; i < w->length; i++)
      w->columns[(size_t)i * CHUNK + (size_t)w->m] = series[i] - w->means[w->m];
    w->rows[w->m++] = row;
  }
  return row;
}

static bool seen_before(const int *n, int row) {
  for (int i = 0; i < row; i++)
    if (n[i] == n[row]) return true;
  return false;
}

les_status les_bootstrap(const double *values, const int *n, int m, int width, les_bounds bounds,
                         uint64_t seed, les_interval *out) {
  workspace w = {.columns = malloc((size_t)width * CHUNK * sizeof *w.columns),
                 .counts = malloc((size_t)width * sizeof *w.counts),
                 .t = malloc((size_t)CHUNK * LES_RESAMPLES * sizeof *w.t)};
  les_status s =
      w.columns && w.counts && w.t ? LES_OK : les_no_memory("resampling %d series of %d values", m, width);
  for (int i = 0; i < m; i++) out[i] = (les_interval){NAN, NAN, NAN, NAN};
  for (int i = 0; i < m && s == LES_OK; i++) {
    if (n[i] == 0 || seen_before(n, i)) continue;
    w.length = n[i];
    for (int next = i; next < m;) {
      next = fill_workspace(&w, values, n, m, width, next);
      if (w.m > 0 && w.length >= LES_FEWEST_VALUES) resample(&w, seed);
      for (int k = 0; k < w.m; k++)
        out[w.rows[k]] = summarise(values + (size_t)w.rows[k] * (size_t)width, w.length, &bounds, w.means[k],
                                   w.t + (size_t)k * LES_RESAMPLES);
    }
  }
  free(w.t);
  free(w.counts);
  free(w.columns);
  return s;
}
