#include "stats/inference.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* ---- distributions ---- */

/* The continued fraction of the incomplete beta function (NIST DLMF 8.17.22) by Lentz's method. */
static double beta_fraction(double a, double b, double x) {
  const double tiny = 1e-300;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (fabs(d) < tiny ? tiny : d);
  double f = d;
  for (int m = 1; m < 10000; m++) {
    double last = f;
    for (int odd = 0; odd < 2; odd++) {
      double k = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                     : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 + k * d;
      c = 1 + k / c;
      d = 1 / (fabs(d) < tiny ? tiny : d);
      c = fabs(c) < tiny ? tiny : c;
      f *= c * d;
    }
    if (fabs(f - last) <= 1e-16 * fabs(f)) break;
  }
  return f;
}

/* Regularised incomplete beta function I_x(a, b); `y` is 1 - x, given apart to keep its digits. */
static double beta_inc(double a, double b, double x, double y) {
  if (x <= 0 || y <= 0) return x <= 0 ? 0 : 1;
  double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                   : 1 - front * beta_fraction(b, a, y) / b;
}

/* P(|T| > |t|) for Student's t with v degrees of freedom. */
static double student_p(double t, double v) {
  double s = v + t * t;
  return beta_inc(v / 2, 0.5, v / s, t * t / s);
}

static double normal_p(double z) {
  return erfc(fabs(z) / sqrt(2));
}

/* Quantile q of the beta distribution, by bisection. */
static double beta_quantile(double a, double b, double q) {
  double low = 0, high = 1;
  for (int i = 0; i < 60; i++) {
    double x = (low + high) / 2;
    if (beta_inc(a, b, x, 1 - x) < q)
      low = x;
    else
      high = x;
  }
  return (low + high) / 2;
}

double les_proportion_high(double k, int n, double tail) {
  return k >= n ? 1 : beta_quantile(k + 1, n - k, 1 - tail);
}

/* ---- McNemar, Holm ---- */

les_test les_mcnemar_exact(int b, int c) {
  int least = b < c ? b : c, n = b + c;
  double p = 0;
  for (int k = 0; k <= least; k++)
    p += exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) - n * log(2));
  return (les_test){least, fmin(1, 2 * p)};
}

les_test les_mcnemar_chi2(int b, int c) {
  double d = fabs((double)b - c) - 1, statistic = d * d / ((double)b + c);
  if (b + c == 0) return (les_test){NAN, NAN};
  return (les_test){statistic, erfc(sqrt(statistic / 2))};
}

typedef struct item {
  double value;
  int place;
} item;

