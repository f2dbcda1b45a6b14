#include "comm/mpi_check.h"
#include "ranks/team.h"
#include "store/store.h"
#include "store/store_create.h"
#include "store/store_file.h"
#include "unit.h"
#include "watch/lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { LESIONS = 3, PROMPTS = 5, TOKENS = 4, LAYERS = 3 };

static les_team team;
static char folder[64], path[128];

/* A study with all it takes to lay out a file; no model is loaded. */
static les_job job = {.max_new_tokens = TOKENS, .compute = LES_COMPUTE_F32};
static les_model model = {
    .name = "a model", .arch = "llama", .sha256 = "aa", .hparams = {.n_layers = LAYERS}};
static les_lesion lesions[LESIONS] = {
    {.spec = "skip@0", .layer = 0}, {.spec = "skip@1", .layer = 1}, {.spec = "skip@2", .layer = 2}};
static les_column columns[PROMPTS] = {{.id = "a", .domain = "d", .text = "one"},
                                      {.id = "b", .domain = "d", .text = "two"},
                                      {.id = "c", .domain = "d", .text = "thr\xc3\xa9\xc3\xa9"},
                                      {.id = "d", .domain = "e", .text = ""},
                                      {.id = "e", .domain = "e", .text = "five"}};
static les_study study = {.job = &job,
                          .model = &model,
                          .columns = {.items = columns, .n = PROMPTS},
                          .prompts = {.sha256 = "bb"},
                          .lesions = {.items = lesions, .n = LESIONS},
                          .json = "{\"a\":1}"};

static int open_suite(void **state) {
  (void)state;
  const char *groups[] = {"jaccard", "kl"};
  if (les_team_init(&team) != LES_OK || scratch_open(folder) != 0) return -1;
  snprintf(path, sizeof path, "%s/run.h5", folder);
  return les_record_layout_compute(&study.layout, groups, 2, TOKENS, LAYERS) == LES_OK ? 0 : -1;
}

static int close_suite(void **state) {
  (void)state;
  les_team_free(&team, 0);
  return 0;
}

static les_store *fresh(void) {
  les_store *s;
  unlink(path);
  assert_int_equal(les_store_create(path, &study), LES_OK);
  assert_int_equal(les_store_open(&s, path, &study), LES_OK);
  return s;
}

/* A record with a different value in every field, by cell. */
static void put(les_store *s, les_cell cell) {
  unsigned char record[4096];
  assert_true(study.layout.bytes <= sizeof record);
  les_record_clear(&study.layout, record);
  float value = (float)(cell.lesion * 10 + cell.column);
  memcpy(record + study.layout.offset[LES_FIELD_JACCARD], &value, sizeof value);
  memcpy(record + study.layout.offset[LES_FIELD_LENGTH], &(int32_t){1000 + 100 * cell.lesion + cell.column},
         sizeof(int32_t));
  assert_int_equal(les_store_put(s, cell, record), LES_OK);
}

static void put_all(les_store *s) {
  for (int l = -1; l < LESIONS; l++)
    for (int p = 0; p < PROMPTS; p++) put(s, (les_cell){l, p});
  for (int l = 0; l < LESIONS; l++) assert_int_equal(les_store_checkpoint(s, l), LES_OK);
}

static les_grid *verified(les_store *s, int *damaged_lesions, int64_t *damaged_cells) {
  les_grid *g;
  assert_int_equal(les_grid_open(&g, LESIONS, PROMPTS), LES_OK);
  assert_int_equal(les_store_verify(s, g, damaged_lesions, damaged_cells), LES_OK);
  return g;
}

/* Changes one byte of the first place where `n` bytes stand in the file. */
static void flip(const void *bytes, size_t n, size_t which) {
  static char data[1 << 20];
  int fd = open(path, O_RDWR);
  ssize_t size = read(fd, data, sizeof data);
  char *at = size > 0 ? memmem(data, (size_t)size, bytes, n) : NULL;
  assert_non_null(at);
  char changed = (char)(at[which] ^ 1);
  assert_int_equal(pwrite(fd, &changed, 1, at - data + (off_t)which), 1);
  close(fd);
}

static void what_is_written_is_there_again(void **state) {
  (void)state;
  int lesions_bad;
  int64_t cells_bad;
  les_store *s = fresh();
  put(s, (les_cell){-1, 4});
  put(s, (les_cell){1, 2});
  assert_int_equal(les_store_put_failed(s, (les_cell){2, 0}), LES_OK);
  les_store_close(&s);

  assert_int_equal(les_store_match(path, &study), LES_OK);
  assert_int_equal(les_store_open(&s, path, &study), LES_OK);
  les_grid *g = verified(s, &lesions_bad, &cells_bad);
  assert_int_equal(lesions_bad + cells_bad, 0);
  assert_int_equal(les_grid_get(g, (les_cell){-1, 4}), LES_CELL_DONE);
  assert_int_equal(les_grid_get(g, (les_cell){1, 2}), LES_CELL_DONE);
  assert_int_equal(les_grid_get(g, (les_cell){2, 0}), LES_CELL_FAILED);
  assert_int_equal(g->todo, (LESIONS + 1) * PROMPTS - 3);
  les_grid_close(&g);
  les_store_close(&s);
}

static void the_mean_leaves_nan_out(void **state) {
  (void)state;
  const char *name;
  double mean;
  les_store *s = fresh();
  for (int p = 0; p < 3; p++) put(s, (les_cell){1, p});
  assert_int_equal(les_store_mean(s, 1, &name, &mean), LES_OK);
  assert_string_equal(name, "jaccard");
  assert_near(mean, 11, 0);
  les_store_close(&s);
}

