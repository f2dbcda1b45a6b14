#include "model/rope.h"

#include <math.h>

/* Low frequencies are divided by the factor, high ones stay, those between are interpolated. */
static double scale_llama3(const les_rope_spec *s, double freq) {
  double turns = s->original_ctx * freq / (2 * M_PI); /* over the original context length */
  if (turns < s->low_freq_factor) return freq / s->factor;
  if (turns > s->high_freq_factor) return freq;
  double mix = (turns - s->low_freq_factor) / (s->high_freq_factor - s->low_freq_factor);
  return (1 - mix) * freq / s->factor + mix * freq;
}

/* The pair that makes `turns` turns over the original context, as a real number. */
static double yarn_pair(const les_rope_spec *s, int n_pairs, double turns) {
  return n_pairs * log(s->original_ctx / (turns * 2 * M_PI)) / log(s->base);
}

static double scale_yarn(const les_rope_spec *s, int n_pairs, int pair, double freq) {
  double low = yarn_pair(s, n_pairs, s->beta_fast), high = yarn_pair(s, n_pairs, s->beta_slow);
  if (s->whole_dims) low = floor(low), high = ceil(high);
  low = fmax(low, 0);
  high = fmin(high, 2 * n_pairs - 1);
  if (low == high) high += 0.001;
  double ramp = fmin(fmax((pair - low) / (high - low), 0), 1);
  return freq / s->factor * ramp + freq * (1 - ramp);
}

void les_rope_fill(const les_rope_spec *spec, int n_pairs, double *freq, float *magnitude) {
  for (int i = 0; i < n_pairs; i++) {
    double f = pow(spec->base, -(double)i / n_pairs);
    switch (spec->scaling) {
    case LES_ROPE_PLAIN:
      break;
    case LES_ROPE_LINEAR:
      f /= spec->factor;
      break;
    case LES_ROPE_LLAMA3:
      f = scale_llama3(spec, f);
      break;
    case LES_ROPE_YARN:
      f = scale_yarn(spec, n_pairs, i, f);
      break;
    }
    freq[i] = f;
  }
  double m = spec->magnitude;
  if (m == 0) m = spec->scaling == LES_ROPE_YARN && spec->factor > 1 ? 0.1 * log(spec->factor) + 1 : 1;
  *magnitude = (float)m;
}
