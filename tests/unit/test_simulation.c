/* The scheduler keeps simulated workers busy: from a workstation to ten thousand ranks, at most 5 % of their
 * time is idle, and every cell is handed out. */
#include "simulation.h"
#include "unit.h"

static void check(int lesions, int prompts, int workers) {
  simulation s = {lesions, prompts, workers, .cell_seconds = 0.5, .spread = 0.2};
  simulated o;
  if (simulation_run(&s, &o) != LES_OK) fail_msg("%s", les_message());
  assert_true(o.tiles >= workers);
  if (!(o.idle >= 0 && o.idle <= 0.05)) fail_msg("%d workers are idle for %g of their time", workers, o.idle);
}

static void a_few_workers_are_busy(void **state) {
  (void)state;
  check(16, 500, 4);
  check(16, 500, 64);
  check(16, 4000, 64);
}

static void a_thousand_workers_are_busy(void **state) {
  (void)state;
  check(32, 10000, 1000);
  check(64, 20000, 1000);
}

static void ten_thousand_workers_are_busy(void **state) {
  (void)state;
  check(64, 100000, 10000);
  check(64, 200000, 10000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_few_workers_are_busy),
      cmocka_unit_test(a_thousand_workers_are_busy),
      cmocka_unit_test(ten_thousand_workers_are_busy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
