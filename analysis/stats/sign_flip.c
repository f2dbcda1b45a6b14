#include "stats/sign_flip.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

enum {
  EXACT = 20,           /* differences, of which every assignment of signs is looked at */
  FEWEST_FLIPS = 20000, /* random ones */
  PER_TEST = 80,        /* ... for each test of the family: 4 have to be as extreme for a p of LES_LEVEL */
  ENOUGH = 100,         /* extreme ones that settle a large p */
  GROUP = 8             /* differences whose 256 sums are looked up */
};

bool les_sign_flip_possible(int different, double size) {
  return ldexp(1, 1 - different) * fmax(1, size) <= LES_LEVEL;
}

int les_sign_flip_fewest(double size) {
  int n = 1;
  while (!les_sign_flip_possible(n, size)) n++;
  return n;
}

/* One test: differences other than 0 and the sums of their groups. */
typedef struct flips {
  int n, n_groups;
  double *x;           /* (n) */
  double (*sums)[256]; /* (n_groups, 256) of each group under the signs that the bits give */
  double bound;        /* a sum as far from 0 as the one that was seen, less rounding */
} flips;

static void take_differences(flips *f, const double *values, int n) {
  double sum = 0, size = 0;
  f->n = 0;
  for (int i = 0; i < n; i++) {
    if (values[i] == 0) continue;
    f->x[f->n++] = values[i];
    sum += values[i];
    size += fabs(values[i]);
  }
  f->bound = fabs(sum) - 1e-10 * size;
}

static void fill_tables(flips *f) {
  f->n_groups = (f->n + GROUP - 1) / GROUP;
  for (int g = 0; g < f->n_groups; g++) {
    double *sums = f->sums[g];
    sums[0] = 0;
    for (int i = g * GROUP; i < (g + 1) * GROUP && i < f->n; i++) sums[0] -= f->x[i];
    for (int bits = 1; bits < 256; bits++) { /* its lowest bit turns one sign more than the rest of it */
      int lowest = 0;
      while (!(bits >> lowest & 1)) lowest++;
      int i = g * GROUP + lowest;
      sums[bits] = sums[bits & (bits - 1)] + (i < f->n ? 2 * f->x[i] : 0);
    }
  }
}

static double flipped_sum(const flips *f, const uint8_t *signs) {
  double sum = 0;
  for (int g = 0; g < f->n_groups; g++) sum += f->sums[g][signs[g]];
  return sum;
}

/* Every assignment; the other half of them mirrors those in which the last sign is minus. */
static double exact_p(const flips *f) {
  int64_t count = 0, all = (int64_t)1 << (f->n - 1);
  for (int64_t i = 0; i < all; i++) {
    uint8_t signs[] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16)};
    count += fabs(flipped_sum(f, signs)) >= f->bound;
  }
  return (double)count / (double)all;
}

/* Random signs of assignment i: (n_groups) bytes; room for 15 more. */
static void draw_signs(uint64_t seed, uint32_t i, int n_groups, uint8_t *signs) {
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (int g = 0; g < n_groups; g += 16) {
    uint32_t counter[4] = {(uint32_t)g, 0, i, LES_FOR_RESAMPLES}, bits[4];
    les_philox(counter, key, bits);
    for (int k = 0; k < 16; k++) signs[g + k] = (uint8_t)(bits[k / 4] >> 8 * (k % 4));
  }
}

/* Random assignments; `signs` is scratch. */
static double random_p(const flips *f, les_family family, uint8_t *signs) {
  double most = fmax(FEWEST_FLIPS, ceil(PER_TEST * family.size));
  int64_t n = (int64_t)fmin(most, UINT32_MAX), count = 0;
  for (int64_t i = 0; i < n; i++) {
    draw_signs(family.seed, (uint32_t)i, f->n_groups, signs);
    count += fabs(flipped_sum(f, signs)) >= f->bound;
    if (count == ENOUGH) return ENOUGH / (i + 1.0);
  }
  return (1.0 + (double)count) / (1.0 + (double)n);
}

les_status les_sign_flip(const double *values, const int *n, int m, int width, les_family family, double *p) {
  size_t groups = (size_t)width / GROUP + 1;
  flips f = {.x = malloc(groups * GROUP * sizeof *f.x), .sums = malloc(groups * sizeof *f.sums)};
  uint8_t *signs = malloc(groups + 16);
  les_status s = f.x && f.sums && signs ? LES_OK : les_no_memory("%d tests of %d pairs", m, width);
  for (int i = 0; s == LES_OK && i < m; i++) {
    p[i] = NAN;
    take_differences(&f, values + (size_t)i * (size_t)width, n[i]);
    if (!les_sign_flip_possible(f.n, family.size)) continue;
    fill_tables(&f);
    p[i] = f.n <= EXACT ? exact_p(&f) : random_p(&f, family, signs);
  }
  free(signs);
  free(f.sums);
  free(f.x);
  return s;
}
