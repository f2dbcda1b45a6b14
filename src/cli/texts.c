#include "cli/texts.h"

#include "base/text.h"
#include "cli/cli.h"
#include "data/documents.h"
#include "data/rows.h"
#include "token/chat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static error_t parse_encoding(int key, char *arg, struct argp_state *state) {
  cli_encoding *e = state->input;
  switch (key) {
  case CLI_NO_BOS:
    e->options.bos = false;
    return 0;
  case CLI_SPECIAL:
    e->options.special = true;
    return 0;
  case CLI_CHAT:
    e->chat = true;
    return 0;
  case CLI_SYSTEM:
    e->system = arg;
    return 0;
  case ARGP_KEY_END:
    if (e->system && !e->chat) argp_error(state, "--system goes with --chat");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option encoding_options[] = {
    {"no-bos", CLI_NO_BOS, NULL, 0, "Put no begin token in front of texts", 2},
    {"special", CLI_SPECIAL, NULL, 0, "Special tokens written in texts count as such", 2},
    {"chat", CLI_CHAT, NULL, 0,
     "Each text is a user's turn in the model's own chat template, up to where the answer starts, as "
     "transformers' apply_chat_template makes it; special tokens written in the text count as such there",
     2},
    {"system", CLI_SYSTEM, "TEXT", 0, "With --chat: the system message in front", 2},
    {0}};
const struct argp cli_encoding_argp = {encoding_options, parse_encoding, NULL, NULL, NULL, NULL, NULL};

static les_status encode_chat(const les_chat *chat, const char *system, const char *text, size_t n,
                              les_tokens *out) {
  cJSON *messages;
  LES_TRY(les_chat_make(&messages, system, text, n));
  les_status status = les_chat_encode(chat, messages, out);
  cJSON_Delete(messages);
  return status;
}

les_status cli_encode(const cli_encoding *e, const les_tokenizer *tokenizer, const char *text, size_t n,
                      les_tokens *out) {
  if (!e->chat) return les_encode(tokenizer, text, n, &e->options, out);
  les_chat *chat;
  *out = (les_tokens){0};
  LES_TRY(les_chat_open(&chat, tokenizer));
  les_status status = encode_chat(chat, e->system, text, n, out);
  les_chat_close(&chat);
  return status;
}

static void append(cli_texts *texts, cli_text text) {
  texts->items = cli_grow(texts->items, texts->n, sizeof *texts->items);
  texts->items[texts->n++] = text;
}

void cli_texts_add(cli_texts *texts, cli_text_kind kind, const char *value) {
  append(texts, (cli_text){.kind = kind, .value = value});
}

static error_t parse_text(int key, char *arg, struct argp_state *state) {
  cli_texts *texts = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &texts->encoding;
    return 0;
  case CLI_TEXT:
    cli_texts_add(texts, CLI_KIND_TEXT, arg);
    return 0;
  case CLI_FILE:
    cli_texts_add(texts, CLI_KIND_FILE, arg);
    return 0;
  case CLI_TOKENS:
    cli_texts_add(texts, CLI_KIND_TOKENS, arg);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option text_options[] = {
    CLI_TEXT_OPTION("A text; texts, files and tokens may be given several times", 1),
    CLI_FILE_OPTION("A text file, or .jsonl, .json, .csv or .tsv with a text a row", 1),
    {"tokens", CLI_TOKENS, "1,2,3", 0, "Token ids, taken as they are", 1},
    {0}};
static const struct argp_child text_children[] = {{&cli_encoding_argp, 0, NULL, 0}, {0}};
const struct argp cli_texts_argp = {text_options, parse_text, NULL, NULL, text_children, NULL, NULL};

les_status cli_parse_ids(const char *list, les_tokens *tokens) {
  size_t n = 1;
  for (const char *c = list; *c; c++) n += *c == ',';
  *tokens = (les_tokens){.ids = malloc(n * sizeof *tokens->ids)};
  if (!tokens->ids) return les_no_memory("%zu tokens", n);
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

static les_status resolve(const cli_texts *texts, cli_text *t, const les_model *model) {
  if (t->kind == CLI_KIND_TOKENS) return cli_parse_ids(t->value, &t->tokens);
  LES_TRY(les_model_need_tokenizer(model));
  const char *text = t->kind == CLI_KIND_TEXT ? t->value : t->document;
  if (text) return cli_encode(&texts->encoding, model->tokenizer, text, strlen(text), &t->tokens);
  char *data;
  size_t n;
  LES_TRY(les_text_read(t->value, &data, &n));
  les_status status = cli_encode(&texts->encoding, model->tokenizer, data, n, &t->tokens);
  free(data);
  return status;
}

static les_status check(const cli_text *t, const les_model *model, int room) {
  const char *what = t->kind == CLI_KIND_FILE   ? t->value
                     : t->kind == CLI_KIND_TEXT ? "the text"
                                                : "the token list";
  if (t->tokens.n == 0)
    return les_fail(LES_FAILED, "%s is empty: it has no tokens, and %s; give at least one token", what,
                    model->tokenizer ? "no begin token was put in front of it"
                                     : "this model has no tokenizer");
  if (t->kind == CLI_KIND_TEXT && !*t->value)
    fputs("lesion: an empty text is given: the begin token stands alone\n", stderr);
  for (int i = 0; i < t->tokens.n; i++)
    if (t->tokens.ids[i] >= model->hparams.n_vocab)
      return les_fail(LES_FAILED, "%s: token %d is outside of the vocabulary of %d", what, t->tokens.ids[i],
                      model->hparams.n_vocab);
  if (t->tokens.n > model->hparams.n_ctx - room)
    return les_fail(LES_FAILED, "%s: %d tokens%s are more than the model's context of %d; shorten it", what,
                    t->tokens.n, room > 0 ? " and the new ones" : "", model->hparams.n_ctx);
  return LES_OK;
}

/* Takes the documents over. */
static void append_documents(cli_texts *texts, const cli_text *file, les_documents *documents) {
  for (int i = 0; i < documents->n; i++) {
    cli_text text = {.kind = CLI_KIND_FILE, .value = file->value, .document = documents->items[i].text};
    documents->items[i].text = NULL;
    append(texts, text);
  }
}

/* Puts the documents of files that hold several in the files' places. */
static les_status expand_files(cli_texts *texts) {
  cli_texts all = {.encoding = texts->encoding};
  les_status status = LES_OK;
  for (int i = 0; i < texts->n && status == LES_OK; i++) {
    const cli_text *t = &texts->items[i];
    if (t->kind != CLI_KIND_FILE || !les_rows_named(t->value)) {
      append(&all, *t);
      continue;
    }
    les_documents documents = {0};
    status = les_documents_read(&documents, t->value, NULL);
    if (status == LES_OK && documents.n == 0)
      status = les_fail(LES_FAILED, "%s: holds no document", t->value);
    if (status == LES_OK) append_documents(&all, t, &documents);
    les_documents_free(&documents);
  }
  cli_texts_free(status == LES_OK ? texts : &all);
  if (status == LES_OK) *texts = all;
  return status;
}

les_status cli_texts_resolve(cli_texts *texts, const les_model *model, int room, les_input **inputs) {
  *inputs = NULL;
  LES_TRY(expand_files(texts));
  *inputs = calloc((size_t)texts->n + 1, sizeof **inputs);
  if (!*inputs) return les_no_memory("%d texts", texts->n);
  for (int i = 0; i < texts->n; i++) {
    LES_TRY(resolve(texts, &texts->items[i], model));
    LES_TRY(check(&texts->items[i], model, room));
    (*inputs)[i] = (les_input){
        .tokens = texts->items[i].tokens.ids, .n = texts->items[i].tokens.n, .stream = (uint64_t)i};
  }
  return LES_OK;
}

const char *cli_text_name(const cli_text *text) {
  return text->document ? text->document : text->value;
}

void cli_texts_free(cli_texts *texts) {
  for (int i = 0; i < texts->n; i++) {
    les_tokens_free(&texts->items[i].tokens);
    free(texts->items[i].document);
  }
  free(texts->items);
  *texts = (cli_texts){0};
}
