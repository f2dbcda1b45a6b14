#include "map/zones.h"

#include "unit.h"

enum { MOST = 32 };

static void expect(const double *y, int n, double noise, const char *const *names, const int *lasts,
                   int n_expected) {
  les_zone zones[MOST];
  int n_zones, first = 0, layers[MOST];
  for (int i = 0; i < n; i++) layers[i] = i;
  assert_int_equal(les_zones_find(y, layers, n, noise, zones, &n_zones), LES_OK);
  assert_int_equal(n_zones, n_expected);
  for (int i = 0; i < n_zones; i++) {
    assert_string_equal(zones[i].name, names[i]);
    assert_int_equal(zones[i].first, first);
    assert_int_equal(zones[i].last, lasts[i]);
    first = lasts[i] + 1;
  }
}

static void steps_are_found(void **state) {
  (void)state;
  const double y[] = {9.1, 8.9, 9.0, 1.1, 0.9, 1.0, 1.0, 5.0, 5.1};
  expect(y, 9, 0, (const char *[]){"critical", "low", "active"}, (int[]){2, 6, 8}, 3);
}

static void neighbours_of_one_name_are_joined(void **state) {
  (void)state;
  const double y[] = {9.0, 9.0, 8.0, 8.0, 1.0, 1.0, 1.0, 1.0};
  expect(y, 8, 0, (const char *[]){"critical", "low"}, (int[]){3, 7}, 2);
}

static void noise_is_not_split(void **state) {
  (void)state;
  const double y[] = {0.50, 0.51, 0.49, 0.50, 0.52, 0.48, 0.50, 0.51};
  expect(y, 8, 0.02 * 0.02, (const char *[]){"active"}, (int[]){7}, 1);
}

static void few_layers(void **state) {
  (void)state;
  const double y[] = {3, 3, 1};
  les_zone zones[1];
  int n;
  expect(y, 1, 0, (const char *[]){"active"}, (int[]){0}, 1);
  expect(y, 3, 0, (const char *[]){"active"}, (int[]){2}, 1);
  assert_int_equal(les_zones_find(y, NULL, 0, 0, zones, &n), LES_OK);
  assert_int_equal(n, 0);
}

static void zones_describe_their_values(void **state) {
  (void)state;
  const double y[] = {4, 6, 4, 6, 0, 0, 1, 1};
  les_zone zones[8];
  int n;
  assert_int_equal(les_zones_find(y, (int[]){0, 1, 2, 3, 4, 5, 6, 7}, 8, 0, zones, &n), LES_OK);
  assert_int_equal(n, 2);
  assert_near(zones[0].mean, 5, 1e-15);
  assert_near(zones[0].min, 4, 0);
  assert_near(zones[0].max, 6, 0);
  assert_near(zones[1].mean, 0.5, 1e-15);
}

static void missing_layers_part_zones(void **state) {
  (void)state;
  const double y[] = {5, 5, 5, 5};
  const int layers[] = {0, 1, 7, 8};
  les_zone zones[4];
  int n;
  assert_int_equal(les_zones_find(y, layers, 4, 0, zones, &n), LES_OK);
  assert_int_equal(n, 2);
  assert_int_equal(zones[0].last, 1);
  assert_int_equal(zones[1].first, 2);
  assert_string_equal(zones[1].name, "active");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_are_found),           cmocka_unit_test(neighbours_of_one_name_are_joined),
      cmocka_unit_test(noise_is_not_split),        cmocka_unit_test(few_layers),
      cmocka_unit_test(missing_layers_part_zones), cmocka_unit_test(zones_describe_their_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
