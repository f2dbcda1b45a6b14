/* Names and small facts that creating and opening the result file share. */
#ifndef LES_STORE_NAMES_H
#define LES_STORE_NAMES_H

#include <stdbool.h>
#include <stdio.h>

#define LES_STORE_DONE "/lesions/done"
#define LES_STORE_SHA  "/lesions/sha256"

enum { LES_STORE_NAME_BYTES = 64, LES_STORE_SHA_BYTES = 64 };

/* "/cells/NAME" or "/baseline/NAME". */
static inline void les_store_name(char path[LES_STORE_NAME_BYTES], bool baseline, const char *name) {
  snprintf(path, LES_STORE_NAME_BYTES, "%s/%s", baseline ? "/baseline" : "/cells", name);
}

#endif
