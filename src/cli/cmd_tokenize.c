#include "cli.h"

int cmd_tokenize(int argc, char **argv) {
  (void)argc, (void)argv;
  return cli_finish(les_fail(LES_FAILED, "tokenize: not built yet"));
}
