#include "token/pair_heap.h"

#include <stdlib.h>

typedef struct les_candidate {
  float cost;
  int32_t left; /* index of the left symbol */
  int32_t n;    /* bytes of both together when this was found; tells a candidate that is out of date */
  int32_t id;
} candidate;

static bool before(const candidate *a, const candidate *b) {
  return a->cost < b->cost || (a->cost == b->cost && a->left < b->left);
}

static void heap_push(les_pair_heap *m, candidate c) {
  if (m->n_heap == m->heap_capacity) {
    size_t capacity = m->heap_capacity ? m->heap_capacity * 2 : 64;
    candidate *heap = realloc(m->heap, capacity * sizeof *heap);
    if (!heap) {
      m->failed = true;
      return;
    }
    m->heap = heap;
    m->heap_capacity = capacity;
  }
  size_t i = m->n_heap++;
  for (size_t up; i > 0 && before(&c, &m->heap[up = (i - 1) / 2]); i = up) m->heap[i] = m->heap[up];
  m->heap[i] = c;
}

static candidate heap_pop(les_pair_heap *m) {
  candidate top = m->heap[0], last = m->heap[--m->n_heap];
  size_t i = 0;
  for (size_t down; (down = 2 * i + 1) < m->n_heap; i = down) {
    if (down + 1 < m->n_heap && before(&m->heap[down + 1], &m->heap[down])) down++;
    if (!before(&m->heap[down], &last)) break;
    m->heap[i] = m->heap[down];
  }
  if (m->n_heap) m->heap[i] = last;
  return top;
}

void les_pair_heap_start(les_pair_heap *m) {
  m->n = 0;
  m->n_heap = 0;
}

void les_pair_heap_add(les_pair_heap *m, const char *text, int32_t n, int32_t id) {
  if (m->failed) return;
  if (m->n == m->capacity) {
    int32_t capacity = m->capacity > INT32_MAX / 2 ? INT32_MAX : m->capacity ? m->capacity * 2 : 64;
    les_symbol *symbols = realloc(m->symbols, (size_t)capacity * sizeof *symbols);
    if (!symbols) {
      m->failed = true;
      return;
    }
    m->symbols = symbols;
    m->capacity = capacity;
  }
  if (m->n) m->symbols[m->n - 1].next = m->n;
  m->symbols[m->n] = (les_symbol){text, n, id, m->n - 1, -1};
  m->n++;
}

static void propose(les_pair_heap *m, int32_t left, les_pair_fn *pair, const void *ctx) {
  if (left < 0 || m->symbols[left].next < 0) return;
  const les_symbol *a = &m->symbols[left], *b = &m->symbols[a->next];
  candidate c = {.left = left, .n = a->n + b->n};
  if (pair(ctx, a, b, &c.cost, &c.id)) heap_push(m, c);
}

les_status les_pair_heap_run(les_pair_heap *m, les_pair_fn *pair, const void *ctx) {
  for (int32_t i = 0; i + 1 < m->n; i++) propose(m, i, pair, ctx);
  while (m->n_heap && !m->failed) {
    candidate c = heap_pop(m);
    les_symbol *left = &m->symbols[c.left];
    /* symbols only grow, so the same start and the same length are the same two symbols */
    if (!left->n || left->next < 0 || left->n + m->symbols[left->next].n != c.n) continue;
    les_symbol *right = &m->symbols[left->next];
    left->n = c.n;
    left->id = c.id;
    left->next = right->next;
    right->n = 0;
    if (left->next >= 0) m->symbols[left->next].prev = c.left;
    propose(m, left->prev, pair, ctx);
    propose(m, c.left, pair, ctx);
  }
  return m->failed ? les_no_memory("the pairs of tokens to be merged") : LES_OK;
}

void les_pair_heap_free(les_pair_heap *m) {
  free(m->symbols);
  free(m->heap);
  *m = (les_pair_heap){0};
}
