/* Added tokens: tokens that are matched in the text as a whole, before it is pre-tokenized. Special ones
 * ("<s>"), and others that a vocabulary's author added. */
#ifndef LES_TOKEN_ADDED_TOKENS_H
#define LES_TOKEN_ADDED_TOKENS_H

#include "token/vocab.h"

typedef struct les_added_token {
  int32_t id;
  bool special;     /* matched only if special tokens are asked for */
  bool lstrip;      /* the match includes white space before it */
  bool rstrip;      /* the match includes white space after it */
  bool single_word; /* not next to a word character */
} les_added_token;

/* The set of added tokens, as a trie over their bytes. */
typedef struct les_added_tokens {
  les_added_token *tokens; /* (n) */
  size_t n, capacity;
  struct les_trie_edge *edges; /* (n_slots) hash table by node and byte */
  size_t n_edges, n_slots;
  int32_t *terminal; /* (n_nodes) index of the token that ends at a node, -1: none */
  size_t n_nodes, node_capacity;
  bool starts[256]; /* whether a token starts with that byte */
} les_added_tokens;

/* Adds a token; of equal texts the first one counts, an empty text is ignored. */
les_status les_added_tokens_add(les_added_tokens *a, const char *text, size_t n, les_added_token token);
void les_added_tokens_free(les_added_tokens *a);

/* Iterates over the added tokens in a text, left to right, the longest one at each position. Set the first
 * four fields and leave the others 0. */
typedef struct les_added_token_walk {
  const les_added_tokens *added;
  const char *text; /* valid UTF-8 */
  size_t n;
  bool special; /* match special tokens too */
  size_t gap;   /* start of the plain text before the match */
  size_t gap_end;
  int32_t id;   /* the token matched */
  size_t taken; /* end of the match, white space included */
  size_t from;  /* where the search goes on */
} les_added_token_walk;

/* The next match; false at the end: the gap is then the rest of the text. */
bool les_added_token_next(les_added_token_walk *w);

#endif
