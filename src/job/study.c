#include "job/study.h"

#include "base/file.h"
#include "base/json.h"
#include "engine/loglik.h"
#include "job/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static les_status read_prompts(les_study *s) {
  LES_TRY(les_model_need_tokenizer(s->model));
  if (!s->job->prompts_path) return LES_OK;
  LES_TRY(les_prompts_read(&s->prompts, s->job->prompts_path));
  return les_prompts_encode(&s->prompts, s->job, s->model, s->chat_sha256, &s->warning);
}

static les_status read_task(les_task **out, const les_job_task *from, const les_model *model) {
  les_request_rules rules;
  LES_TRY(les_task_open(out, from->name, from->data, from->limit));
  LES_TRY(les_loglik_rules(&rules, model, 0));
  return les_task_tokenize(*out, &rules);
}

static les_status read_tasks(les_study *s) {
  s->tasks = calloc((size_t)s->job->n_tasks + 1, sizeof *s->tasks);
  if (!s->tasks) return les_fail(LES_FAILED, "%s: out of memory", s->job->path);
  for (int i = 0; i < s->job->n_tasks; i++)
    if (read_task(&s->tasks[i], &s->job->tasks[i], s->model) != LES_OK)
      return les_fail_in(LES_FAILED, "%s", s->job->path);
  return LES_OK;
}

static les_status make_columns(les_study *s) {
  const les_job *job = s->job;
  les_status status = les_columns_add_prompts(&s->columns, &s->prompts, job->max_new_tokens, s->layout.want);
  for (int i = 0; i < job->n_tasks && status == LES_OK; i++)
    status = les_columns_add_task(&s->columns, s->tasks[i], job->tasks[i].name);
  return status == LES_OK ? LES_OK : les_fail_in(status, "%s", job->path);
}

static les_status parse_lesions(les_study *s) {
  const les_job *job = s->job;
  les_status status = les_lesions_parse(&s->lesions, (const char *const *)job->lesion_specs,
                                        job->n_lesion_specs, &s->model->hparams);
  /* a wrong lesion in a file is a failure of the run, not of the command line */
  if (status != LES_OK) return les_fail_in(LES_FAILED, "%s", job->path);
  const les_lesion *needy = les_lesions_need_means(&s->lesions);
  if (needy && !job->calibration)
    return les_fail(LES_FAILED, "%s: lesion '%s' needs a text: give its file as 'calibration'", job->path,
                    needy->spec);
  if (!job->calibration) return LES_OK;
  LES_TRY(les_model_need_tokenizer(s->model));
  return les_corpus_read(&s->calibration, job->calibration, s->model->tokenizer, job->seed);
}

/* Documents, and prompts whose answer is known, are answered right or wrong. */
static bool has_answers(const les_study *s) {
  if (s->job->n_tasks > 0) return true;
  for (int i = 0; s->job->max_new_tokens > 0 && i < s->prompts.n; i++)
    if (s->prompts.items[i].answer) return true;
  return false;
}

static les_status lay_out(les_study *s) {
  const les_job *job = s->job;
  const char **groups = calloc((size_t)job->n_measures + 2, sizeof *groups);
  if (!groups) return les_fail(LES_FAILED, "%s: out of memory", job->path);
  int n = job->n_measures;
  memcpy(groups, job->measures, (size_t)n * sizeof *groups);
  if (has_answers(s)) groups[n++] = "acc";
  if (job->n_tasks > 0) groups[n++] = "tasks";
  les_status status =
      les_record_layout_compute(&s->layout, groups, n, job->max_new_tokens, s->model->hparams.n_layers);
  free(groups);
  LES_TRY(status);
  if (s->layout.bytes == 0)
    return les_fail(LES_FAILED,
                    "%s: all of its measures compare continuations, but nothing is generated; "
                    "add 'generate' or the measure kl or nll",
                    job->path);
  return LES_OK;
}

/* ---- the job as it is stored: all or nothing, as two jobs are the same if this is ---- */

/* Adds an item; false if there is no memory for it (NULL) or its name. */
static bool add(cJSON *object, const char *name, cJSON *item) {
  if (item && cJSON_AddItemToObject(object, name, item)) return true;
  cJSON_Delete(item);
  return false;
}

static bool add_number(cJSON *object, const char *name, double value) {
  return add(object, name, cJSON_CreateNumber(value));
}

static bool add_string(cJSON *object, const char *name, const char *value) {
  return add(object, name, cJSON_CreateString(value));
}

static bool describe_lesions(cJSON *o, const les_lesions *lesions) {
  cJSON *list = cJSON_AddArrayToObject(o, "lesions");
  bool ok = list;
  for (int i = 0; i < lesions->n && ok; i++)
    ok = cJSON_AddItemToArray(list, cJSON_CreateString(lesions->items[i].spec));
  return ok;
}

