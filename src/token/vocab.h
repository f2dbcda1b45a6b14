/* A vocabulary: the tokens' texts and types, and a hash table from text to id. */
#ifndef LES_TOKEN_VOCAB_H
#define LES_TOKEN_VOCAB_H

#include "base/buffer.h"

/* Types of tokens, numbered as in GGUF's tokenizer.ggml.token_type. */
typedef enum les_token_type {
  LES_TOKEN_NORMAL = 1,
  LES_TOKEN_UNKNOWN = 2,
  LES_TOKEN_CONTROL = 3,
  LES_TOKEN_USER_DEFINED = 4,
  LES_TOKEN_UNUSED = 5,
  LES_TOKEN_BYTE = 6
} les_token_type;

typedef struct les_vocab {
  int n;
  les_buffer texts;                     /* all texts, concatenated */
  size_t *ends;                         /* (n) end of each text in `texts` */
  uint8_t *types;                       /* (n) les_token_type */
  bool *hidden;                         /* (n) les_vocab_find does not find it */
  struct les_vocab_spelling *spellings; /* (n_spellings) sorted by id */
  int n_spellings;
  int32_t *slots;     /* (n_slots) hash table of ids, -1: empty */
  size_t n_slots;     /* a power of two */
  int32_t bytes[256]; /* id of the token "<0xNN>", -1: none */
} les_vocab;

/* Makes room for n tokens; they are then set with les_vocab_add in order of their ids. Free with
 * les_vocab_free. */
les_status les_vocab_start(les_vocab *v, int n);
void les_vocab_add(les_vocab *v, const char *text, size_t n_text, les_token_type type);
/* As les_vocab_add, for a token that les_vocab_find is not to find: it has an id only. */
void les_vocab_add_hidden(les_vocab *v, const char *text, size_t n_text, les_token_type type);
/* Builds the hash table. Of equal texts the last id is found; an empty text never is. */
les_status les_vocab_finish(les_vocab *v);
void les_vocab_free(les_vocab *v);

/* The text of a token, not null-terminated. 0 <= id < v->n. */
const char *les_vocab_text(const les_vocab *v, int32_t id, size_t *n);

/* Has a token decoded as `text` instead of the text it is looked up by. */
les_status les_vocab_respell(les_vocab *v, int32_t id, const char *text, size_t n);

/* The text that a token is decoded as: les_vocab_text unless respelled. */
const char *les_vocab_spelling(const les_vocab *v, int32_t id, size_t *n);

/* The id of a text, -1: not there. */
int32_t les_vocab_find(const les_vocab *v, const char *text, size_t n);

/* The byte of a token of the form "<0xNN>", -1 for any other text. */
int les_vocab_byte(const char *text, size_t n);

/* A growable list of ids, with les_buffer's rules. */
typedef struct les_ids {
  int32_t *data;
  size_t n, capacity;
  bool failed;
} les_ids;

void les_ids_append(les_ids *ids, int32_t id);
/* LES_FAILED with a message if an append ran out of memory, or there are more than INT32_MAX ids. */
les_status les_ids_status(const les_ids *ids);
void les_ids_free(les_ids *ids);

#endif
