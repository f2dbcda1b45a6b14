#include "token/chat.h"

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "token/jinja.h"
#include "token/pipeline.h"

#include <stdlib.h>
#include <string.h>

struct les_chat {
  const les_tokenizer *tok;
  les_jinja *template;
  char sha256[65];
};

les_status les_chat_open(les_chat **out, const les_tokenizer *tok) {
  *out = NULL;
  const les_chat_source *from = &tok->chat;
  if (!from->template)
    return les_fail(LES_FAILED, "the model brings no chat template: write its turns into the prompt and let "
                                "special tokens count (--special, in a job \"special\": true), or put a "
                                "chat_template.jinja beside tokenizer.json");
  les_chat *chat = calloc(1, sizeof *chat);
  if (!chat) return les_no_memory("a chat template");
  chat->tok = tok;
  les_status status = les_jinja_open(&chat->template, from->template, from->n);
  if (status == LES_OK) status = les_sha256(from->template, from->n, chat->sha256);
  if (status != LES_OK) les_chat_close(&chat);
  *out = chat;
  return status;
}

void les_chat_close(les_chat **chat) {
  if (!*chat) return;
  les_jinja_close(&(*chat)->template);
  free(*chat);
  *chat = NULL;
}

const char *les_chat_sha256(const les_chat *chat) {
  return chat->sha256;
}

static cJSON *message(const char *role, const char *content) {
  cJSON *o = cJSON_CreateObject();
  if (o && cJSON_AddStringToObject(o, "role", role) && cJSON_AddStringToObject(o, "content", content))
    return o;
  cJSON_Delete(o);
  return NULL;
}

static bool append(cJSON *list, cJSON *item) {
  if (item && cJSON_AddItemToArray(list, item)) return true;
  cJSON_Delete(item);
  return false;
}

les_status les_chat_make(cJSON **out, const char *system, const char *user, size_t n) {
  *out = NULL;
  if (les_text_valid(user, n) < n)
    return les_fail(LES_FAILED, "the text of a chat has to be valid UTF-8 without null characters");
  char *text = strndup(user, n);
  cJSON *list = text ? cJSON_CreateArray() : NULL;
  bool ok =
      list && (!system || append(list, message("system", system))) && append(list, message("user", text));
  free(text);
  if (ok) {
    *out = list;
    return LES_OK;
  }
  cJSON_Delete(list);
  return les_no_memory("a conversation");
}

les_status les_chat_check(const cJSON *messages) {
  /* other names of one thing, which transformers copies to each other */
  static const char *const reasoning[] = {"reasoning_content", "thinking", "reasoning"};
  const cJSON *item;
  if (!cJSON_IsArray(messages) || !messages->child)
    return les_fail(LES_FAILED, "'messages' has to be a list of {\"role\", \"content\"}");
  cJSON_ArrayForEach(item, messages) {
    if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(item, "role")) ||
        !cJSON_IsString(cJSON_GetObjectItemCaseSensitive(item, "content")))
      return les_fail(LES_FAILED, "a message needs a 'role' and a 'content', both strings");
    for (int i = 0; i < 3; i++)
      if (cJSON_GetObjectItemCaseSensitive(item, reasoning[i]))
        return les_fail(LES_FAILED, "a message with '%s' is not supported", reasoning[i]);
  }
  return LES_OK;
}

/* The names that a template can use, around `messages`, which stay the caller's. */
static cJSON *make_variables(const les_chat *chat, const cJSON *messages) {
  const cJSON *special = chat->tok->chat.special;
  cJSON *o = special ? cJSON_Duplicate(special, true) : cJSON_CreateObject();
  if (o && cJSON_AddBoolToObject(o, "add_generation_prompt", true) && cJSON_AddNullToObject(o, "tools") &&
      cJSON_AddNullToObject(o, "documents") &&
      cJSON_AddItemReferenceToObject(o, "messages", (cJSON *)messages))
    return o;
  cJSON_Delete(o);
  return NULL;
}

