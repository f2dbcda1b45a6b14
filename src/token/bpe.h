/* Byte-pair encoding: the adjacent pair of tokens that comes first in the list of merges is merged, until no
 * pair is in the list (Sennrich et al., 2016). */
#ifndef LES_TOKEN_BPE_H
#define LES_TOKEN_BPE_H

#include "token/pair_heap.h"
#include "token/vocab.h"

typedef struct les_bpe {
  const les_vocab *vocab;
  struct les_bpe_merge *slots; /* (n_slots) hash table by the pair of ids; owned */
  size_t n_slots;              /* a power of two */
  les_buffer joined;           /* working memory of les_bpe_add */
  bool ignore_merges;          /* a word that is itself a token is not split */
  bool byte_fallback;          /* a character without a token becomes the tokens "<0xNN>" of its bytes */
  bool fuse_unknown;           /* consecutive unknown characters become one unknown token */
  int32_t unknown;             /* token for an unknown character, -1: it is dropped */
} les_bpe;

/* Makes room for n merges. Free with les_bpe_free. */
les_status les_bpe_start(les_bpe *bpe, const les_vocab *vocab, int64_t n);

/* Adds the merge of that rank; *added is false if a part of it or its result is no token. `rank` < 2^24. */
les_status les_bpe_add(les_bpe *bpe, int32_t rank, const char *left, size_t n_left, const char *right,
                       size_t n_right, bool *added);

void les_bpe_free(les_bpe *bpe);

/* Appends the tokens of one word of valid UTF-8. */
les_status les_bpe_encode(const les_bpe *bpe, les_pair_heap *heap, const char *word, size_t n, les_ids *ids);

#endif
