/* Keeps the tokens of short words while a text is encoded: texts repeat their words. */
#ifndef LES_TOKEN_WORD_CACHE_H
#define LES_TOKEN_WORD_CACHE_H

#include "token/vocab.h"

/* Start from {0}; free with les_word_cache_free. */
typedef struct les_word_cache {
  struct les_cached_word *slots; /* NULL until a word is kept */
} les_word_cache;

/* Appends the tokens of the word's n > 0 bytes if they are kept; false if they are not. */
bool les_word_cache_get(const les_word_cache *c, const char *word, size_t n, les_ids *ids);

/* Keeps the word's tokens, in the place of another word's. Long words are not kept, nor is any when memory is
 * out. */
void les_word_cache_put(les_word_cache *c, const char *word, size_t n, const int32_t *ids, size_t n_ids);

void les_word_cache_free(les_word_cache *c);

#endif
