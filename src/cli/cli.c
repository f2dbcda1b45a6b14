#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

const char *cli_cache_dir(void) {
  static char dir[4096];
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  int n = cache && *cache == '/' ? snprintf(dir, sizeof dir, "%s/lesion", cache)
          : home && *home == '/' ? snprintf(dir, sizeof dir, "%s/.cache/lesion", home)
                                 : -1;
  return n > 0 && (size_t)n < sizeof dir ? dir : NULL;
}
