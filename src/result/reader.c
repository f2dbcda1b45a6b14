#include "result/reader.h"

#include "base/json.h"
#include "result/hdf5_file.h"
#include "result/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 1 << 20 };

static les_status read_attributes(les_result *r, const les_hdf5 *h) {
  int64_t schema, layers;
  LES_TRY(les_hdf5_attr_int(h, LES_ATTR_SCHEMA, &schema));
  if (schema != LES_SCHEMA)
    return les_fail(LES_FAILED, "%s: has schema %lld; this program reads schema %d", h->path,
                    (long long)schema, LES_SCHEMA);
  LES_TRY(les_hdf5_attr_int(h, LES_ATTR_MODEL_LAYERS, &layers));
  if (layers < 1 || layers > MOST_LAYERS)
    return les_fail(LES_FAILED, "%s: attribute '%s' is %lld", h->path, LES_ATTR_MODEL_LAYERS,
                    (long long)layers);
  r->n_layers = (int)layers;
  LES_TRY(les_hdf5_attr_int(h, LES_ATTR_CELLS_COMPUTED, &r->cells_computed));
  LES_TRY(les_hdf5_attr_string(h, LES_ATTR_MODEL_NAME, &r->model_name));
  LES_TRY(les_hdf5_attr_string(h, LES_ATTR_MODEL_SHA256, &r->model_sha256));
  LES_TRY(les_hdf5_attr_string(h, LES_ATTR_ARCHITECTURE, &r->arch));
  return les_hdf5_attr_string(h, LES_ATTR_COMPUTE, &r->compute);
}

static les_status read_job(les_result *r, const les_hdf5 *h) {
  char **job;
  cJSON *doc;
  LES_TRY(les_hdf5_read_strings(h, LES_DATA_JOB, 0, 1, &job));
  r->job = job[0];
  free(job);
  les_status s = les_json_parse(&doc, r->job, strlen(r->job), (les_json_source){LES_DATA_JOB, 1});
  if (s != LES_OK) return les_fail_in(s, "%s", h->path);
  const cJSON *generate = cJSON_GetObjectItemCaseSensitive(doc, "generate");
  s = les_json_get_int(generate, "max_new_tokens", h->path, 0, INT32_MAX, &r->max_new_tokens);
  r->samples = 1;
  if (s == LES_OK) s = les_json_get_int(generate, "samples", h->path, 1, INT32_MAX, &r->samples);
  cJSON_Delete(doc);
  return s == LES_USAGE ? LES_FAILED : s; /* a damaged file */
}

/* What a file made before it was stored says of its lesions by their specs alone. */
static les_status derive_from_specs(les_result *r) {
  size_t n = (size_t)r->n_lesions;
  r->lesion_families = calloc(n, sizeof *r->lesion_families);
  r->lesion_operations = calloc(n, sizeof *r->lesion_operations);
  r->lesion_parts = calloc(n, sizeof *r->lesion_parts);
  if (!r->lesion_families || !r->lesion_operations || !r->lesion_parts)
    return les_no_memory("the lesions of %s", r->path);
  for (size_t i = 0; i < n; i++) {
    LES_TRY(les_spec_family(r->lesion_specs[i], r->lesion_layers[i], &r->lesion_families[i]));
    LES_TRY(les_spec_target(r->lesion_specs[i], &r->lesion_operations[i], &r->lesion_parts[i]));
  }
  return LES_OK;
}

static les_status read_lesions(les_result *r, const les_hdf5 *h) {
  LES_TRY(les_hdf5_shape(h, LES_DATA_LESION_SPEC, 1, &r->n_lesions));
  LES_TRY(les_hdf5_read_strings(h, LES_DATA_LESION_SPEC, 1, r->n_lesions, &r->lesion_specs));
  LES_TRY(
      les_hdf5_read(h, LES_DATA_LESION_LAYER, LES_FIELD_I32, 1, &r->n_lesions, (void **)&r->lesion_layers));
  LES_TRY(les_hdf5_read(h, LES_DATA_LESION_DONE, LES_FIELD_U8, 1, &r->n_lesions, (void **)&r->lesion_done));
  for (int i = 0; i < r->n_lesions; i++)
    if (r->lesion_layers[i] < -1 || r->lesion_layers[i] >= r->n_layers)
      return les_fail(LES_FAILED, "%s: lesion '%s' is on layer %d of a model of %d", h->path,
                      r->lesion_specs[i], r->lesion_layers[i], r->n_layers);
  if (!les_hdf5_has(h, LES_DATA_LESION_FAMILY)) return derive_from_specs(r);
  LES_TRY(les_hdf5_read_strings(h, LES_DATA_LESION_FAMILY, 1, r->n_lesions, &r->lesion_families));
  LES_TRY(les_hdf5_read_strings(h, LES_DATA_LESION_OPERATION, 1, r->n_lesions, &r->lesion_operations));
  return les_hdf5_read_strings(h, LES_DATA_LESION_PART, 1, r->n_lesions, &r->lesion_parts);
}

/* True if `id` is "X#2" after "X#1", "X#3" after "X#2" and so on. */
static bool is_further_sample(const char *before, const char *id) {
  const char *mark = strrchr(id, '#');
  int number = mark ? atoi(mark + 1) : 0;
  char previous[32];
  if (number < 2) return false;
  snprintf(previous, sizeof previous, "#%d", number - 1);
  size_t n = (size_t)(mark - id);
  return !strncmp(before, id, n) && !strcmp(before + n, previous);
}

