#include "cli.h"

int cmd_map(int argc, char **argv) {
  (void)argc, (void)argv;
  return cli_finish(les_fail(LES_FAILED, "map: not built yet"));
}
