/* Merging of adjacent symbols, cheapest pair first: the loop that SPM and BPE share. */
#ifndef LES_TOKEN_PAIR_HEAP_H
#define LES_TOKEN_PAIR_HEAP_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of the word, in a doubly linked list in the order of the text. */
typedef struct les_symbol {
  const char *text;
  int32_t n;    /* bytes; 0: merged into the symbol before it */
  int32_t id;   /* token of this text, -1: none */
  int32_t prev; /* index, -1: none */
  int32_t next; /* the same */
} les_symbol;

/* Whether two adjacent symbols can be merged; if so, the token they become and its cost. */
typedef bool les_pair_fn(const void *ctx, const les_symbol *left, const les_symbol *right, float *cost,
                         int32_t *id);

/* Working memory, kept from word to word. Start from {0}; free with les_pair_heap_free. */
typedef struct les_pair_heap {
  les_symbol *symbols; /* after les_pair_heap_run: follow `next` from symbols[0] */
  int32_t n, capacity;
  struct les_candidate *candidates; /* a binary heap */
  size_t n_candidates, candidate_capacity;
  bool failed; /* out of memory: les_pair_heap_run will say so */
} les_pair_heap;

/* Starts a word, then adds its symbols in order; at most INT32_MAX bytes in all. */
void les_pair_heap_start(les_pair_heap *heap);
void les_pair_heap_add(les_pair_heap *heap, const char *text, int32_t n, int32_t id);

/* Merges the cheapest pair (of equal ones the leftmost) until none is left. O(n log n). */
les_status les_pair_heap_run(les_pair_heap *heap, les_pair_fn *pair, const void *ctx);

void les_pair_heap_free(les_pair_heap *heap);

#endif
