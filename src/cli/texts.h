/* Texts given on the command line, as tokens: --text, --file and --tokens, each any number of times. */
#ifndef LES_CLI_TEXTS_H
#define LES_CLI_TEXTS_H

#include "engine/engine.h"

#include <argp.h>

/* How a text becomes tokens. */
typedef struct cli_encoding {
  les_encode_options options;
  bool chat;          /* as a user's turn in the model's chat template */
  const char *system; /* message in front of it; NULL: none */
} cli_encoding;

/* --no-bos, --special, --chat and --system; the input of the child is a cli_encoding with options.bos set. */
extern const struct argp cli_encoding_argp;

/* Encodes n bytes of text; *out is for les_tokens_free. */
les_status cli_encode(const cli_encoding *e, const les_tokenizer *tokenizer, const char *text, size_t n,
                      les_tokens *out);

typedef enum cli_text_kind { CLI_KIND_TEXT, CLI_KIND_FILE, CLI_KIND_TOKENS } cli_text_kind;

typedef struct cli_text {
  cli_text_kind kind;
  const char *value; /* as on the command line */
  char *document;    /* one of the file's, which holds several; NULL: the file or text is one */
  les_tokens tokens;
} cli_text;

typedef struct cli_texts {
  cli_text *items; /* in the order of the command line */
  int n;
  cli_encoding encoding;
} cli_texts;

/* --text, --file, --tokens and the options of cli_encoding_argp; the input of the child is a cli_texts with
 * encoding.options.bos set. */
extern const struct argp cli_texts_argp;

/* Adds one text, as an option of the command does. */
void cli_texts_add(cli_texts *texts, cli_text_kind kind, const char *value);

/* Reads files and encodes texts; a file of rows (data/rows.h) becomes a text for each of its documents, so
 * that texts->n may grow. Checks ids and lengths against the model, which may go on for `room` more tokens.
 * *inputs gets an array of texts->n, which the caller frees; its tokens are those of `texts`. */
les_status cli_texts_resolve(cli_texts *texts, const les_model *model, int room, les_input **inputs);
/* What a text is called in the output: as it was given, or the document itself. */
const char *cli_text_name(const cli_text *text);
void cli_texts_free(cli_texts *texts);

/* Reads "1,2,3" into tokens; LES_USAGE if it is something else. */
les_status cli_parse_ids(const char *list, les_tokens *tokens);

#endif
