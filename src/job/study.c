#include "job/study.h"

#include "base/file.h"
#include "base/json.h"
#include "engine/loglik.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static les_status tokenize(les_prompt *prompt, const les_job *job, const les_model *model) {
  const les_encode_options options = {.bos = true};
  LES_TRY(les_encode(model->tokenizer, prompt->text, strlen(prompt->text), &options, &prompt->tokens));
  if (prompt->tokens.n == 0)
    return les_fail(LES_FAILED, "%s: prompt '%s' is empty, and this model has no begin token to start from",
                    job->prompts_path, prompt->id);
  if (prompt->tokens.n > model->hparams.n_ctx - job->max_new_tokens)
    return les_fail(LES_FAILED,
                    "%s: prompt '%s' has %d tokens, with %d new ones more than the model's context of %d; "
                    "shorten it or lower max_new_tokens",
                    job->prompts_path, prompt->id, prompt->tokens.n, job->max_new_tokens,
                    model->hparams.n_ctx);
  return LES_OK;
}

static les_status read_prompts(les_study *s) {
  LES_TRY(les_model_need_tokenizer(s->model));
  if (!s->job->prompts_path) return LES_OK;
  LES_TRY(les_prompts_read(&s->prompts, s->job->prompts_path));
  for (int i = 0; i < s->prompts.n; i++) LES_TRY(tokenize(&s->prompts.items[i], s->job, s->model));
  return LES_OK;
}

static les_status open_task(les_study *s, const les_job_task *from, les_study_task *to) {
  les_request_rules rules;
  LES_TRY(les_task_open(&to->task, from->name, from->data, from->limit));
  LES_TRY(les_loglik_rules(&rules, s->model, 0));
  to->first = calloc((size_t)to->task->n_items + 1, sizeof *to->first);
  if (!to->first) return les_fail(LES_FAILED, "%s: out of memory", from->data);
  return les_task_requests(to->task, &rules, &to->requests, to->first);
}

/* The documents become columns of the grid, behind the prompts. */
static les_status append_documents(les_study *s, const les_study_task *task, const char *name) {
  int n = task->task->n_documents;
  les_prompt *items = realloc(s->prompts.items, (size_t)(s->prompts.n + n) * sizeof *items);
  if (!items) return les_fail(LES_FAILED, "%s: out of memory for %d documents", s->job->path, n);
  s->prompts.items = items;
  for (int d = 0; d < n; d++) {
    const les_task_document *doc = &task->task->documents[d];
    const char *context = task->task->items[doc->first_item].context;
    les_prompt *prompt = &items[s->prompts.n++];
    *prompt = (les_prompt){.task = task, .document = d};
    prompt->domain = strdup(name);
    prompt->text = strdup(context ? context : task->task->items[doc->first_item].continuation);
    if (asprintf(&prompt->id, "%s-%d", name, doc->line) < 0) prompt->id = NULL;
    if (!prompt->id || !prompt->domain || !prompt->text)
      return les_fail(LES_FAILED, "%s: out of memory for %d documents", s->job->path, n);
  }
  return LES_OK;
}

static les_status read_tasks(les_study *s) {
  s->tasks = calloc((size_t)s->job->n_tasks + 1, sizeof *s->tasks);
  if (!s->tasks) return les_fail(LES_FAILED, "%s: out of memory", s->job->path);
  for (int i = 0; i < s->job->n_tasks; i++) {
    les_status status = open_task(s, &s->job->tasks[i], &s->tasks[i]);
    if (status != LES_OK) return les_fail_in(LES_FAILED, "%s", s->job->path);
    LES_TRY(append_documents(s, &s->tasks[i], s->job->tasks[i].name));
  }
  return LES_OK;
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

static cJSON *describe_generation(const les_job *job) {
  cJSON *o = cJSON_CreateObject();
  cJSON_AddNumberToObject(o, "max_new_tokens", job->max_new_tokens);
  cJSON_AddItemToObject(o, "temperature", les_json_float(job->sampling.temperature));
  cJSON_AddNumberToObject(o, "top_k", job->sampling.top_k);
  cJSON_AddItemToObject(o, "top_p", les_json_float(job->sampling.top_p));
  cJSON_AddBoolToObject(o, "ignore_eos", job->ignore_eos);
  return o;
}

static les_status digest_file(const char *path, char hex[65]) {
  char *text;
  size_t n;
  LES_TRY(les_file_read(path, &text, &n));
  les_status status = les_sha256(text, n, hex);
  free(text);
  return status;
}

static les_status describe_tasks(const les_job *job, cJSON *list) {
  for (int i = 0; i < job->n_tasks; i++) {
    char digest[65];
    LES_TRY(digest_file(job->tasks[i].data, digest));
    cJSON *task = cJSON_CreateObject();
    cJSON_AddItemToArray(list, task);
    cJSON_AddStringToObject(task, "name", job->tasks[i].name);
    cJSON_AddStringToObject(task, "data_sha256", digest);
    cJSON_AddNumberToObject(task, "limit", job->tasks[i].limit);
  }
  return LES_OK;
}

static les_status describe(les_study *s) {
  const les_job *job = s->job;
  cJSON *o = cJSON_CreateObject();
  cJSON_AddStringToObject(o, "model_sha256", s->model->sha256);
  cJSON_AddStringToObject(o, "prompts_sha256", s->prompts.sha256);
  cJSON *lesions = cJSON_AddArrayToObject(o, "lesions");
  for (int i = 0; i < s->lesions.n; i++)
    cJSON_AddItemToArray(lesions, cJSON_CreateString(s->lesions.items[i].spec));
  cJSON_AddItemToObject(o, "generate", describe_generation(job));
  cJSON *measures = cJSON_AddArrayToObject(o, "measures");
  for (int i = 0; i < job->n_measures; i++)
    cJSON_AddItemToArray(measures, cJSON_CreateString(job->measures[i]));
  cJSON_AddStringToObject(o, "compute", les_compute_name(job->compute));
  cJSON_AddNumberToObject(o, "seed", (double)job->seed);
  if (s->calibration.n > 0) cJSON_AddStringToObject(o, "calibration_sha256", s->calibration.sha256);
  les_status status = job->n_tasks ? describe_tasks(job, cJSON_AddArrayToObject(o, "tasks")) : LES_OK;
  if (status == LES_OK) s->json = cJSON_PrintUnformatted(o);
  cJSON_Delete(o);
  LES_TRY(status);
  return s->json ? LES_OK : les_fail(LES_FAILED, "%s: out of memory", job->path);
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
  LES_GOTO(status, describe(s), end);
end:
  if (status != LES_OK) les_study_close(&s);
  *out = s;
  return status;
}

void les_study_close(les_study **study) {
  les_study *s = *study;
  if (!s) return;
  les_prompts_free(&s->prompts);
  for (int i = 0; s->tasks && i < s->job->n_tasks; i++) {
    les_requests_free(&s->tasks[i].requests);
    les_task_close(&s->tasks[i].task);
    free(s->tasks[i].first);
  }
  free(s->tasks);
  les_lesions_free(&s->lesions);
  les_corpus_free(&s->calibration);
  free(s->json);
  free(s);
  *study = NULL;
}
