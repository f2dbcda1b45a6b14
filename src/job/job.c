#include "job/job.h"

#include "base/json.h"
#include "base/path.h"
#include "base/text.h"
#include "measure/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NEW_TOKENS = 1 << 24, MOST_SAMPLES = 10000 };

static const char *const job_keys[] = {"about",       "model",  "prompts", "lesions", "generate",
                                       "measures",    "output", "compute", "seed",    "threads",
                                       "calibration", "tasks",  "chat",    "special", "system"};
static const char *const generate_keys[] = {"max_new_tokens", "temperature", "top_k",
                                            "top_p",          "ignore_eos",  "samples"};
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static les_status no_memory(const char *path) {
  return les_no_memory("the job %s", path);
}

/* `path` as seen from the folder of the job file. */
static les_status resolve(const les_job *job, const char *path, char **out) {
  *out = les_path_beside(job->path, path);
  return *out ? LES_OK : no_memory(job->path);
}

static les_status read_path(const les_job *job, const cJSON *doc, const char *key, bool required,
                            char **out) {
  const char *value = NULL;
  LES_TRY(les_json_get_string(doc, key, job->path, &value));
  if (!value && !required) return LES_OK;
  if (!value || !*value) return les_fail(LES_USAGE, "%s: '%s' is missing: it names a file", job->path, key);
  return resolve(job, value, out);
}

static les_status default_output(les_job *job) {
  job->output = les_path_with_suffix(job->path, ".json", ".h5");
  return job->output ? LES_OK : no_memory(job->path);
}

/* Copies an array of strings. */
static les_status read_strings(const les_job *job, const cJSON *doc, const char *key, char ***out, int *n) {
  const cJSON *array = cJSON_GetObjectItemCaseSensitive(doc, key), *item;
  if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) == 0)
    return les_fail(LES_USAGE, "%s: '%s' has to be a list of at least one string", job->path, key);
  *out = calloc((size_t)cJSON_GetArraySize(array), sizeof **out);
  if (!*out) return no_memory(job->path);
  cJSON_ArrayForEach(item, array) {
    if (!cJSON_IsString(item))
      return les_fail(LES_USAGE, "%s: '%s' has to hold strings only", job->path, key);
    (*out)[*n] = strdup(item->valuestring);
    if (!(*out)[(*n)++]) return no_memory(job->path);
  }
  return LES_OK;
}

static les_status check_measures(const les_job *job) {
  const char *groups[LES_N_FIELDS];
  int n = les_group_list(groups);
  for (int i = 0; i < job->n_measures; i++) {
    if (les_group_exists(job->measures[i])) continue;
    char known[256] = "";
    for (int k = 0; k < n; k++)
      snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k ? ", " : "", groups[k]);
    return les_fail(LES_USAGE, "%s: there is no measure '%s'; known are %s", job->path, job->measures[i],
                    known);
  }
  return LES_OK;
}

static bool contains(char *const *list, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (!strcmp(list[i], name)) return true;
  return false;
}

/* Brings the measures into the table's order, each once, so that two spellings of a job are the same job. */
static les_status sort_measures(les_job *job) {
  const char *groups[LES_N_FIELDS];
  int n_groups = les_group_list(groups), n = 0;
  char **sorted = calloc((size_t)n_groups, sizeof *sorted);
  if (!sorted) return no_memory(job->path);
  les_status s = LES_OK;
  for (int i = 0; i < n_groups && s == LES_OK; i++) {
    if (!contains(job->measures, job->n_measures, groups[i])) continue;
    sorted[n] = strdup(groups[i]);
    s = sorted[n++] ? LES_OK : no_memory(job->path);
  }
  for (int i = 0; i < job->n_measures; i++) free(job->measures[i]);
  free(job->measures);
  job->measures = sorted;
  job->n_measures = n;
  return s;
}

