/* Byte-pair encoding: of all neighbouring tokens the pair that stands first in the list of merges is merged,
 * until none is left (Sennrich et al., 2016). */
#ifndef LES_TOKEN_BPE_H
#define LES_TOKEN_BPE_H

#include "token/pair_heap.h"
#include "token/vocab.h"

typedef struct les_bpe {
  const les_vocab *vocab;
  struct les_bpe_merge *slots; /* (n_slots) hash table by the pair of ids; owned */
  size_t n_slots;              /* a power of two */
  bool ignore_merges;          /* a word that is a token is taken whole, whatever the merges give */
  bool byte_fallback;          /* a character that is no token becomes its bytes' tokens "<0xNN>" */
  bool fuse_unknown;           /* characters without a token in a row are one unknown token */
  int32_t unknown;             /* token for a character without one, -1: it is left out */
} les_bpe;

/* Makes room for n merges. Free with les_bpe_free. */
les_status les_bpe_start(les_bpe *bpe, const les_vocab *vocab, int64_t n);

/* Adds the merge of that rank; false if a part of it or what it makes is no token. `rank` < 2^24. */
bool les_bpe_add(les_bpe *bpe, int32_t rank, const char *left, size_t n_left, const char *right,
                 size_t n_right);

void les_bpe_free(les_bpe *bpe);

/* Appends the tokens of one word of valid UTF-8. */
les_status les_bpe_encode(const les_bpe *bpe, les_pair_heap *m, const char *word, size_t n, les_ids *ids);

#endif