les_status les_chat_render(const les_chat *chat, const cJSON *messages, les_buffer *out) {
  LES_TRY(les_chat_check(messages));
  cJSON *variables = make_variables(chat, messages);
  if (!variables) return les_no_memory("a conversation");
  les_status status = les_jinja_render(chat->template, variables, out);
  cJSON_Delete(variables);
  return status;
}

les_status les_chat_encode(const les_chat *chat, const cJSON *messages, les_tokens *t) {
  *t = (les_tokens){0};
  les_buffer text = {0};
  les_status status = les_chat_render(chat, messages, &text);
  if (status == LES_OK)
    status =
        les_encode(chat->tok, text.n ? text.data : "", text.n, &(les_encode_options){.special = true}, t);
  les_buffer_free(&text);
  return status;
}

/* ---- where templates come from ---- */

void les_chat_source_free(les_chat_source *s) {
  free(s->template);
  cJSON_Delete(s->special);
  *s = (les_chat_source){0};
}

les_status les_chat_set_template(les_chat_source *s, const char *text, size_t n) {
  char *copy = malloc(n + 1);
  if (!copy) return les_no_memory("a chat template of %zu bytes", n);
  if (n) memcpy(copy, text, n);
  copy[n] = 0;
  free(s->template);
  s->template = copy;
  s->n = n;
  return LES_OK;
}

les_status les_chat_set_special(les_chat_source *s, const char *name, const char *text) {
  if (!s->special) s->special = cJSON_CreateObject();
  if (!s->special) return les_no_memory("the names of special tokens");
  if (cJSON_HasObjectItem(s->special, name)) return LES_OK;
  return cJSON_AddStringToObject(s->special, name, text) ? LES_OK
                                                         : les_no_memory("the names of special tokens");
}

/* "chat_template" is a text, or a list of {"name", "template"}. */
static les_status read_template(les_chat_source *s, const cJSON *value) {
  const cJSON *item;
  if (cJSON_IsString(value)) return les_chat_set_template(s, value->valuestring, strlen(value->valuestring));
  cJSON_ArrayForEach(item, value) {
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "template");
    if (cJSON_IsString(name) && !strcmp(name->valuestring, "default")) return read_template(s, text);
  }
  return LES_OK;
}

les_status les_chat_read_config(les_chat_source *s, const cJSON *config) {
  static const char *const names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                      "pad_token", "cls_token", "mask_token"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const cJSON *token = cJSON_GetObjectItemCaseSensitive(config, names[i]);
    if (cJSON_IsObject(token)) token = cJSON_GetObjectItemCaseSensitive(token, "content");
    if (cJSON_IsString(token)) LES_TRY(les_chat_set_special(s, names[i], token->valuestring));
  }
  return s->template ? LES_OK : read_template(s, cJSON_GetObjectItemCaseSensitive(config, "chat_template"));
}

les_status les_chat_read_gguf(les_tokenizer *tok, const les_gguf *g) {
  static const char *const keys[][2] = {{"bos_token", "tokenizer.ggml.bos_token_id"},
                                        {"eos_token", "tokenizer.ggml.eos_token_id"},
                                        {"unk_token", "tokenizer.ggml.unknown_token_id"},
                                        {"sep_token", "tokenizer.ggml.seperator_token_id"},
                                        {"pad_token", "tokenizer.ggml.padding_token_id"}};
  const char *text;
  size_t n;
  int64_t id;
  if (les_gguf_string(g, "tokenizer.chat_template", &text, &n))
    LES_TRY(les_chat_set_template(&tok->chat, text, n));
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (!les_gguf_int(g, keys[i][1], &id) || id < 0 || id >= tok->vocab.n) continue;
    text = les_vocab_text(&tok->vocab, (int32_t)id, &n);
    if (les_text_valid(text, n) < n) continue;
    char *name = strndup(text, n);
    if (!name) return les_no_memory("the names of special tokens");
    les_status status = les_chat_set_special(&tok->chat, keys[i][0], name);
    free(name);
    LES_TRY(status);
  }
  return LES_OK;
}
