#include "data/prompts.h"

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

/* Copies the string at `key`, which has to be there and, unless it is the prompt itself, not be empty. */
static les_status copy_string(const cJSON *object, const char *key, les_json_source at, bool may_be_empty,
                              char **out) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  if (!cJSON_IsString(item))
    return les_fail(LES_FAILED, "%s:%d: a prompt needs a string '%s'", at.path, at.line, key);
  if (!may_be_empty && !*item->valuestring)
    return les_fail(LES_FAILED, "%s:%d: '%s' is empty", at.path, at.line, key);
  *out = strdup(item->valuestring);
  return *out ? LES_OK : les_no_memory("the prompt at %s:%d", at.path, at.line);
}

static les_status read_prompt(void *ctx, const cJSON *doc, les_json_source at) {
  les_prompts *prompts = ctx;
  les_prompt *prompt = &prompts->items[prompts->n++];
  if (!cJSON_IsObject(doc))
    return les_fail(LES_FAILED, "%s:%d: a line has to be an object {\"id\", \"domain\", \"prompt\"}", at.path,
                    at.line);
  LES_TRY(copy_string(doc, "id", at, false, &prompt->id));
  LES_TRY(copy_string(doc, "domain", at, false, &prompt->domain));
  LES_TRY(copy_string(doc, "prompt", at, true, &prompt->text));
  return cJSON_HasObjectItem(doc, "answer") ? copy_string(doc, "answer", at, true, &prompt->answer) : LES_OK;
}

static int compare_ids(const void *a, const void *b) {
  return strcmp((*(les_prompt *const *)a)->id, (*(les_prompt *const *)b)->id);
}

static les_status check_ids(const les_prompts *p, const char *path) {
  les_status s = LES_OK;
  const les_prompt **sorted = malloc((size_t)p->n * sizeof(les_prompt *));
  if (!sorted) return les_no_memory("the prompts of %s", path);
  for (int i = 0; i < p->n; i++) sorted[i] = &p->items[i];
  qsort(sorted, (size_t)p->n, sizeof *sorted, compare_ids);
  for (int i = 1; i < p->n && s == LES_OK; i++)
    if (!strcmp(sorted[i]->id, sorted[i - 1]->id))
      s = les_fail(LES_FAILED, "%s: the id '%s' is there twice; ids have to be unique", path, sorted[i]->id);
  free(sorted);
  return s;
}

static les_status read_prompts(les_prompts *out, char *text, size_t n, const char *path) {
  size_t lines = 1;
  for (size_t i = 0; i < n; i++) lines += text[i] == '\n';
  out->items = calloc(lines, sizeof *out->items);
  if (!out->items) return les_no_memory("the %zu prompts of %s", lines, path);
  LES_TRY(les_json_lines(text, n, path, read_prompt, out));
  if (out->n == 0) return les_fail(LES_FAILED, "%s: holds no prompt", path);
  return check_ids(out, path);
}

les_status les_prompts_read(les_prompts *out, const char *path) {
  *out = (les_prompts){0};
  char *text;
  size_t n;
  LES_TRY(les_file_read(path, &text, &n));
  les_status s = les_sha256(text, n, out->sha256);
  if (s == LES_OK) s = read_prompts(out, text, n, path);
  if (s != LES_OK) les_prompts_free(out);
  free(text);
  return s;
}

void les_prompts_free(les_prompts *p) {
  for (int i = 0; i < p->n; i++) {
    les_prompt *prompt = &p->items[i];
    free(prompt->id);
    free(prompt->domain);
    free(prompt->text);
    free(prompt->answer);
    les_tokens_free(&prompt->tokens);
  }
  free(p->items);
  *p = (les_prompts){0};
}
