/* A worker rank that is its own rank 0: it finds the messages that the test has sent before. */
#include "base/clock.h"
#include "ranks/pending_send.h"
#include "ranks/worker.h"
#include "ranks/worker_link.h"
#include "unit.h"

#include <sys/wait.h>

static les_team team;
static les_pending_send *sends;

static int open_suite(void **state) {
  (void)state;
  if (les_team_init(&team) != LES_OK) return -1;
  team.root = MPI_COMM_SELF;
  return 0;
}

static int close_suite(void **state) {
  (void)state;
  les_team_free(&team, 0);
  return 0;
}

static void put(int tag, const void *body, size_t bytes) {
  bool reached = false;
  assert_int_equal(les_pending_send_start(&sends, body, bytes, 0, tag, MPI_COMM_SELF, &reached), LES_OK);
  assert_true(reached);
}

/* Takes all messages that nobody has received; returns how many had the tag. */
static int drain(int tag) {
  static char body[1 << 14];
  int there, n = 0;
  MPI_Status m;
  while (MPI_Iprobe(0, MPI_ANY_TAG, MPI_COMM_SELF, &there, &m) == MPI_SUCCESS && there) {
    MPI_Recv(body, sizeof body, MPI_BYTE, 0, m.MPI_TAG, MPI_COMM_SELF, MPI_STATUS_IGNORE);
    n += m.MPI_TAG == tag;
  }
  for (double end = les_now() + 5; sends && les_now() < end;) les_pending_send_collect(&sends);
  assert_null(sends);
  return n;
}

static void put_welcome(void) {
  les_welcome w = {.pid = getpid(), .heartbeat = 1};
  gethostname(w.host, sizeof w.host - 1);
  put(LES_TAG_WELCOME, &w, sizeof w);
}

static les_status run(int *code) {
  return les_worker_run(&team, &(les_tile_runner){0}, &(les_grid){0}, code);
}

static void the_end_carries_the_exit_code(void **state) {
  (void)state;
  int code = 0;
  put_welcome();
  put(LES_TAG_END, &(les_end){.code = 75}, sizeof(les_end));
  assert_int_equal(run(&code), LES_OK);
  assert_int_equal(code, 75);
  assert_false(team.rank_died);
  assert_int_equal(drain(LES_TAG_READY), 1);
}

static void an_unknown_message_ends_the_worker(void **state) {
  (void)state;
  const int tags[] = {0, LES_TAG_ERROR + 1, 30000};
  for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
    int code = 0;
    put_welcome();
    put(tags[i], "x", 1);
    assert_int_equal(run(&code), LES_FAILED);
    assert_message("does not understand");
    drain(0);
  }
}

static void a_tile_of_too_many_cells_ends_the_worker(void **state) {
  (void)state;
  int code = 0;
  put_welcome();
  put(LES_TAG_TILE, &(les_tile_message){.tile = 1, .n = LES_TILE_CELLS + 1}, sizeof(les_tile_message));
  assert_int_equal(run(&code), LES_FAILED);
  assert_message("does not understand");
  drain(0);
}

static void a_cell_that_is_not_in_the_grid_ends_the_worker(void **state) {
  (void)state;
  int code = 0;
  put_welcome();
  put(LES_TAG_TILE, &(les_tile_message){.tile = 1, .n = 1, .cells = {{0, 3}}}, sizeof(les_tile_message));
  assert_int_equal(
      les_worker_run(&team, &(les_tile_runner){0}, &(les_grid){.n_lesions = 2, .n_columns = 3}, &code),
      LES_FAILED);
  assert_message("does not understand");
  drain(0);
}

static void a_failed_send_leaves_nothing_pending(void **state) {
  (void)state;
  const les_patience patience = {.silence = 30, .work = 100};
  les_worker_slot s = {.comm = MPI_COMM_SELF, .rank = 12345, .heard = les_now(), .since = les_now()};
  les_worker_link link = {.slots = &s, .n = 1};
  assert_int_equal(les_worker_link_send(&link, &s, LES_TAG_STOP, "x", 1), LES_OK);
  assert_null(link.pending);
  assert_non_null(strstr(les_worker_slot_diagnose(&s, &patience), "sending to a worker: MPI failed: "));
}

/* More memory than there is: rank 0's lack, not the worker's. */
static void a_message_without_memory_does_not_blame_the_worker(void **state) {
  (void)state;
  les_worker_slot s = {.comm = MPI_COMM_SELF, .rank = 0};
  les_worker_link link = {.slots = &s, .n = 1};
  assert_int_equal(les_worker_link_send(&link, &s, LES_TAG_STOP, "x", SIZE_MAX / 4), LES_FAILED);
  assert_message("out of memory for a message");
  assert_string_equal(s.unreachable, "");
  assert_null(link.pending);
}

static void a_worker_that_is_not_well_is_given_up(void **state) {
  (void)state;
  const les_patience patience = {.silence = 30, .work = 100};
  pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0);
  double now = les_now();
  const les_worker_slot well = {
      .state = LES_SLOT_BUSY, .pid = getpid(), .here = true, .heard = now, .since = now};
  struct {
    les_worker_slot slot;
    const char *why;
  } cases[] = {{well, NULL}, {well, "died"}, {well, "no message"}, {well, "no sign"}, {well, "stuck"}};
  cases[1].slot.pid = child;
  strcpy(cases[2].slot.unreachable, "no message arrives");
  cases[3].slot.heard = now - 31;
  cases[4].slot.since = now - 101;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_worker_slot *s = &cases[i].slot;
    const char *why = les_worker_slot_diagnose(s, &patience);
    assert_true(cases[i].why ? why && strstr(why, cases[i].why) : !why);
    les_worker_slot_excuse(s, 200); /* rank 0 slept: silence is not the worker's fault */
    assert_true((les_worker_slot_diagnose(s, &patience) != NULL) == (i == 1 || i == 2));
    s->local = true;
    assert_null(les_worker_slot_diagnose(s, &patience));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_end_carries_the_exit_code),
      cmocka_unit_test(an_unknown_message_ends_the_worker),
      cmocka_unit_test(a_tile_of_too_many_cells_ends_the_worker),
      cmocka_unit_test(a_cell_that_is_not_in_the_grid_ends_the_worker),
      cmocka_unit_test(a_failed_send_leaves_nothing_pending),
      cmocka_unit_test(a_message_without_memory_does_not_blame_the_worker),
      cmocka_unit_test(a_worker_that_is_not_well_is_given_up),
  };
  return cmocka_run_group_tests(tests, open_suite, close_suite);
}
