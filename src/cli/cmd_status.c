#include "cli.h"

int cmd_status(int argc, char **argv) {
  (void)argc, (void)argv;
  return cli_finish(les_fail(LES_FAILED, "status: not built yet"));
}
