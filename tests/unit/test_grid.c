#include "grid/grid.h"
#include "unit.h"

static void counts_follow_states(void **state) {
  (void)state;
  les_grid *g;
  assert_int_equal(les_grid_open(&g, 3, 4), LES_OK);
  assert_int_equal(g->todo, 16);
  assert_int_equal(les_grid_total(g), 12);

  assert_true(les_grid_set(g, (les_cell){LES_INTACT, 2}, LES_CELL_DONE));
  assert_int_equal(g->todo, 15);
  assert_int_equal(g->done, 0); /* an intact run is no cell of a lesion */

  assert_true(les_grid_set(g, (les_cell){1, 2}, LES_CELL_DONE));
  assert_false(les_grid_set(g, (les_cell){1, 2}, LES_CELL_DONE));
  assert_true(les_grid_set(g, (les_cell){1, 3}, LES_CELL_FAILED));
  assert_int_equal(g->done, 1);
  assert_int_equal(g->failed, 1);
  assert_int_equal(g->left[1], 2);
  assert_int_equal(g->left[0], 4);

  assert_true(les_grid_set(g, (les_cell){1, 3}, LES_CELL_TODO));
  assert_int_equal(g->failed, 0);
  assert_int_equal(g->left[1], 3);
  les_grid_close(&g);
  assert_null(g);
}

static void index_and_cell_are_inverse(void **state) {
  (void)state;
  les_grid g = {.n_lesions = 5, .n_columns = 7};
  for (int32_t i = 0; i < 6 * 7; i++) assert_int_equal(les_grid_index(&g, les_grid_cell(&g, i)), i);
  assert_int_equal(les_grid_cell(&g, 0).lesion, LES_INTACT);
  assert_true(les_grid_has(&g, les_grid_cell(&g, 0)) && les_grid_has(&g, les_grid_cell(&g, 6 * 7 - 1)));
  const les_cell outside[] = {{LES_INTACT - 1, 0}, {g.n_lesions, 0}, {0, -1}, {0, g.n_columns}};
  for (int i = 0; i < 4; i++) assert_false(les_grid_has(&g, outside[i]));
}

static void refuses_what_it_cannot_count(void **state) {
  (void)state;
  les_grid *g;
  assert_int_equal(les_grid_open(&g, 0, 4), LES_FAILED);
  assert_int_equal(les_grid_open(&g, 100000, 100000), LES_FAILED);
  assert_null(g);
  assert_message("100000 lesions");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_follow_states),
      cmocka_unit_test(index_and_cell_are_inverse),
      cmocka_unit_test(refuses_what_it_cannot_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
