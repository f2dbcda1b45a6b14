/* Tokens that are recognised in the text before anything else is done to it: special ones ("<s>"), and those
 * that a vocabulary's maker added. */
#ifndef LES_TOKEN_ADDED_TOKENS_H
#define LES_TOKEN_ADDED_TOKENS_H

#include "token/vocab.h"

typedef struct les_added_token {
  int32_t id;
  bool special;     /* counts only where special tokens are asked for */
  bool lstrip;      /* takes the white space before it along */
  bool rstrip;      /* includes the white space after it */
  bool single_word; /* not next to a word character */
} les_added_token;

/* A trie of the tokens' bytes. */
typedef struct les_added {
  les_added_token *tokens; /* (n) */
  size_t n, capacity;
  struct les_trie_edge *edges; /* (n_slots) hash table by node and byte */
  size_t n_edges, n_slots;
  int32_t *terminal; /* (n_nodes) index of the token that ends at a node, -1: none */
  size_t n_nodes, node_capacity;
  bool starts[256]; /* whether a token starts with that byte */
} les_added;

/* Adds a token with its text; of equal texts the first one counts. An empty text is not added. */
les_status les_added_add(les_added *a, const char *text, size_t n, les_added_token token);
void les_added_free(les_added *a);

/* A walk over the tokens in a text: at each place the longest one, from left to right. Set the first four
 * fields and leave the others 0. */
typedef struct les_added_walk {
  const les_added *added;
  const char *text; /* valid UTF-8 */
  size_t n;
  bool special; /* special tokens count too */
  size_t gap;   /* start of the plain text before the token found */
  size_t gap_end;
  int32_t id;   /* the token found */
  size_t taken; /* where it ends, with the white space it takes along */
  size_t from;  /* where the search continues */
} les_added_walk;

/* The next token; false at the end, and then the gap is the plain text that is left. */
bool les_added_next(les_added_walk *w);

#endif
