/* Chat templates: a conversation as the text and tokens that the model was trained on, up to where its answer
 * starts. The template is the model's own, written in Jinja (jinja.h), and the result is that of
 * transformers' apply_chat_template with add_generation_prompt. */
#ifndef LES_TOKEN_CHAT_H
#define LES_TOKEN_CHAT_H

#include "base/buffer.h"
#include "token/tokenizer.h"

#include <cjson/cJSON.h>

typedef struct les_chat les_chat;

/* Takes the template that came with the tokenizer: a GGUF file's tokenizer.chat_template, else
 * chat_template.jinja beside tokenizer.json, else "chat_template" of tokenizer_config.json; of several, the
 * one named "default". A model that brings none, or one that cannot be read, is an error. The tokenizer
 * outlives the chat. */
les_status les_chat_open(les_chat **out, const les_tokenizer *tok);

/* Frees; *chat becomes NULL. Accepts NULL. */
void les_chat_close(les_chat **chat);

/* SHA-256 of the template, in hex. */
const char *les_chat_sha256(const les_chat *chat);

/* A conversation is a list of {"role", "content"}, two strings. Makes one of a user's turn of n bytes, after
 * a system message unless that is NULL; *out is for cJSON_Delete. */
les_status les_chat_make(cJSON **out, const char *system, const char *user, size_t n);

/* Fails unless `messages` is a conversation. */
les_status les_chat_check(const cJSON *messages);

/* Appends the conversation's text. */
les_status les_chat_render(const les_chat *chat, const cJSON *messages, les_buffer *out);

/* The tokens of that text. As in transformers, special tokens in it count as such, wherever they stand: also
 * where a message spells one out; and the begin token is there if the template writes it. */
les_status les_chat_encode(const les_chat *chat, const cJSON *messages, les_tokens *t);

#endif