static bool describe_generation(cJSON *o, const les_job *job) {
  cJSON *generate = cJSON_AddObjectToObject(o, "generate");
  return generate && add_number(generate, "max_new_tokens", job->max_new_tokens) &&
         add(generate, "temperature", les_json_float(job->sampling.temperature)) &&
         add_number(generate, "top_k", job->sampling.top_k) &&
         add(generate, "top_p", les_json_float(job->sampling.top_p)) &&
         add(generate, "ignore_eos", cJSON_CreateBool(job->ignore_eos));
}

static bool describe_measures(cJSON *o, const les_job *job) {
  cJSON *list = cJSON_AddArrayToObject(o, "measures");
  bool ok = list;
  for (int i = 0; i < job->n_measures && ok; i++)
    ok = cJSON_AddItemToArray(list, cJSON_CreateString(job->measures[i]));
  return ok;
}

static bool describe_task(cJSON *list, const les_job_task *task, const char *digest) {
  cJSON *o = cJSON_CreateObject();
  if (o && cJSON_AddItemToArray(list, o))
    return add_string(o, "name", task->name) && add_string(o, "data_sha256", digest) &&
           add_number(o, "limit", task->limit);
  return false;
}

static les_status no_memory(const les_job *job) {
  return les_fail(LES_FAILED, "%s: out of memory", job->path);
}

static les_status digest_file(const char *path, char hex[65]) {
  char *text;
  size_t n;
  LES_TRY(les_file_read(path, &text, &n));
  les_status status = les_sha256(text, n, hex);
  free(text);
  return status;
}

static les_status describe_tasks(cJSON *o, const les_job *job) {
  if (job->n_tasks == 0) return LES_OK;
  cJSON *list = cJSON_AddArrayToObject(o, "tasks");
  if (!list) return no_memory(job);
  for (int i = 0; i < job->n_tasks; i++) {
    char digest[65];
    LES_TRY(digest_file(job->tasks[i].data, digest));
    if (!describe_task(list, &job->tasks[i], digest)) return no_memory(job);
  }
  return LES_OK;
}

/* How prompts become tokens, as far as it is not the default. */
static bool describe_encoding(cJSON *o, const les_study *s) {
  const les_job *job = s->job;
  return (!job->chat || add(o, "chat", cJSON_CreateTrue())) &&
         (!job->special || add(o, "special", cJSON_CreateTrue())) &&
         (!job->system || add_string(o, "system", job->system)) &&
         (!*s->chat_sha256 || add_string(o, "chat_template_sha256", s->chat_sha256));
}

static les_status describe(const les_study *s, cJSON *o) {
  const les_job *job = s->job;
  bool ok =
      add_string(o, "model_sha256", s->model->sha256) && add_string(o, "prompts_sha256", s->prompts.sha256) &&
      describe_lesions(o, &s->lesions) && describe_generation(o, job) && describe_measures(o, job) &&
      add_string(o, "compute", les_compute_name(job->compute)) && add_number(o, "seed", (double)job->seed) &&
      (s->calibration.n == 0 || add_string(o, "calibration_sha256", s->calibration.sha256)) &&
      describe_encoding(o, s);
  return ok ? describe_tasks(o, job) : no_memory(job);
}

static les_status make_json(les_study *s) {
  cJSON *o = cJSON_CreateObject();
  les_status status = o ? describe(s, o) : no_memory(s->job);
  if (status == LES_OK && !(s->json = cJSON_PrintUnformatted(o))) status = no_memory(s->job);
  cJSON_Delete(o);
  return status;
}

les_status les_study_open(les_study **out, const les_job *job, const les_model *model) {
  *out = NULL;
  les_status status;
  les_study *s = calloc(1, sizeof *s);
  if (!s) return les_fail(LES_FAILED, "%s: out of memory", job->path);
  s->job = job;
  s->model = model;
  LES_GOTO(status, parse_lesions(s), end);
  LES_GOTO(status, read_prompts(s), end);
  LES_GOTO(status, read_tasks(s), end);
  LES_GOTO(status, lay_out(s), end);
  LES_GOTO(status, les_recorder_open(&s->recorder, model, &s->layout, &s->prompts), end);
  LES_GOTO(status, make_columns(s), end);
  LES_GOTO(status, make_json(s), end);
end:
  if (status != LES_OK) les_study_close(&s);
  *out = s;
  return status;
}

void les_study_close(les_study **study) {
  les_study *s = *study;
  if (!s) return;
  les_columns_free(&s->columns);
  les_recorder_close(&s->recorder);
  les_prompts_free(&s->prompts);
  for (int i = 0; s->tasks && i < s->job->n_tasks; i++) les_task_close(&s->tasks[i]);
  free(s->tasks);
  les_lesions_free(&s->lesions);
  les_corpus_free(&s->calibration);
  free(s->json);
  free(s->warning);
  free(s);
  *study = NULL;
}
