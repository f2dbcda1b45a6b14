#include "data/prompts.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/sha256.h"
#include "data/rows.h"
#include "token/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies the string at `key`; not there: `fallback`, and NULL if that is NULL. Numbers are taken as they are
 * written, since ids and answers of data sets often are. */
static les_status copy_string(const cJSON *object, const char *key, les_json_source at, const char *fallback,
                              char **out) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
  char number[32];
  const char *text = item ? cJSON_GetStringValue(item) : fallback;
  if (cJSON_IsNumber(item)) {
    snprintf(number, sizeof number, "%.15g", item->valuedouble);
    text = number;
  }
  if (item && !text)
    return les_fail(LES_FAILED, "%s:%d: '%s' has to be a string or a number", at.path, at.line, key);
  *out = text ? strdup(text) : NULL;
  return *out || !text ? LES_OK : les_no_memory("a prompt of %s", at.path);
}

/* What a conversation says, for whoever looks at its words. */
static les_status join_contents(const cJSON *messages, char **out) {
  les_buffer text = {0};
  const cJSON *message;
  cJSON_ArrayForEach(message, messages) {
    const char *content = cJSON_GetObjectItemCaseSensitive(message, "content")->valuestring;
    if (text.n) les_buffer_append(&text, "\n\n", 2);
    les_buffer_append(&text, content, strlen(content));
  }
  les_buffer_append(&text, "", 0);
  les_status status = les_buffer_status(&text);
  if (status == LES_OK)
    *out = text.data;
  else
    les_buffer_free(&text);
  return status;
}

static les_status read_messages(const cJSON *messages, les_json_source at, les_prompt *prompt) {
  les_status status = les_chat_check(messages);
  if (status != LES_OK) return les_fail_in(status, "%s:%d", at.path, at.line);
  prompt->messages = cJSON_Duplicate(messages, true);
  return prompt->messages ? join_contents(prompt->messages, &prompt->text)
                          : les_no_memory("a prompt of %s", at.path);
}

static les_status read_text(const cJSON *row, les_json_source at, les_prompt *prompt) {
  static const char *const keys[] = {"prompt", "text", "question", "input"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, keys[i]);
    if (!item) continue;
    if (!cJSON_IsString(item))
      return les_fail(LES_FAILED, "%s:%d: '%s' has to be a string", at.path, at.line, keys[i]);
    prompt->text = strdup(item->valuestring);
    return prompt->text ? LES_OK : les_no_memory("a prompt of %s", at.path);
  }
  const cJSON *messages = cJSON_GetObjectItemCaseSensitive(row, "messages");
  if (messages) return read_messages(messages, at, prompt);
  return les_fail(LES_FAILED,
                  "%s:%d: a prompt needs its text as 'prompt', 'text', 'question' or 'input', or a "
                  "conversation as 'messages'",
                  at.path, at.line);
}

/* One more prompt at the end, empty; NULL: there is no memory. */
static les_prompt *grow(les_prompts *p) {
  if ((p->n & (p->n - 1)) == 0) { /* a power of two is full */
    les_prompt *larger = realloc(p->items, (size_t)(p->n ? 2 * p->n : 1) * sizeof *larger);
    if (!larger) return NULL;
    p->items = larger;
  }
  p->items[p->n] = (les_prompt){0};
  return &p->items[p->n++];
}

static les_status read_prompt(void *ctx, const cJSON *row, les_json_source at) {
  les_prompt *prompt = grow(ctx);
  char number[16];
  if (!prompt) return les_no_memory("the prompts of %s", at.path);
  snprintf(number, sizeof number, "%d", ((les_prompts *)ctx)->n);
  if (!cJSON_IsObject(row))
    return les_fail(LES_FAILED, "%s:%d: a row has to be an object such as {\"id\", \"domain\", \"prompt\"}",
                    at.path, at.line);
  LES_TRY(copy_string(row, "id", at, number, &prompt->id));
  LES_TRY(copy_string(row, "domain", at, "all", &prompt->domain));
  if (!*prompt->id || !*prompt->domain)
    return les_fail(LES_FAILED, "%s:%d: '%s' is empty; leave it out or fill it in", at.path, at.line,
                    *prompt->id ? "domain" : "id");
  LES_TRY(read_text(row, at, prompt));
  return copy_string(row, "answer", at, NULL, &prompt->answer);
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

les_status les_prompts_read(les_prompts *out, const char *path) {
  *out = (les_prompts){0};
  les_status s = les_rows_read(path, read_prompt, out, out->sha256);
  if (s == LES_OK && out->n == 0) s = les_fail(LES_FAILED, "%s: holds no prompt", path);
  if (s == LES_OK) s = check_ids(out, path);
  if (s != LES_OK) les_prompts_free(out);
  return s;
}

void les_prompts_free(les_prompts *p) {
  for (int i = 0; i < p->n; i++) {
    les_prompt *prompt = &p->items[i];
    free(prompt->id);
    free(prompt->domain);
    free(prompt->text);
    free(prompt->answer);
    cJSON_Delete(prompt->messages);
    les_tokens_free(&prompt->tokens);
  }
  free(p->items);
  *p = (les_prompts){0};
}
