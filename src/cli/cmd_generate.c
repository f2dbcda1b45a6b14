#include "cli.h"

int cmd_generate(int argc, char **argv) {
  (void)argc, (void)argv;
  return cli_finish(les_fail(LES_FAILED, "generate: not built yet"));
}
