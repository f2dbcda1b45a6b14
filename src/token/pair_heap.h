/* Merging of adjacent symbols, cheapest pair first: the loop that SPM and BPE have in common. */
#ifndef LES_TOKEN_PAIR_HEAP_H
#define LES_TOKEN_PAIR_HEAP_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the word; the pieces are a list in the order of the text. */
typedef struct les_symbol {
  const char *text;
  int32_t n;    /* bytes; 0: merged into the piece before it */
  int32_t id;   /* token of this text, -1: none */
  int32_t prev; /* index of the piece before, -1: none */
  int32_t next;
} les_symbol;

/* Says whether two adjacent symbols may be merged: the token they become and its cost. */
typedef bool les_pair_fn(const void *ctx, const les_symbol *left, const les_symbol *right, float *cost,
                         int32_t *id);

/* Working memory, kept from word to word. Start from {0}; free with les_pair_heap_free. */
typedef struct les_pair_heap {
  les_symbol *symbols; /* after les_pair_heap_run: follow `next` from symbols[0] */
  int32_t n, capacity;
  struct les_candidate *heap;
  size_t n_heap, heap_capacity;
  bool failed; /* out of memory; what follows does nothing */
} les_pair_heap;

/* Takes the symbols of a new word one by one, in the order of the text; at most INT32_MAX bytes in all. */
void les_pair_heap_start(les_pair_heap *m);
void les_pair_heap_add(les_pair_heap *m, const char *text, int32_t n, int32_t id);

/* Merges the cheapest pair (of equal ones the leftmost) until none is left. O(n log n). */
les_status les_pair_heap_run(les_pair_heap *m, les_pair_fn *pair, const void *ctx);

void les_pair_heap_free(les_pair_heap *m);

#endif