static int compare_items(const void *a, const void *b) {
  const item *x = a, *y = b;
  if (x->value != y->value) return x->value < y->value ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

/* The finite values in ascending order with their places; n_finite receives their number. */
static item *sort_items(const double *values, int n, int *n_finite) {
  item *items = malloc(((size_t)n + 1) * sizeof *items);
  *n_finite = 0;
  for (int i = 0; items && i < n; i++)
    if (!isnan(values[i])) items[(*n_finite)++] = (item){values[i], i};
  if (items) qsort(items, (size_t)*n_finite, sizeof *items, compare_items);
  return items;
}

les_status les_holm(const double *p, int n, double *corrected) {
  int m;
  item *items = sort_items(p, n, &m);
  if (!items) return les_no_memory("%d p-values", n);
  double largest = 0;
  for (int i = 0; i < n; i++) corrected[i] = NAN;
  for (int i = 0; i < m; i++) {
    largest = fmax(largest, items[i].value * (m - i));
    corrected[items[i].place] = fmin(1, largest);
  }
  free(items);
  return LES_OK;
}

/* ---- rank correlations ---- */

static les_status rank(const double *x, int n, double *ranks) {
  int m;
  item *items = sort_items(x, n, &m);
  if (!items) return les_no_memory("%d ranks", n);
  for (int i = 0, end; i < m; i = end) {
    for (end = i + 1; end < m && items[end].value == items[i].value;) end++;
    for (int k = i; k < end; k++) ranks[items[k].place] = (i + end + 1) / 2.0;
  }
  free(items);
  return LES_OK;
}

static double pearson(const double *x, const double *y, int n) {
  double mean = (n + 1) / 2.0, xy = 0, xx = 0, yy = 0; /* ranks have this mean, ties or not */
  for (int i = 0; i < n; i++) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xy / sqrt(xx * yy);
}

static bool has_nan(const double *x, const double *y, int n) {
  for (int i = 0; i < n; i++)
    if (isnan(x[i]) || isnan(y[i])) return true;
  return false;
}

les_status les_spearman(const double *x, const double *y, int n, les_test *out) {
  *out = (les_test){NAN, NAN};
  if (n < 3 || has_nan(x, y, n)) return LES_OK;
  double *ranks = malloc(2 * (size_t)n * sizeof *ranks);
  les_status s = ranks ? LES_OK : les_no_memory("%d ranks", n);
  if (s == LES_OK) s = rank(x, n, ranks);
  if (s == LES_OK) s = rank(y, n, ranks + n);
  if (s == LES_OK) {
    double r = pearson(ranks, ranks + n, n);
    out->statistic = r;
    if (!isnan(r)) out->p = student_p(r * sqrt((n - 2) / ((1 + r) * (1 - r))), n - 2);
    if (fabs(r) >= 1) out->p = 0;
  }
  free(ranks);
  return s;
}

/* Sums over the groups of equal values that Kendall's variance needs. */
typedef struct ties {
  double pairs, x0, x1; /* of t (t-1) / 2, t (t-1) (t-2), t (t-1) (2t+5) */
} ties;

static ties count_ties(const double *x, int n) {
  ties t = {0};
  for (int i = 0; i < n; i++) {
    int size = 0, first = 1;
    for (int k = 0; k < n; k++) {
      size += x[k] == x[i];
      if (k < i && x[k] == x[i]) first = 0;
    }
    if (!first) continue;
    double s = size;
    t.pairs += s * (s - 1) / 2;
    t.x0 += s * (s - 1) * (s - 2);
    t.x1 += s * (s - 1) * (2 * s + 5);
  }
  return t;
}

/* P of at most c discordant pairs, or as many concordant ones, among all orders of n: the numbers of
 * permutations by inversions, divided by n! as they are built up. */
static les_status exact_p(int n, int64_t c, double *p) {
  double *now = calloc((size_t)c + 1, sizeof *now), *next = calloc((size_t)c + 1, sizeof *next);
  les_status s = now && next ? LES_OK : les_no_memory("%lld counts", (long long)c);
  if (s == LES_OK) now[0] = 1;
  for (int size = 2; s == LES_OK && size <= n; size++) {
    double window = 0;
    for (int64_t k = 0; k <= c; k++) {
      window += now[k] - (k >= size ? now[k - size] : 0);
      next[k] = window / size;
    }
    double *t = now;
    now = next;
    next = t;
  }
  *p = 0;
  for (int64_t k = 0; s == LES_OK && k <= c; k++) *p += 2 * now[k];
  *p = fmin(1, *p);
  free(now);
  free(next);
  return s;
}

les_status les_kendall(const double *x, const double *y, int n, les_test *out) {
  *out = (les_test){NAN, NAN};
  if (n < 3 || has_nan(x, y, n)) return LES_OK;
  int64_t concordant = 0, discordant = 0, all = (int64_t)n * (n - 1) / 2;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < i; k++) {
      int sign = ((x[i] > x[k]) - (x[i] < x[k])) * ((y[i] > y[k]) - (y[i] < y[k]));
      concordant += sign > 0;
      discordant += sign < 0;
    }
  ties a = count_ties(x, n), b = count_ties(y, n);
  if (a.pairs == (double)all || b.pairs == (double)all) return LES_OK;
  double difference = (double)(concordant - discordant), m = (double)n * (n - 1);
  out->statistic = difference / sqrt((double)all - a.pairs) / sqrt((double)all - b.pairs);
  int64_t least = discordant < concordant ? discordant : concordant;
  if (a.pairs == 0 && b.pairs == 0 && (n <= 33 || least <= 1)) return exact_p(n, least, &out->p);
  double variance =
      (m * (2.0 * n + 5) - a.x1 - b.x1) / 18 + 2 * a.pairs * b.pairs / m + a.x0 * b.x0 / (9 * m * (n - 2));
  out->p = normal_p(difference / sqrt(variance));
  return LES_OK;
}
