/* A vocabulary: the texts of the tokens, their kinds, and the way back from a text to its id. */
#ifndef LES_TOKEN_VOCAB_H
#define LES_TOKEN_VOCAB_H

#include "base/buffer.h"

/* Kinds of tokens, numbered as in GGUF's tokenizer.ggml.token_type. */
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
  bool *hidden;                         /* (n) not in the index */
  struct les_vocab_spelling *spellings; /* (n_spellings) by ascending id */
  int n_spellings;
  int32_t *slots;     /* (n_slots) hash table of ids, -1: empty */
  size_t n_slots;     /* a power of two */
  int32_t bytes[256]; /* id of the token "<0xNN>", -1: none */
} les_vocab;

/* Makes room for n tokens; they are then set with les_vocab_add in order of their ids. Free with
 * les_vocab_free. */
les_status les_vocab_start(les_vocab *v, int n);
void les_vocab_add(les_vocab *v, const char *text, size_t n_text, les_token_type type);
/* As les_vocab_add, for a token that les_vocab_find does not find: it is known by its id alone. */
void les_vocab_add_hidden(les_vocab *v, const char *text, size_t n_text, les_token_type type);
/* Ends the adding: builds the index. Of equal texts the last id is found; an empty text never is. */
les_status les_vocab_finish(les_vocab *v);
void les_vocab_free(les_vocab *v);

/* The text of a token, not null-terminated. 0 <= id < v->n. */
const char *les_vocab_text(const les_vocab *v, int32_t id, size_t *n);

/* From now on a token is written as `text` instead of as it is looked up. */
les_status les_vocab_respell(les_vocab *v, int32_t id, const char *text, size_t n);

/* As les_vocab_text, but what the token is written as. */
const char *les_vocab_spelling(const les_vocab *v, int32_t id, size_t *n);

/* The id of a text, -1: not there. */
int32_t les_vocab_find(const les_vocab *v, const char *text, size_t n);

/* The byte that a token of the form "<0xNN>" stands for, -1: another form. */
int les_vocab_byte(const char *text, size_t n);

/* Ids that grow, as les_buffer does with bytes. */
typedef struct les_ids {
  int32_t *data;
  size_t n, capacity;
  bool failed;
} les_ids;

void les_ids_append(les_ids *ids, int32_t id);
void les_ids_free(les_ids *ids);

#endif