static les_status read_measures(les_job *job, const cJSON *doc) {
  if (cJSON_HasObjectItem(doc, "measures")) {
    LES_TRY(read_strings(job, doc, "measures", &job->measures, &job->n_measures));
    LES_TRY(check_measures(job));
    return sort_measures(job);
  }
  static const char *const defaults[] = {"jaccard", "kl"};
  job->measures = calloc(COUNT(defaults), sizeof *job->measures);
  if (!job->measures) return no_memory(job->path);
  for (; job->n_measures < COUNT(defaults); job->n_measures++) {
    job->measures[job->n_measures] = strdup(defaults[job->n_measures]);
    if (!job->measures[job->n_measures]) return no_memory(job->path);
  }
  return LES_OK;
}

/* A key, or nearly one, that belongs into 'generate' and not beside it, or the other way round, is told where
 * it belongs. */
static les_status check_places(const les_job *job, const cJSON *object, bool generate) {
  const char *keys[COUNT(job_keys) + COUNT(generate_keys)];
  memcpy(keys, job_keys, sizeof job_keys);
  memcpy(keys + COUNT(job_keys), generate_keys, sizeof generate_keys);
  for (const cJSON *item = cJSON_IsObject(object) ? object->child : NULL; item; item = item->next) {
    const char *key = les_text_nearest(item->string, keys, COUNT(keys));
    bool in_generate = false;
    for (int i = 0; i < COUNT(generate_keys); i++) in_generate = in_generate || key == generate_keys[i];
    if (!key || in_generate == generate) continue;
    return les_fail(LES_USAGE, "%s: the key '%s' is not known %s; did you mean %s, as in %s\"%s\": ...%s",
                    job->path, item->string, generate ? "in 'generate'" : "here",
                    generate ? "the key beside 'generate'" : "that of 'generate'",
                    generate ? "{\"generate\": {...}, " : "\"generate\": {", key, "}?");
  }
  return LES_OK;
}

static les_status read_generate(les_job *job, const cJSON *doc) {
  double temperature = 0, top_p = 1;
  const cJSON *generate = cJSON_GetObjectItemCaseSensitive(doc, "generate");
  job->sampling.top_p = 1;
  job->samples = 1;
  if (!generate) return LES_OK;
  const char *path = job->path;
  LES_TRY(check_places(job, generate, true));
  LES_TRY(les_json_check_keys(generate, "'generate'", generate_keys, COUNT(generate_keys), path));
  job->max_new_tokens = -1;
  LES_TRY(les_json_get_int(generate, "max_new_tokens", path, 0, MOST_NEW_TOKENS, &job->max_new_tokens));
  if (job->max_new_tokens < 0) return les_fail(LES_USAGE, "%s: 'generate' needs 'max_new_tokens'", path);
  LES_TRY(les_json_get_number(generate, "temperature", path, 0, 1000, &temperature));
  LES_TRY(les_json_get_int(generate, "top_k", path, 0, INT32_MAX, &job->sampling.top_k));
  LES_TRY(les_json_get_number(generate, "top_p", path, 0, 1, &top_p));
  LES_TRY(les_json_get_bool(generate, "ignore_eos", path, &job->ignore_eos));
  LES_TRY(les_json_get_int(generate, "samples", path, 1, MOST_SAMPLES, &job->samples));
  if (job->samples > 1 && (temperature == 0 || job->max_new_tokens == 0))
    return les_fail(
        LES_USAGE,
        "%s: %d 'samples' of a prompt would all be the same: they need a 'temperature' above 0 and "
        "'max_new_tokens'",
        path, job->samples);
  job->sampling.temperature = (float)temperature;
  job->sampling.top_p = (float)top_p;
  return LES_OK;
}

static les_status read_numbers(les_job *job, const cJSON *doc) {
  double seed = 0;
  LES_TRY(les_json_get_number(doc, "seed", job->path, 0, 9007199254740991.0, &seed)); /* 2^53 - 1 */
  job->seed = (uint64_t)seed;
  if ((double)job->seed != seed) return les_fail(LES_USAGE, "%s: 'seed' has to be a whole number", job->path);
  job->sampling.seed = job->seed;
  LES_TRY(les_json_get_int(doc, "threads", job->path, 1, 4096, &job->threads));
  const char *compute = "auto";
  LES_TRY(les_json_get_string(doc, "compute", job->path, &compute));
  int mode = les_compute_find(compute);
  if (mode < 0)
    return les_fail(LES_USAGE, "%s: 'compute' is auto, f32, int16 or int8, not '%s'", job->path, compute);
  job->compute = (les_compute)mode;
  return LES_OK;
}

