/* A template as tokens. White space around tags is dealt with here: "-" and "+" in them, and what Jinja's
 * settings trim_blocks and lstrip_blocks do. Not for users of templates: they include jinja.h. */
#ifndef LES_TOKEN_JINJA_LEXER_H
#define LES_TOKEN_JINJA_LEXER_H

#include "token/jinja_value.h"

typedef enum les_jinja_token_kind {
  LES_JINJA_END,
  LES_JINJA_DATA,        /* text between tags */
  LES_JINJA_PRINT,       /* {{ */
  LES_JINJA_PRINT_END,   /* }} */
  LES_JINJA_TAG,         /* {% */
  LES_JINJA_TAG_END,     /* %} */
  LES_JINJA_NAME,        /* also keywords */
  LES_JINJA_STRING_TEXT, /* unescaped */
  LES_JINJA_NUMBER,      /* digits, perhaps with a point or an exponent */
  LES_JINJA_OPERATOR,
} les_jinja_token_kind;

typedef struct les_jinja_token {
  les_jinja_token_kind kind;
  int line;
  les_jinja_text text;
} les_jinja_token;

typedef struct les_jinja_tokens {
  les_jinja_token *items; /* (n) the last one is LES_JINJA_END */
  size_t n, capacity;
} les_jinja_tokens;

/* Cuts a template of n bytes, valid UTF-8 without null characters and carriage returns. The tokens live in
 * the heap, where failures are too. */
void les_jinja_lex(les_jinja_heap *h, const char *template, size_t n, les_jinja_tokens *out);

#endif
