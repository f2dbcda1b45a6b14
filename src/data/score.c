#include "data/score.h"

#include <math.h>

void les_influence_mean(const double *values, int n, double *influence) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += values[i];
  for (int i = 0; i < n; i++) influence[i] = (values[i] - sum / n) / n;
}

double les_influence_ratio(double above, double below, double sum_above, double sum_below, double slope) {
  return slope * (above - sum_above / sum_below * below) / sum_below;
}

double les_influence_stderr(const double *influence, const double *minus, int n) {
  double squares = 0;
  for (int i = 0; i < n; i++) {
    double u = influence[i] - (minus ? minus[i] : 0);
    squares += u * u;
  }
  return n < 2 ? NAN : sqrt(squares * n / (n - 1));
}
