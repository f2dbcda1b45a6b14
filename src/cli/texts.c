#include "cli/texts.h"

#include "base/file.h"
#include "cli/cli.h"
#include "token/chat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cli_texts_add(cli_texts *texts, cli_text_kind kind, const char *value) {
  texts->items = realloc(texts->items, (size_t)(texts->n + 1) * sizeof *texts->items);
  texts->items[texts->n++] = (cli_text){.kind = kind, .value = value};
}

enum { KEY_CHAT = 256 };

static error_t parse(int key, char *arg, struct argp_state *state) {
  cli_texts *texts = state->input;
  switch (key) {
  case 'x':
    cli_texts_add(texts, CLI_TEXT, arg);
    return 0;
  case 'f':
    cli_texts_add(texts, CLI_TEXT_FILE, arg);
    return 0;
  case 'i':
    cli_texts_add(texts, CLI_TEXT_TOKENS, arg);
    return 0;
  case 'B':
    texts->encode.bos = false;
    return 0;
  case 'S':
    texts->encode.special = true;
    return 0;
  case KEY_CHAT:
    texts->chat = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"text", 'x', "TEXT", 0, "A text; this and the next two may be given several times", 1},
    {"file", 'f', "FILE", 0, "A text file", 1},
    {"tokens", 'i', "1,2,3", 0, "Token ids, taken as they are", 1},
    {"no-bos", 'B', NULL, 0, "Put no begin token in front of texts", 2},
    {"special", 'S', NULL, 0, "Special tokens written in texts count as such", 2},
    {"chat", KEY_CHAT, NULL, 0, "Wrap each text as a user's turn in the chat template of Llama 3 or Gemma",
     2},
    {0}};
const struct argp cli_texts_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

les_status cli_parse_ids(const char *list, les_tokens *tokens) {
  size_t n = 1;
  for (const char *c = list; *c; c++) n += *c == ',';
  *tokens = (les_tokens){.ids = malloc(n * sizeof *tokens->ids)};
  if (!tokens->ids) return les_fail(LES_FAILED, "out of memory for %zu tokens", n);
  for (const char *c = list;; c++) {
    char *end;
    errno = 0;
    long id = strtol(c, &end, 10);
    if (end == c || (*end && *end != ',') || errno || id < 0 || id > INT32_MAX) {
      les_tokens_free(tokens);
      return les_fail(LES_USAGE, "'%s' is not a list of token ids such as 1,2,3", list);
    }
    tokens->ids[tokens->n++] = (int32_t)id;
    if (!*end) return LES_OK;
    c = end;
  }
}

static les_status encode(const cli_texts *texts, const les_model *model, const char *text, size_t n,
                         les_tokens *out) {
  LES_TRY(les_model_need_tokenizer(model));
  return texts->chat ? les_chat_encode(model->tokenizer, text, n, &texts->encode, out)
                     : les_encode(model->tokenizer, text, n, &texts->encode, out);
}

static les_status resolve(const cli_texts *texts, cli_text *t, const les_model *model) {
  if (t->kind == CLI_TEXT_TOKENS) return cli_parse_ids(t->value, &t->tokens);
  if (t->kind == CLI_TEXT) return encode(texts, model, t->value, strlen(t->value), &t->tokens);
  char *data;
  size_t n;
  LES_TRY(les_file_read(t->value, &data, &n));
  les_status status = encode(texts, model, data, n, &t->tokens);
  free(data);
  return status;
}

static les_status check(const cli_text *t, const les_model *model, int room) {
  const char *what = t->kind == CLI_TEXT_FILE ? t->value
                     : t->kind == CLI_TEXT    ? "the text"
                                              : "the token list";
  if (t->tokens.n == 0)
    return les_fail(LES_FAILED, "%s has no tokens, and this model's tokenizer puts none in front", what);
  for (int i = 0; i < t->tokens.n; i++)
    if (t->tokens.ids[i] >= model->hparams.n_vocab)
      return les_fail(LES_FAILED, "%s: token %d is outside of the vocabulary of %d", what, t->tokens.ids[i],
                      model->hparams.n_vocab);
  if (t->tokens.n > model->hparams.n_ctx - room)
    return les_fail(LES_FAILED, "%s: %d tokens%s are more than the model's context of %d; shorten it", what,
                    t->tokens.n, room > 0 ? " and the new ones" : "", model->hparams.n_ctx);
  return LES_OK;
}

les_status cli_texts_resolve(cli_texts *texts, const les_model *model, int room, les_input **inputs) {
  *inputs = calloc((size_t)texts->n + 1, sizeof **inputs);
  if (!*inputs) return les_fail(LES_FAILED, "out of memory for %d texts", texts->n);
  for (int i = 0; i < texts->n; i++) {
    LES_TRY(resolve(texts, &texts->items[i], model));
    LES_TRY(check(&texts->items[i], model, room));
    (*inputs)[i] = (les_input){.tokens = texts->items[i].tokens.ids, .n = texts->items[i].tokens.n};
  }
  return LES_OK;
}

void cli_texts_free(cli_texts *texts) {
  for (int i = 0; i < texts->n; i++) les_tokens_free(&texts->items[i].tokens);
  free(texts->items);
  *texts = (cli_texts){0};
}
