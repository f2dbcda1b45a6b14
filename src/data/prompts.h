/* Prompts: texts, each of a domain, that a model is to continue. */
#ifndef LES_DATA_PROMPTS_H
#define LES_DATA_PROMPTS_H

#include "token/tokenizer.h"

#include <cjson/cJSON.h>

typedef struct les_prompt {
  char *id, *domain;
  char *text;        /* of a conversation: its contents, with blank lines between */
  cJSON *messages;   /* a conversation for the model's chat template; NULL: the text is the prompt */
  char *answer;      /* expected answer; NULL: none given */
  les_tokens tokens; /* of the text, once it is tokenized */
} les_prompt;

typedef struct les_prompts {
  les_prompt *items;
  int n;
  char sha256[65]; /* of the file's text */
} les_prompts;

/* Reads a file of rows (rows.h: JSONL, a JSON array, CSV, TSV). The prompt is the string at `prompt`, else at
 * `text`, `question` or `input`, else the conversation at `messages`, a list of {"role", "content"}. `id` is
 * a string or a number, without one the row's number from 1; `domain` is "all" if not given; `answer` is
 * optional; other keys are the user's own. Ids have to be unique. Errors name file and line. Tokens are left
 * empty. */
les_status les_prompts_read(les_prompts *out, const char *path);
void les_prompts_free(les_prompts *p);

#endif