static les_status find_samples(les_result *r, const les_hdf5 *h) {
  char **ids;
  if (r->samples == 1) return LES_OK;
  LES_TRY(les_hdf5_read_strings(h, LES_DATA_PROMPT_ID, 1, r->n_prompts, &ids));
  r->further_sample = calloc((size_t)r->n_prompts, sizeof *r->further_sample);
  for (int p = 1; r->further_sample && p < r->n_prompts; p++)
    r->further_sample[p] = is_further_sample(ids[p - 1], ids[p]);
  les_hdf5_strings_free(ids, r->n_prompts);
  return r->further_sample ? LES_OK : les_no_memory("the prompts of %s", r->path);
}

static les_status read_cells(les_result *r, const les_hdf5 *h) {
  LES_TRY(les_hdf5_shape(h, LES_DATA_PROMPT_ID, 1, &r->n_prompts));
  LES_TRY(les_hdf5_read_strings(h, LES_DATA_PROMPT_DOMAIN, 1, r->n_prompts, &r->prompt_domains));
  LES_TRY(find_samples(r, h));
  const int shape[] = {r->n_lesions, r->n_prompts};
  return les_hdf5_read(h, LES_DATA_CELL_STATUS, LES_FIELD_U8, 2, shape, (void **)&r->status);
}

static void find_fields(les_result *r, const les_hdf5 *h) {
  char path[LES_PATH_BYTES];
  for (int i = 0; i < LES_N_FIELDS; i++) {
    les_field_path((les_field_id)i, false, path);
    r->has[i] = les_fields[i].extent == LES_EXTENT_ONE && les_hdf5_has(h, path);
  }
}

static les_status read_result(les_result *r) {
  les_hdf5 h;
  les_status s;
  LES_GOTO(s, les_hdf5_init(&h, r->path, LES_HDF5_READ), end);
  LES_GOTO(s, read_attributes(r, &h), end);
  LES_GOTO(s, read_job(r, &h), end);
  LES_GOTO(s, read_lesions(r, &h), end);
  LES_GOTO(s, read_cells(r, &h), end);
  find_fields(r, &h);
end:
  les_hdf5_free(&h);
  return s;
}

les_status les_result_open(les_result **out, const char *path) {
  *out = NULL;
  les_result *r = calloc(1, sizeof *r);
  if (!r || !(r->path = strdup(path))) {
    free(r);
    return les_no_memory("the result file %s", path);
  }
  les_status s = read_result(r);
  if (s != LES_OK) les_result_close(&r);
  *out = r;
  return s;
}

void les_result_close(les_result **result) {
  les_result *r = *result;
  if (!r) return;
  char **of_lesions[] = {r->lesion_specs, r->lesion_families, r->lesion_operations, r->lesion_parts};
  for (size_t i = 0; i < sizeof of_lesions / sizeof *of_lesions; i++)
    les_hdf5_strings_free(of_lesions[i], r->n_lesions);
  les_hdf5_strings_free(r->prompt_domains, r->n_prompts);
  void *rest[] = {r->path,       r->job,          r->lesion_layers, r->lesion_done, r->status,
                  r->model_name, r->model_sha256, r->arch,          r->compute,     r->further_sample};
  for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) free(rest[i]);
  free(r);
  *result = NULL;
}

static les_status read_field(const les_result *r, les_field_id id, bool baseline, void **raw) {
  les_hdf5 h;
  char path[LES_PATH_BYTES];
  const int shape[] = {r->n_lesions, r->n_prompts};
  les_field_path(id, baseline, path);
  les_status s = les_hdf5_init(&h, r->path, LES_HDF5_READ);
  if (s == LES_OK && !les_hdf5_has(&h, path))
    s = les_fail(LES_FAILED, "%s: has no data set %s; the job did not ask for this measure", r->path, path);
  if (s == LES_OK) s = les_hdf5_read(&h, path, les_fields[id].type, 2 - baseline, shape + baseline, raw);
  les_hdf5_free(&h);
  return s;
}

/* A negative integer stands for a value that was not computed. */
static double value_at(les_field_type type, const void *raw, size_t i) {
  if (type == LES_FIELD_F32) return (double)((const float *)raw)[i];
  if (type == LES_FIELD_U8) return ((const uint8_t *)raw)[i];
  int32_t value = ((const int32_t *)raw)[i];
  return value < 0 ? NAN : value;
}

static les_status read_doubles(const les_result *r, const char *name, bool baseline, double **values) {
  void *raw = NULL;
  int id = les_field_find(name);
  *values = NULL;
  if (id < 0 || les_fields[id].extent != LES_EXTENT_ONE)
    return les_fail(LES_FAILED, "%s: '%s' is no measure with one value a cell", r->path, name);
  LES_TRY(read_field(r, (les_field_id)id, baseline, &raw));
  size_t n = (size_t)r->n_prompts * (baseline ? 1 : (size_t)r->n_lesions);
  *values = malloc(n * sizeof **values);
  for (size_t i = 0; *values && i < n; i++) (*values)[i] = value_at(les_fields[id].type, raw, i);
  free(raw);
  return *values ? LES_OK : les_no_memory("%s of %s", name, r->path);
}

les_status les_result_field(const les_result *r, const char *name, double **values) {
  return read_doubles(r, name, false, values);
}

les_status les_result_baseline(const les_result *r, const char *name, double **values) {
  return read_doubles(r, name, true, values);
}

bool les_result_has(const les_result *r, const char *name) {
  int id = les_field_find(name);
  return id >= 0 && r->has[id];
}