static void damage_in_a_completed_lesion_resets_it(void **state) {
  (void)state;
  int lesions_bad;
  int64_t cells_bad;
  les_store *s = fresh();
  put_all(s);
  les_grid *g = verified(s, &lesions_bad, &cells_bad);
  assert_int_equal(lesions_bad + cells_bad, 0);
  assert_int_equal(g->todo, 0);
  les_grid_close(&g);

  flip((float[]){10, 11, 12, 13, 14}, 5 * sizeof(float), 6); /* a value of lesion 1 */
  g = verified(s, &lesions_bad, &cells_bad);
  assert_int_equal(lesions_bad, 1);
  assert_int_equal(cells_bad, 0);
  assert_int_equal(g->left[1], PROMPTS);
  assert_int_equal(g->todo, PROMPTS);
  les_grid_close(&g);
  les_store_close(&s);
}

static void damage_in_an_intact_run_resets_that_run(void **state) {
  (void)state;
  int lesions_bad;
  int64_t cells_bad;
  les_store *s = fresh();
  put_all(s);
  flip((int32_t[]){900, 901, 902, 903, 904}, 5 * sizeof(int32_t), 4); /* /baseline/length */
  les_grid *g = verified(s, &lesions_bad, &cells_bad);
  assert_int_equal(lesions_bad + cells_bad, 1);
  les_grid_close(&g);
  les_store_close(&s);
}

/* The first value that differs, as it is in the file and in the job. */
static void another_job_is_refused_by_name(void **state) {
  (void)state;
  static const struct {
    char *json;
    const char *words;
  } cases[] = {
      {"{\"a\":2}", "'a' is 1 there and 2 here"},
      {"{}", "'a' is 1 there and not set here"},
      {"{\"a\":1,\"b\":[\"x\"]}", "'b' is not set there and [\"x\"] here"},
      {"{\"a\":{\"c\":true}}", "'a' is 1 there and {\"c\":true} here"},
      {"not JSON", "'/job' is "},
  };
  les_store *s = fresh();
  les_store_close(&s);
  les_study other = study;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    other.json = cases[i].json;
    assert_int_equal(les_store_match(path, &other), LES_FAILED);
    assert_message(cases[i].words);
  }
}

static void other_files_are_refused(void **state) {
  (void)state;
  char other[128], link[160];
  bool exists;
  assert_int_equal(scratch_write(folder, "text", "no result", 9, other), 0);
  assert_int_equal(les_store_match(other, &study), LES_FAILED);
  assert_message("HDF5");
  snprintf(link, sizeof link, "%s/link.h5", folder);
  assert_int_equal(symlink(other, link), 0);
  assert_int_equal(les_store_exists(link, &exists), LES_FAILED);
  assert_message("link");
  assert_int_equal(les_store_exists(folder, &exists), LES_FAILED);
}

static void the_history_is_written_in_place(void **state) {
  (void)state;
  les_store_history h, again;
  struct stat before, after;
  les_store *s = fresh();
  les_store_close(&s);
  stat(path, &before);
  assert_int_equal(les_store_get_history(path, &h), LES_OK);
  assert_int_equal(h.starts, 0);
  h.starts = 3;
  h.cells_computed = 77;
  strcpy(h.hosts, "node1,node2");
  assert_int_equal(les_store_set_history(path, &h), LES_OK);
  assert_int_equal(les_store_get_history(path, &again), LES_OK);
  assert_memory_equal(&h, &again, sizeof h);
  stat(path, &after);
  assert_int_equal(before.st_size, after.st_size);
}

/* The file is its owner's umask's, and appears under its name only when it is whole. */
static void the_umask_holds(void **state) {
  (void)state;
  struct stat s;
  mode_t old = umask(027);
  les_store *store = fresh();
  umask(old);
  les_store_close(&store);
  assert_int_equal(stat(path, &s), 0);
  assert_int_equal(s.st_mode & 0777, 0640);
}

static void a_second_sweep_is_locked_out(void **state) {
  (void)state;
  les_lock *first, *second, *member;
  assert_int_equal(les_lock_take(&first, path, 0), LES_OK);
  assert_int_equal(les_lock_join(&member, path), LES_OK);
  assert_int_equal(les_lock_take(&second, path, 0), LES_FAILED);
  assert_message("another sweep");
  les_lock_close(&first, false);
  assert_int_equal(les_lock_take(&second, path, 0), LES_FAILED); /* a rank of the first still lives */
  les_lock_close(&member, false);
  assert_int_equal(les_lock_take(&second, path, 0), LES_OK);
  les_lock_close(&second, true);
}

static les_status send_to_nobody(void) {
  LES_TRY_MPI(MPI_Send(NULL, 0, MPI_INT, 12345, 0, MPI_COMM_WORLD), "sending a test");
  return LES_OK;
}

static void a_failure_of_mpi_is_a_failure_like_others(void **state) {
  (void)state;
  assert_int_equal(les_mpi_check(MPI_SUCCESS, "nothing"), LES_OK);
  assert_int_equal(send_to_nobody(), LES_FAILED);
  assert_message("sending a test: MPI failed: ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_there_again),
      cmocka_unit_test(the_mean_leaves_nan_out),
      cmocka_unit_test(damage_in_a_completed_lesion_resets_it),
      cmocka_unit_test(damage_in_an_intact_run_resets_that_run),
      cmocka_unit_test(another_job_is_refused_by_name),
      cmocka_unit_test(other_files_are_refused),
      cmocka_unit_test(the_history_is_written_in_place),
      cmocka_unit_test(the_umask_holds),
      cmocka_unit_test(a_second_sweep_is_locked_out),
      cmocka_unit_test(a_failure_of_mpi_is_a_failure_like_others),
  };
  return cmocka_run_group_tests(tests, open_suite, close_suite);
}
