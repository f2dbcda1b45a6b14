#include "schema.h"

#include <stdio.h>
#include <string.h>

const char *const les_dim_names[LES_N_DIMS] = {"/lesion", "/prompt", "/token", "/layer"};

static const les_dataset descriptions[] = {
    {LES_DATA_JOB, LES_DATA_STRING, 0, {0}, -1},
    {LES_DATA_LESION_SPEC, LES_DATA_STRING, 1, {LES_DIM_LESION}, -1},
    {LES_DATA_LESION_LAYER, LES_DATA_I32, 1, {LES_DIM_LESION}, -1},
    {LES_DATA_LESION_DONE, LES_DATA_U8, 1, {LES_DIM_LESION}, -1},
    {LES_DATA_PROMPT_ID, LES_DATA_STRING, 1, {LES_DIM_PROMPT}, -1},
    {LES_DATA_PROMPT_DOMAIN, LES_DATA_STRING, 1, {LES_DIM_PROMPT}, -1},
    {LES_DATA_PROMPT_TEXT, LES_DATA_STRING, 1, {LES_DIM_PROMPT}, -1},
    {LES_DATA_BASELINE_STATUS, LES_DATA_U8, 1, {LES_DIM_PROMPT}, -1},
    {LES_DATA_CELL_STATUS, LES_DATA_U8, 2, {LES_DIM_LESION, LES_DIM_PROMPT}, -1},
};
enum { n_descriptions = sizeof descriptions / sizeof *descriptions };

les_dataset les_dataset_of_field(les_field_id id, bool baseline) {
  static const les_dataset_type types[] = {
      [LES_FIELD_F32] = LES_DATA_F32, [LES_FIELD_I32] = LES_DATA_I32, [LES_FIELD_U8] = LES_DATA_U8};
  const les_field *field = &les_fields[id];
  les_dataset d = {.type = types[field->type], .field = id};
  snprintf(d.path, sizeof d.path, "/%s/%s", baseline ? "baseline" : "cells", field->name);
  if (!baseline) d.dims[d.n_dims++] = LES_DIM_LESION;
  d.dims[d.n_dims++] = LES_DIM_PROMPT;
  if (field->extent == LES_EXTENT_TOKENS) d.dims[d.n_dims++] = LES_DIM_TOKEN;
  if (field->extent == LES_EXTENT_LAYERS) d.dims[d.n_dims++] = LES_DIM_LAYER;
  return d;
}

int les_dataset_list(const les_record_layout *layout, les_dataset out[LES_MAX_DATASETS]) {
  int n = n_descriptions;
  memcpy(out, descriptions, sizeof descriptions);
  for (int i = 0; i < LES_N_FIELDS; i++) {
    if (!layout->has[i]) continue;
    if (les_fields[i].baseline) out[n++] = les_dataset_of_field((les_field_id)i, true);
    out[n++] = les_dataset_of_field((les_field_id)i, false);
  }
  return n;
}
