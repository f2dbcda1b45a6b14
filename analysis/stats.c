#include "stats.h"

#include "rng.h"

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

/* Resamples `m` <= CHUNK series, given as columns: values (n, CHUNK). means (CHUNK, LES_RESAMPLES). */
static void resample(const double *values, int m, int n, uint64_t seed, double *counts, double *means) {
  for (int b = 0; b < LES_RESAMPLES; b++) {
    double sums[CHUNK] = {0};
    draw_counts(n, seed, (uint32_t)b, counts);
    for (int i = 0; i < n; i++) {
      const double *row = values + (size_t)i * CHUNK;
      if (counts[i] == 0) continue;
      for (int k = 0; k < m; k++) sums[k] += counts[i] * row[k];
    }
    for (int k = 0; k < m; k++) means[(size_t)k * LES_RESAMPLES + b] = sums[k] / n;
  }
}

les_status les_bootstrap(const double *values, int m, int n, uint64_t seed, les_interval *out) {
  double *columns = malloc((size_t)n * CHUNK * sizeof *columns);
  double *counts = malloc((size_t)n * sizeof *counts);
  double *means = malloc((size_t)CHUNK * LES_RESAMPLES * sizeof *means);
  les_status s = columns && counts && means
                     ? LES_OK
                     : les_fail(LES_FAILED, "out of memory to resample %d series of %d values", m, n);
  for (int first = 0; first < m && s == LES_OK; first += CHUNK) {
    int some = m - first < CHUNK ? m - first : CHUNK;
    for (int k = 0; k < some; k++)
      for (int i = 0; i < n; i++) columns[(size_t)i * CHUNK + k] = values[(size_t)(first + k) * n + i];
    resample(columns, some, n, seed, counts, means);
    for (int k = 0; k < some; k++) {
      double *series = means + (size_t)k * LES_RESAMPLES;
      out[first + k].mean = les_mean(values + (size_t)(first + k) * n, n);
      out[first + k].low = les_quantile(series, LES_RESAMPLES, 0.025);
      out[first + k].high = les_quantile(series, LES_RESAMPLES, 0.975);
    }
  }
  free(means);
  free(counts);
  free(columns);
  return s;
}
