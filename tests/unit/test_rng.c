/* Keyed random numbers: the published vectors of Philox4x32-10, and what is built on them. */
#include "base/rng.h"
#include "unit.h"

/* Known answers that come with the Random123 library (kat_vectors, philox4x32 10). */
static void test_known_answers(void **state) {
  (void)state;
  static const struct {
    uint32_t counter[4], key[2], want[4];
  } cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t out[4];
    les_philox(cases[i].counter, cases[i].key, out);
    assert_memory_equal(out, cases[i].want, sizeof out);
  }
}

static void test_every_part_of_the_name_counts(void **state) {
  (void)state;
  double u[6][2];
  les_random_uniform(1, LES_FOR_WEIGHTS, 2, 3, u[0]);
  les_random_uniform(2, LES_FOR_WEIGHTS, 2, 3, u[1]);
  les_random_uniform(1, LES_FOR_TOKENS, 2, 3, u[2]);
  les_random_uniform(1, LES_FOR_WEIGHTS, 3, 3, u[3]);
  les_random_uniform(1, LES_FOR_WEIGHTS, 2, 4, u[4]);
  les_random_uniform(1ull << 32 | 1, LES_FOR_WEIGHTS, 2, 3, u[5]);
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < i; j++) assert_true(u[i][0] != u[j][0] && u[i][1] != u[j][1]);
  for (int i = 0; i < 6; i++) assert_near(u[i][0], 0.5, 0.5);
}

static void test_moments_of_the_normal(void **state) {
  (void)state;
  enum { PAIRS = 50000 };
  double sum[5] = {0}, cross = 0;
  for (int i = 0; i < PAIRS; i++) {
    double z[2];
    les_random_normal(42, LES_FOR_WEIGHTS, 7, (uint64_t)i, z);
    cross += z[0] * z[1];
    for (int k = 1; k <= 4; k++) sum[k] += pow(z[0], k) + pow(z[1], k);
  }
  /* Bars of four standard errors: 1, sqrt(2), sqrt(15) and sqrt(96) over the square root of the count. */
  const double n = 2.0 * PAIRS, e = 4 / sqrt(n);
  assert_near(sum[1] / n, 0, e);
  assert_near(sum[2] / n, 1, e * sqrt(2));
  assert_near(sum[3] / n, 0, e * sqrt(15));
  assert_near(sum[4] / n, 3, e * sqrt(96));
  assert_near(cross / PAIRS, 0, 4 / sqrt((double)PAIRS));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_answers),
      cmocka_unit_test(test_every_part_of_the_name_counts),
      cmocka_unit_test(test_moments_of_the_normal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
