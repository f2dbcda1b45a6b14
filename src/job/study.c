#include "job/study.h"

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
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
  if (!s->tasks) return les_no_memory("the tasks of %s", s->job->path);
  les_status status = LES_OK;
  for (int i = 0; i < s->job->n_tasks && status == LES_OK; i++)
    status = read_task(&s->tasks[i], &s->job->tasks[i], s->model);
  return status == LES_OK ? LES_OK : les_fail_in(status, "%s", s->job->path);
}

static les_status make_columns(les_study *s) {
  const les_job *job = s->job;
  const les_prompt_options options = {job->max_new_tokens, s->layout.want, job->samples};
  les_status status = les_columns_add_prompts(&s->columns, &s->prompts, &options);
  for (int i = 0; i < job->n_tasks && status == LES_OK; i++)
    status = les_columns_add_task(&s->columns, s->tasks[i], job->tasks[i].name);
  return status == LES_OK ? LES_OK : les_fail_in(status, "%s", job->path);
}

static les_status parse_lesions(les_study *s) {
  const les_job *job = s->job;
  les_status status = les_lesions_parse(&s->lesions, (const char *const *)job->lesion_specs,
                                        job->n_lesion_specs, &s->model->hparams);
  if (status != LES_OK) return les_fail_in(status, "%s", job->path);
  const les_lesion *control = les_lesions_resampled(&s->lesions);
  if (control && job->sampling.temperature == 0)
    return les_fail(LES_USAGE,
                    "%s: lesion '%s' samples with another seed, but nothing is sampled: give 'generate' a "
                    "'temperature' above 0, or leave the lesion out",
                    job->path, control->spec);
  const les_lesion *needy = les_lesions_need_means(&s->lesions);
  if (needy && !job->calibration)
    return les_fail(LES_USAGE, "%s: lesion '%s' needs a text: give its file as 'calibration'", job->path,
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
  if (!groups) return les_no_memory("the measures of %s", job->path);
  int n = job->n_measures;
  memcpy(groups, job->measures, (size_t)n * sizeof *groups);
  if (has_answers(s)) groups[n++] = "acc";
  if (job->n_tasks > 0) groups[n++] = "tasks";
  les_status status =
      les_record_layout_compute(&s->layout, groups, n, job->max_new_tokens, s->model->hparams.n_layers);
  free(groups);
  LES_TRY(status);
  if (s->layout.bytes == 0)
    return les_fail(LES_USAGE,
                    "%s: all of its measures compare continuations, but nothing is generated; "
                    "add 'generate' or the measure kl or nll",
                    job->path);
  return LES_OK;
}

/* ---- the job as it is stored: two jobs are the same if this is ---- */

static void add_lesions(cJSON *object, const les_lesions *lesions) {
  cJSON *list = les_json_add_array(object, "lesions");
  for (int i = 0; i < lesions->n; i++) les_json_add_string(list, NULL, lesions->items[i].spec);
}

static void add_measures(cJSON *object, const les_job *job) {
  cJSON *list = les_json_add_array(object, "measures");
  for (int i = 0; i < job->n_measures; i++) les_json_add_string(list, NULL, job->measures[i]);
}

static void add_generation(cJSON *object, const les_job *job) {
  cJSON *generate = les_json_add_object(object, "generate");
  les_json_add_number(generate, "max_new_tokens", job->max_new_tokens);
  les_json_add(generate, "temperature", les_json_float(job->sampling.temperature));
  les_json_add_number(generate, "top_k", job->sampling.top_k);
  les_json_add(generate, "top_p", les_json_float(job->sampling.top_p));
  les_json_add_bool(generate, "ignore_eos", job->ignore_eos);
  if (job->samples > 1) les_json_add_number(generate, "samples", job->samples);
}

static les_status digest_file(const char *path, char hex[65]) {
  char *text;
  size_t n;
  LES_TRY(les_file_read(path, &text, &n));
  les_status status = les_sha256(text, n, hex);
  free(text);
  return status;
}

static les_status add_tasks(cJSON *object, const les_job *job) {
  if (job->n_tasks == 0) return LES_OK;
  cJSON *list = les_json_add_array(object, "tasks");
  for (int i = 0; i < job->n_tasks; i++) {
    const les_job_task *task = &job->tasks[i];
    char digest[65];
    LES_TRY(digest_file(task->data, digest));
    cJSON *entry = les_json_add_object(list, NULL);
    les_json_add_string(entry, "name", task->name);
    les_json_add_string(entry, "data_sha256", digest);
    les_json_add_number(entry, "limit", task->limit);
  }
  return LES_OK;
}

/* How prompts become tokens, as far as it is not the default. */
static void add_encoding(cJSON *o, const les_study *s) {
  const les_job *job = s->job;
  if (job->chat) les_json_add_bool(o, "chat", true);
  if (job->special) les_json_add_bool(o, "special", true);
  if (job->system) les_json_add_string(o, "system", job->system);
  if (*s->chat_sha256) les_json_add_string(o, "chat_template_sha256", s->chat_sha256);
}

static les_status make_json(les_study *s) {
  const les_job *job = s->job;
  cJSON *doc = cJSON_CreateObject();
  les_json_add_string(doc, "model_sha256", s->model->sha256);
  les_json_add_string(doc, "prompts_sha256", s->prompts.sha256);
  add_lesions(doc, &s->lesions);
  add_generation(doc, job);
  add_measures(doc, job);
  les_json_add_string(doc, "compute", les_compute_name(job->compute));
  les_json_add_number(doc, "seed", (double)job->seed);
  if (s->calibration.n) les_json_add_string(doc, "calibration_sha256", s->calibration.sha256);
  add_encoding(doc, s);
  les_status status = add_tasks(doc, job);
  if (status == LES_OK && !(s->json = cJSON_PrintUnformatted(doc)))
    status = les_no_memory("the job %s", job->path);
  cJSON_Delete(doc);
  return status;
}

les_status les_study_open(les_study **out, const les_job *job, const les_model *model) {
  *out = NULL;
  les_status status;
  les_study *s = calloc(1, sizeof *s);
  if (!s) return les_no_memory("the job %s", job->path);
  s->job = job;
  s->model = model;
  LES_GOTO(status, parse_lesions(s), end);
  LES_GOTO(status, read_prompts(s), end);
  LES_GOTO(status, read_tasks(s), end);
  LES_GOTO(status, lay_out(s), end);
  LES_GOTO(status,
           les_recorder_open(&s->recorder, model, &s->layout, &s->prompts, job->sampling.temperature == 0),
           end);
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
