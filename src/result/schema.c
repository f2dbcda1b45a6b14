#include "result/schema.h"

#include <stdio.h>

void les_field_path(les_field_id field, bool baseline, char path[LES_PATH_BYTES]) {
  snprintf(path, LES_PATH_BYTES, "/%s/%s", baseline ? "baseline" : "cells", les_fields[field].name);
}
