#include "cli.h"

int cmd_inspect(int argc, char **argv) {
  (void)argc, (void)argv;
  return cli_finish(les_fail(LES_FAILED, "inspect: not built yet"));
}
