#include "result/schema.h"

#include <stdio.h>

les_dataset les_dataset_of_field(les_field_id id, bool baseline) {
  static const les_dataset_type types[] = {
      [LES_FIELD_F32] = LES_DATA_F32, [LES_FIELD_I32] = LES_DATA_I32, [LES_FIELD_U8] = LES_DATA_U8};
  const les_field *field = &les_fields[id];
  les_dataset d = {.type = types[field->type],
                   .n_dims = (baseline ? 1 : 2) + (field->extent != LES_EXTENT_ONE)};
  snprintf(d.path, sizeof d.path, "/%s/%s", baseline ? "baseline" : "cells", field->name);
  return d;
}
