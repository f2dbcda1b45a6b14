/* Prompts: texts, each of a domain, that a model is to continue. */
#ifndef LES_DATA_PROMPTS_H
#define LES_DATA_PROMPTS_H

#include "token/tokenizer.h"

typedef struct les_prompt {
  char *id, *domain, *text;
  char *answer;      /* expected answer; NULL: none given */
  les_tokens tokens; /* of the text, once it is tokenized */
} les_prompt;

typedef struct les_prompts {
  les_prompt *items;
  int n;
  char sha256[65]; /* of the file's bytes */
} les_prompts;

/* Reads a JSONL file of {"id", "domain", "prompt"[, "answer"]}, other keys being the user's own. Every line
 * is checked: valid JSON and UTF-8, ids unique; blank lines are passed over. Errors name file and line.
 * Tokens are left empty. */
les_status les_prompts_read(les_prompts *out, const char *path);
void les_prompts_free(les_prompts *p);

#endif
