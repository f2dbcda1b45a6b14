#include "cli.h"

int cmd_sweep(int argc, char **argv) {
  (void)argc, (void)argv;
  return cli_finish(les_fail(LES_FAILED, "sweep: not built yet"));
}
