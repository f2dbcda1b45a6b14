/* Text to token ids and back: SentencePiece-style (SPM) and byte-pair (BPE) vocabularies, from a GGUF file or
 * a tokenizer.json. */
#ifndef LES_TOKEN_TOKENIZER_H
#define LES_TOKEN_TOKENIZER_H

#include "base/status.h"
#include "format/gguf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct les_tokenizer les_tokenizer;

typedef struct les_tokens {
  int32_t *ids; /* owned; free with les_tokens_free */
  int n;
} les_tokens;

void les_tokens_free(les_tokens *t);

typedef struct les_encode_options {
  bool bos;     /* put the begin token in front where the tokenizer asks for one */
  bool special; /* special tokens written in the text count as such; else they are plain text */
} les_encode_options;

/* Encodes `n` bytes of text (broken UTF-8 allowed). t->ids is NULL and t->n 0 on failure. */
les_status les_encode(const les_tokenizer *tok, const char *text, size_t n, const les_encode_options *options,
                      les_tokens *t);

typedef struct les_decode_options {
  bool special;  /* special tokens as they are written; else they give nothing */
  bool document; /* the ids are a whole document, which lacks the space that the tokenizer puts in front of
                    one */
} les_decode_options;

/* Decodes n ids to UTF-8 in O(n); broken UTF-8 becomes U+FFFD. *text is malloc'ed, null-terminated, and the
 * caller's; *n_text (may be NULL) is its length, which counts null characters of the text itself. Ids outside
 * of the vocabulary are an error. With `document`, decoding what les_encode gave returns the text, normalised
 * as the tokenizer does it. */
les_status les_decode_with(const les_tokenizer *tok, const int32_t *ids, int n,
                           const les_decode_options *options, char **text, size_t *n_text);

/* Decodes a continuation: no special tokens, and a leading space stays. A null character becomes U+FFFD,
 * since *text ends at the first one. */
les_status les_decode(const les_tokenizer *tok, const int32_t *ids, int n, char **text);

/* The begin token that les_encode puts in front; -1 if it puts none. */
int32_t les_tokenizer_bos(const les_tokenizer *tok);

/* The vocabulary's begin token (BOS), whether les_encode puts it in front or not, as transformers'
 * bos_token_id: the one that the files name, else the one that les_encode puts in front; -1: there is none.
 */
int32_t les_tokenizer_bos_id(const les_tokenizer *tok);

/* The special or added token that is written so; -1: none. */
int32_t les_tokenizer_find(const les_tokenizer *tok, const char *text);

/* The first special token that is written out in the text; -1: none. */
int32_t les_tokenizer_find_special(const les_tokenizer *tok, const char *text, size_t n);

/* How a token is written; n bytes, not null-terminated. */
const char *les_tokenizer_text(const les_tokenizer *tok, int32_t id, size_t *n);

/* Makes the tokenizer that a GGUF file's tokenizer.ggml.* keys describe. Copies what it needs: g may be
 * closed afterwards. A model or pre-tokenizer that is not known is an error that names it. */
les_status les_tokenizer_open_gguf(les_tokenizer **out, const les_gguf *g);

/* Opens a Hugging Face tokenizer.json on its own. config_path: tokenizer_config.json beside it, or NULL. */
les_status les_tokenizer_open_json(les_tokenizer **out, const char *path, const char *config_path);

/* Opens the tokenizer.json of a model's folder, with what lies beside it: tokenizer_config.json,
 * special_tokens_map.json, chat_template.jinja. */
les_status les_tokenizer_open_folder(les_tokenizer **out, const char *folder);

/* Frees; *tok becomes NULL. Accepts NULL. */
void les_tokenizer_close(les_tokenizer **tok);

#endif