static les_status read_tasks(les_job *job, const cJSON *doc) {
  static const char *const keys[] = {"name", "data", "limit"};
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(doc, "tasks"), *item;
  if (!list) return LES_OK;
  if (!cJSON_IsArray(list)) return les_fail(LES_USAGE, "%s: 'tasks' has to be a list of objects", job->path);
  job->tasks = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *job->tasks);
  if (!job->tasks) return no_memory(job->path);
  cJSON_ArrayForEach(item, list) {
    les_job_task *task = &job->tasks[job->n_tasks++];
    const char *name = NULL;
    LES_TRY(les_json_check_keys(item, "a task", keys, COUNT(keys), job->path));
    LES_TRY(les_json_get_string(item, "name", job->path, &name));
    if (!name) return les_fail(LES_USAGE, "%s: a task needs its 'name'", job->path);
    LES_TRY(read_path(job, item, "data", true, &task->data));
    LES_TRY(les_json_get_int(item, "limit", job->path, 1, INT32_MAX, &task->limit));
    if (!(task->name = strdup(name))) return no_memory(job->path);
  }
  return LES_OK;
}

static les_status read_encoding(les_job *job, const cJSON *doc) {
  const char *system = NULL;
  LES_TRY(les_json_get_bool(doc, "chat", job->path, &job->chat));
  LES_TRY(les_json_get_bool(doc, "special", job->path, &job->special));
  LES_TRY(les_json_get_string(doc, "system", job->path, &system));
  return !system || (job->system = strdup(system)) ? LES_OK : no_memory(job->path);
}

static les_status read_job(les_job *job, const cJSON *doc) {
  LES_TRY(check_places(job, doc, false));
  LES_TRY(les_json_check_keys(doc, "the job", job_keys, COUNT(job_keys), job->path));
  const char *about; /* for the reader of the file */
  LES_TRY(les_json_get_string(doc, "about", job->path, &about));
  LES_TRY(read_path(job, doc, "model", true, &job->model_path));
  LES_TRY(read_path(job, doc, "prompts", false, &job->prompts_path));
  LES_TRY(read_path(job, doc, "output", false, &job->output));
  LES_TRY(read_path(job, doc, "calibration", false, &job->calibration));
  if (!job->output) LES_TRY(default_output(job));
  LES_TRY(read_strings(job, doc, "lesions", &job->lesion_specs, &job->n_lesion_specs));
  LES_TRY(read_measures(job, doc));
  LES_TRY(read_generate(job, doc));
  LES_TRY(read_tasks(job, doc));
  LES_TRY(read_encoding(job, doc));
  if (!job->prompts_path && job->n_tasks == 0)
    return les_fail(LES_USAGE, "%s: neither 'prompts' nor 'tasks' are given", job->path);
  return read_numbers(job, doc);
}

les_status les_job_open(les_job **out, const char *path) {
  *out = NULL;
  cJSON *doc;
  LES_TRY(les_json_read(&doc, path));
  les_job *job = calloc(1, sizeof *job);
  les_status s = job && (job->path = strdup(path)) ? LES_OK : no_memory(path);
  if (s == LES_OK) s = read_job(job, doc);
  if (s != LES_OK) les_job_close(&job);
  *out = job;
  cJSON_Delete(doc);
  return s;
}

static void free_strings(char **strings, int n) {
  for (int i = 0; i < n; i++) free(strings[i]);
  free(strings);
}

void les_job_close(les_job **job) {
  les_job *j = *job;
  if (!j) return;
  free_strings(j->lesion_specs, j->n_lesion_specs);
  free_strings(j->measures, j->n_measures);
  free(j->path);
  free(j->model_path);
  free(j->prompts_path);
  free(j->output);
  for (int i = 0; i < j->n_tasks; i++) {
    free(j->tasks[i].name);
    free(j->tasks[i].data);
  }
  free(j->tasks);
  free(j->calibration);
  free(j->system);
  free(j);
  *job = NULL;
}
