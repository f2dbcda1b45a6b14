#include "token/pair_heap.h"

#include <stdlib.h>

typedef struct les_candidate {
  float cost;
  int32_t left; /* index of the left symbol */
  int32_t n;    /* bytes of both when this was pushed: differs once one of them has been merged */
  int32_t id;
} candidate;

static bool before(const candidate *a, const candidate *b) {
  return a->cost < b->cost || (a->cost == b->cost && a->left < b->left);
}

static void push(les_pair_heap *heap, candidate c) {
  if (heap->n_candidates == heap->candidate_capacity) {
    size_t capacity = heap->candidate_capacity ? heap->candidate_capacity * 2 : 64;
    candidate *candidates = realloc(heap->candidates, capacity * sizeof *candidates);
    if (!candidates) {
      heap->failed = true;
      return;
    }
    heap->candidates = candidates;
    heap->candidate_capacity = capacity;
  }
  size_t i = heap->n_candidates++;
  for (size_t up; i > 0 && before(&c, &heap->candidates[up = (i - 1) / 2]); i = up)
    heap->candidates[i] = heap->candidates[up];
  heap->candidates[i] = c;
}

static candidate pop(les_pair_heap *heap) {
  candidate top = heap->candidates[0], last = heap->candidates[--heap->n_candidates];
  size_t i = 0;
  for (size_t down; (down = 2 * i + 1) < heap->n_candidates; i = down) {
    if (down + 1 < heap->n_candidates && before(&heap->candidates[down + 1], &heap->candidates[down])) down++;
    if (!before(&heap->candidates[down], &last)) break;
    heap->candidates[i] = heap->candidates[down];
  }
  if (heap->n_candidates) heap->candidates[i] = last;
  return top;
}

void les_pair_heap_start(les_pair_heap *heap) {
  heap->n = 0;
  heap->n_candidates = 0;
}

void les_pair_heap_add(les_pair_heap *heap, const char *text, int32_t n, int32_t id) {
  if (heap->failed) return;
  if (heap->n == heap->capacity) {
    int32_t capacity = heap->capacity > INT32_MAX / 2 ? INT32_MAX : heap->capacity ? heap->capacity * 2 : 64;
    les_symbol *symbols = realloc(heap->symbols, (size_t)capacity * sizeof *symbols);
    if (!symbols) {
      heap->failed = true;
      return;
    }
    heap->symbols = symbols;
    heap->capacity = capacity;
  }
  if (heap->n) heap->symbols[heap->n - 1].next = heap->n;
  heap->symbols[heap->n] = (les_symbol){text, n, id, heap->n - 1, -1};
  heap->n++;
}

static void propose(les_pair_heap *heap, int32_t left, les_pair_fn *pair, const void *ctx) {
  if (left < 0 || heap->symbols[left].next < 0) return;
  const les_symbol *a = &heap->symbols[left], *b = &heap->symbols[a->next];
  candidate c = {.left = left, .n = a->n + b->n};
  if (pair(ctx, a, b, &c.cost, &c.id)) push(heap, c);
}

les_status les_pair_heap_run(les_pair_heap *heap, les_pair_fn *pair, const void *ctx) {
  for (int32_t i = 0; i + 1 < heap->n; i++) propose(heap, i, pair, ctx);
  while (heap->n_candidates && !heap->failed) {
    candidate c = pop(heap);
    les_symbol *left = &heap->symbols[c.left];
    /* symbols only grow, so a pair with the same start and length is the same pair */
    if (!left->n || left->next < 0 || left->n + heap->symbols[left->next].n != c.n) continue;
    les_symbol *right = &heap->symbols[left->next];
    left->n = c.n;
    left->id = c.id;
    left->next = right->next;
    right->n = 0;
    if (left->next >= 0) heap->symbols[left->next].prev = c.left;
    propose(heap, left->prev, pair, ctx);
    propose(heap, c.left, pair, ctx);
  }
  return heap->failed ? les_no_memory("the pairs of tokens to be merged") : LES_OK;
}

void les_pair_heap_free(les_pair_heap *heap) {
  free(heap->symbols);
  free(heap->candidates);
  *heap = (les_pair_heap){0};
}
