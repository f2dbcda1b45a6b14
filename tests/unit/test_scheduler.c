#include "grid/scheduler.h"
#include "unit.h"

static les_grid *grid;
static les_sched *sched;

static void begin(int lesions, int prompts, int workers) {
  assert_int_equal(les_grid_open(&grid, lesions, prompts), LES_OK);
  assert_int_equal(les_sched_open(&sched, grid, workers), LES_OK);
}

static void end(void) {
  les_sched_close(&sched);
  les_grid_close(&grid);
}

static les_tile *next(int worker) {
  les_tile *t;
  assert_int_equal(les_sched_next(sched, worker, &t), LES_OK);
  return t;
}

static void finish(les_tile *t) {
  for (int i = 0; i < t->n; i++) assert_true(les_grid_set(grid, t->cells[i], LES_CELL_DONE));
  assert_int_equal(les_sched_end(sched, t), LES_OK);
}

/* Every cell is handed out exactly once, whatever the shape (finish fails on a second time). */
static void all_cells_once(void **state) {
  (void)state;
  static const int shapes[][3] = {{1, 1, 1}, {5, 10, 1}, {5, 10, 3}, {16, 700, 4}, {3, 2, 50}, {200, 1, 7}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    begin(shapes[i][0], shapes[i][1], shapes[i][2]);
    int worker = 0;
    for (les_tile *t; (t = next(worker)); worker = (worker + 1) % shapes[i][2]) {
      assert_in_range(t->n, 1, LES_TILE_CELLS);
      finish(t);
    }
    assert_int_equal(grid->todo, 0);
    end();
  }
}

static void finished_cells_are_left_out(void **state) {
  (void)state;
  assert_int_equal(les_grid_open(&grid, 4, 9), LES_OK);
  for (int p = 0; p < 9; p += 2) les_grid_set(grid, (les_cell){2, p}, LES_CELL_DONE);
  for (int l = LES_INTACT; l < 4; l++) les_grid_set(grid, (les_cell){l, 3}, LES_CELL_FAILED);
  assert_int_equal(les_sched_open(&sched, grid, 2), LES_OK);
  for (les_tile *t; (t = next(0));) finish(t);
  assert_int_equal(grid->todo, 0);
  end();
}

static void tiles_get_smaller(void **state) {
  (void)state;
  begin(16, 400, 4);
  les_sched_limit(sched, 1e9);
  int first = 0, last = 0, worker = 0;
  for (les_tile *t; (t = next(worker)); worker = (worker + 1) % 4) {
    if (!first) first = t->n;
    last = t->n;
    finish(t);
  }
  assert_true(first > 100);
  assert_true(last <= 8);
  end();
}

/* Before anything is known of the speed, and when it is known to be low, tiles are no more than a good batch.
 */
static void costly_tiles_are_kept_short(void **state) {
  (void)state;
  begin(16, 400, 1);
  for (int i = 0; i < 3; i++) {
    les_tile *t = next(0);
    assert_int_equal(t->n, 128);
    assert_near(t->cost, 128, 0);
    les_sched_limit(sched, 10);
    finish(t);
  }
  les_sched_limit(sched, 200);
  les_tile *t = next(0);
  assert_in_range(t->n, 200, 327); /* what is left of its prompts would be too little for a tile */
  finish(t);
  end();
  begin(16, 60, 1);
  for (les_tile *last; (last = next(0));) { /* nor is less than that left over in the end */
    assert_in_range(last->n, 128, 255);
    les_sched_limit(sched, 10);
    finish(last);
  }
  end();
}

/* With as many prompts as fit, the workers share no prompt until the end, and intact runs come first. */
static void a_prompt_stays_with_its_worker(void **state) {
  (void)state;
  enum { workers = 4, prompts = 40 };
  int owner[prompts], shared = 0;
  memset(owner, -1, sizeof owner);
  begin(20, prompts, workers);
  int worker = 0;
  for (les_tile *t; (t = next(worker)); worker = (worker + 1) % workers) {
    for (int i = 0; i < t->n; i++) {
      int *o = &owner[t->cells[i].column];
      if (*o < 0) assert_int_equal(t->cells[i].lesion, -1);
      if (*o < 0) *o = worker;
      shared += *o != worker;
    }
    finish(t);
  }
  assert_in_range(shared, 0, 20 * prompts / 10);
  end();
}

static void lesions_complete_one_after_another(void **state) {
  (void)state;
  begin(30, 64, 3);
  int worker = 0, complete = 0;
  for (les_tile *t; (t = next(worker)); worker = (worker + 1) % 3) {
    finish(t);
    while (complete < 30 && grid->left[complete] == 0) complete++;
    for (int l = complete + 20; l < 30; l++) assert_int_equal(grid->left[l], 64);
  }
  assert_int_equal(complete, 30);
  end();
}

static void a_stopped_tile_comes_back(void **state) {
  (void)state;
  begin(2, 6, 1);
  les_tile *t = next(0);
  assert_int_equal(t->n, 18);
  les_grid_set(grid, t->cells[0], LES_CELL_DONE);
  assert_int_equal(les_sched_end(sched, t), LES_OK);
  t = next(0);
  assert_int_equal(t->n, 17);
  finish(t);
  assert_null(next(0));
  end();
}

/* One cell kills every worker that gets it: the others are computed, it is given up, and it costs few lives.
 */
static void a_deadly_cell_is_found(void **state) {
  (void)state;
  const les_cell deadly = {3, 17};
  les_cell failed;
  bool give_up = false;
  int deaths = 0;
  begin(6, 60, 1);
  for (les_tile *t; !give_up && (t = next(0));) {
    int at = -1;
    for (int i = 0; i < t->n; i++)
      if (t->cells[i].lesion == deadly.lesion && t->cells[i].column == deadly.column) at = i;
    if (at < 0) {
      finish(t);
      continue;
    }
    deaths++;
    assert_int_equal(les_sched_lost(sched, t, &failed, &give_up), LES_OK);
  }
  assert_true(give_up);
  assert_int_equal(les_grid_index(grid, failed), les_grid_index(grid, deadly));
  assert_in_range(deaths, 2, 12);
  les_grid_set(grid, failed, LES_CELL_FAILED);
  for (les_tile *t; (t = next(0));) finish(t);
  assert_int_equal(grid->todo, 0);
  end();
}

/* Two deaths by chance on one tile give up no cell. */
static void chance_deaths_fail_nothing(void **state) {
  (void)state;
  les_cell failed;
  bool give_up;
  begin(4, 30, 2);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(les_sched_lost(sched, next(i), &failed, &give_up), LES_OK);
    assert_false(give_up);
  }
  for (les_tile *t; (t = next(1));) finish(t);
  assert_int_equal(grid->todo, 0);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_cells_once),
      cmocka_unit_test(finished_cells_are_left_out),
      cmocka_unit_test(tiles_get_smaller),
      cmocka_unit_test(costly_tiles_are_kept_short),
      cmocka_unit_test(a_prompt_stays_with_its_worker),
      cmocka_unit_test(lesions_complete_one_after_another),
      cmocka_unit_test(a_stopped_tile_comes_back),
      cmocka_unit_test(a_deadly_cell_is_found),
      cmocka_unit_test(chance_deaths_fail_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
