#include "job/encode.h"

#include "token/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What all prompts are encoded with, and what is odd about some of them. */
typedef struct encoder {
  const les_job *job;
  const les_model *model;
  les_chat *chat;                    /* NULL: no prompt needs it */
  const les_prompt *special, *empty; /* the first of each kind; NULL: none */
  int n_special, n_empty;
  int32_t special_token; /* that the first one spells out */
} encoder;

static bool is_chat(const encoder *e, const les_prompt *prompt) {
  return e->job->chat || prompt->messages;
}

/* The prompt's conversation, with the job's system message unless it has its own; for cJSON_Delete. */
static les_status make_messages(const encoder *e, const les_prompt *prompt, cJSON **out) {
  cJSON *system;
  const char *text = e->job->system;
  if (!prompt->messages) return les_chat_make(out, text, prompt->text, strlen(prompt->text));
  *out = cJSON_Duplicate(prompt->messages, true);
  if (!*out) return les_no_memory("a conversation");
  const char *first = cJSON_GetObjectItemCaseSensitive((*out)->child, "role")->valuestring;
  if (!text || !strcmp(first, "system")) return LES_OK;
  LES_TRY(les_chat_make(&system, text, "", 0));
  bool ok = cJSON_InsertItemInArray(*out, 0, cJSON_DetachItemFromArray(system, 0));
  cJSON_Delete(system);
  return ok ? LES_OK : les_no_memory("a conversation");
}

static les_status encode_chat(const encoder *e, les_prompt *prompt) {
  cJSON *messages = NULL;
  les_status status = make_messages(e, prompt, &messages);
  if (status == LES_OK) status = les_chat_encode(e->chat, messages, &prompt->tokens);
  cJSON_Delete(messages);
  return status == LES_OK ? LES_OK : les_fail_in(status, "%s: prompt '%s'", e->job->prompts_path, prompt->id);
}

static les_status encode_text(encoder *e, les_prompt *prompt) {
  const les_tokenizer *tok = e->model->tokenizer;
  size_t n = strlen(prompt->text);
  int32_t token = e->job->special ? -1 : les_tokenizer_find_special(tok, prompt->text, n);
  if (token >= 0 && e->n_special++ == 0) {
    e->special = prompt;
    e->special_token = token;
  }
  if (n == 0 && e->n_empty++ == 0) e->empty = prompt;
  const les_encode_options options = {.bos = true, .special = e->job->special};
  return les_encode(tok, prompt->text, n, &options, &prompt->tokens);
}

static les_status encode(encoder *e, les_prompt *prompt) {
  const les_job *job = e->job;
  LES_TRY(is_chat(e, prompt) ? encode_chat(e, prompt) : encode_text(e, prompt));
  if (prompt->tokens.n == 0)
    return les_fail(LES_FAILED, "%s: prompt '%s' is empty, and this model has no begin token to start from",
                    job->prompts_path, prompt->id);
  if (prompt->tokens.n > e->model->hparams.n_ctx - job->max_new_tokens)
    return les_fail(LES_FAILED,
                    "%s: prompt '%s' has %d tokens, with %d new ones more than the model's context of %d; "
                    "shorten it or lower max_new_tokens",
                    job->prompts_path, prompt->id, prompt->tokens.n, job->max_new_tokens,
                    e->model->hparams.n_ctx);
  return LES_OK;
}

/* Opens the chat template if a prompt needs it; a system message that no prompt has is a mistake. */
static les_status open_chat(encoder *e, const les_prompts *prompts) {
  bool needed = e->job->chat;
  for (int i = 0; i < prompts->n; i++) needed = needed || prompts->items[i].messages;
  if (!needed && e->job->system)
    return les_fail(LES_USAGE, "%s: 'system' needs \"chat\": true, or prompts with 'messages'", e->job->path);
  if (!needed) return LES_OK;
  les_status status = les_chat_open(&e->chat, e->model->tokenizer);
  return status == LES_OK ? LES_OK : les_fail_in(status, "%s", e->job->path);
}

static les_status warn(const encoder *e, char **warning) {
  char *text = NULL;
  size_t n;
  if (!e->special && !e->empty) return LES_OK;
  FILE *f = open_memstream(&text, &n);
  if (!f) return les_no_memory("a warning");
  fputs("WARNING: ", f);
  if (e->special) {
    size_t n_token;
    const char *token = les_tokenizer_text(e->model->tokenizer, e->special_token, &n_token);
    fprintf(f, "prompt '%s' spells out the special token '%.*s', which is plain text here", e->special->id,
            (int)n_token, token);
    if (e->n_special > 1) fprintf(f, " (and %d more prompts do so)", e->n_special - 1);
    fprintf(f, "; set \"special\": true to let it count, or \"chat\": true for the model's own template");
  }
  if (e->empty) {
    fprintf(f, "%sprompt '%s' is empty: it is the begin token alone", e->special ? ". Also, " : "",
            e->empty->id);
    if (e->n_empty > 1) fprintf(f, " (and %d more)", e->n_empty - 1);
  }
  if (fclose(f) != 0) {
    free(text);
    return les_no_memory("a warning");
  }
  *warning = text;
  return LES_OK;
}

les_status les_prompts_encode(les_prompts *prompts, const les_job *job, const les_model *model,
                              char chat_sha256[65], char **warning) {
  encoder e = {.job = job, .model = model};
  *warning = NULL;
  *chat_sha256 = 0;
  les_status status = open_chat(&e, prompts);
  for (int i = 0; i < prompts->n && status == LES_OK; i++) status = encode(&e, &prompts->items[i]);
  if (status == LES_OK && e.chat) memcpy(chat_sha256, les_chat_sha256(e.chat), 65);
  if (status == LES_OK) status = warn(&e, warning);
  les_chat_close(&e.chat);
  return status;
}
