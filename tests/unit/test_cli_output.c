#include "cli/cli.h"

#include "base/json.h"
#include "unit.h"

#include <sys/wait.h>

/* In the child: allocations of cJSON that still succeed. */
static int left;

static void *scarce(size_t bytes) {
  return left-- > 0 ? malloc(bytes) : NULL;
}

static void build_and_print(void) {
  static const double numbers[] = {1, 2, NAN};
  cJSON *doc = cJSON_CreateObject(), *results = les_json_add_array(doc, "results");
  les_json_add_string(doc, "model", "tiny");
  cJSON *item = les_json_add_object(results, NULL);
  les_json_add_number(item, "mean_nll", 0.5);
  les_json_add_bool(item, "complete", true);
  les_json_add_doubles(item, "attn", numbers, 3);
  les_json_add_ints(item, "tokens", NULL, 0);
  cli_print_json(doc);
}

/* Builds and prints a document in a process that has memory for `allocations` parts of it. Returns its exit
 * code and what it wrote to stdout and stderr. */
static int run(int allocations, char out[1024], char err[1024]) {
  int pipes[2][2];
  char *text[2] = {out, err};
  assert_int_equal(pipe(pipes[0]) | pipe(pipes[1]), 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(pipes[0][1], STDOUT_FILENO);
    dup2(pipes[1][1], STDERR_FILENO);
    left = allocations;
    cJSON_InitHooks(&(cJSON_Hooks){scarce, free});
    build_and_print();
    fflush(stdout);
    _exit(0);
  }
  for (int i = 0; i < 2; i++) {
    close(pipes[i][1]);
    size_t n = 0;
    for (ssize_t got; (got = read(pipes[i][0], text[i] + n, 1023 - n)) > 0;) n += (size_t)got;
    text[i][n] = 0;
    close(pipes[i][0]);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void a_document_is_printed_whole_or_not_at_all(void **state) {
  (void)state;
  char out[1024], err[1024];
  int n = 0;
  while (n < 1000 && run(n, out, err) == 1) {
    assert_string_equal(out, "");
    assert_string_equal(err, "lesion: out of memory for the JSON document\n");
    n++;
  }
  assert_in_range(n, 15, 100);
  assert_string_equal(err, "");
  assert_string_equal(out, "{\n\t\"results\":\t[{\n\t\t\t\"mean_nll\":\t0.5,\n\t\t\t\"complete\":\ttrue,\n"
                           "\t\t\t\"attn\":\t[1, 2, null],\n\t\t\t\"tokens\":\t[]\n\t\t}],\n"
                           "\t\"model\":\t\"tiny\"\n}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_document_is_printed_whole_or_not_at_all)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
