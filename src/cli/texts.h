/* Texts given on the command line, as tokens: --text, --file and --tokens, each any number of times. */
#ifndef LES_CLI_TEXTS_H
#define LES_CLI_TEXTS_H

#include "engine/engine.h"

#include <argp.h>

typedef enum cli_text_kind { CLI_TEXT, CLI_TEXT_FILE, CLI_TEXT_TOKENS } cli_text_kind;

typedef struct cli_text {
  cli_text_kind kind;
  const char *value; /* as on the command line */
  les_tokens tokens;
} cli_text;

typedef struct cli_texts {
  cli_text *items; /* in the order of the command line */
  int n;
  les_encode_options encode;
  bool chat; /* texts are wrapped in the model's chat template */
} cli_texts;

/* --text, --file, --tokens, --no-bos, --special and --chat; the input of the child is a cli_texts with
 * encode.bos set. */
extern const struct argp cli_texts_argp;

/* Adds one text, as an option of the command does. */
void cli_texts_add(cli_texts *texts, cli_text_kind kind, const char *value);

/* Reads files and encodes texts; checks ids and lengths against the model, which may go on for `room` more
 * tokens. *inputs gets an array of texts->n, which the caller frees; its tokens are those of `texts`. */
les_status cli_texts_resolve(cli_texts *texts, const les_model *model, int room, les_input **inputs);
void cli_texts_free(cli_texts *texts);

/* Reads "1,2,3" into tokens; LES_USAGE if it is something else. */
les_status cli_parse_ids(const char *list, les_tokens *tokens);

#endif
