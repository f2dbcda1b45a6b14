#include "result/spec.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char layer_characters[] = "0123456789,-*";

les_status les_spec_family(const char *spec, int layer, char **family) {
  char number[16];
  size_t digits = (size_t)snprintf(number, sizeof number, "%d", layer);
  char *out = *family = malloc(5 * strlen(spec) + 1);
  if (!out) return les_no_memory("the family of lesion '%s'", spec);
  while (*spec) {
    bool here =
        *spec == '@' && strspn(spec + 1, layer_characters) == digits && !memcmp(spec + 1, number, digits);
    *out++ = *spec++;
    if (!here) continue;
    out = stpcpy(out, "each");
    spec += digits;
  }
  *out = 0;
  return LES_OK;
}

les_status les_spec_target(const char *spec, char **operation, char **part) {
  const char *at = strchr(spec, '@');
  *part = NULL;
  if (!at || strchr(at + 1, '@')) { /* an edit has one '@'; '+' may also stand in a number */
    *operation = strdup(at ? "several" : "none");
    if (*operation) *part = strdup(*operation);
  } else {
    const char *name = at + 1 + strspn(at + 1, layer_characters);
    *operation = strndup(spec, (size_t)(at - spec));
    *part = *name == '.' ? strndup(name + 1, strcspn(name + 1, ":")) : strdup("block");
  }
  if (*operation && *part) return LES_OK;
  free(*operation);
  free(*part);
  *operation = *part = NULL;
  return les_no_memory("what lesion '%s' does", spec);
}
