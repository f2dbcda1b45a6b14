#include "token/added_tokens.h"

#include "base/text.h"

#include <stdlib.h>
#include <utf8proc.h>

typedef struct les_trie_edge {
  uint32_t from, to; /* nodes; to 0: an empty slot, since nothing leads to the root */
  unsigned char byte;
} edge;

static edge *find_edge(const les_added_tokens *a, uint32_t from, unsigned char byte) {
  uint64_t key = ((uint64_t)from << 8 | byte) * 0x9e3779b97f4a7c15u;
  for (size_t i = (size_t)(key >> 24);; i++) {
    edge *e = &a->edges[i & (a->n_slots - 1)];
    if (!e->to || (e->from == from && e->byte == byte)) return e;
  }
}

static bool grow_edges(les_added_tokens *a) {
  les_added_tokens grown = *a;
  grown.n_slots = a->n_slots ? a->n_slots * 2 : 256;
  grown.edges = calloc(grown.n_slots, sizeof *grown.edges);
  if (!grown.edges) return false;
  for (size_t i = 0; i < a->n_slots; i++)
    if (a->edges[i].to) *find_edge(&grown, a->edges[i].from, a->edges[i].byte) = a->edges[i];
  free(a->edges);
  *a = grown;
  return true;
}

static bool add_node(les_added_tokens *a) {
  if (a->n_nodes == a->node_capacity) {
    size_t capacity = a->node_capacity ? a->node_capacity * 2 : 256;
    int32_t *terminal = realloc(a->terminal, capacity * sizeof *terminal);
    if (!terminal) return false;
    a->terminal = terminal;
    a->node_capacity = capacity;
  }
  a->terminal[a->n_nodes++] = -1;
  return true;
}

/* The node of a text, with all nodes on its path added; 0: out of memory. */
static uint32_t make_path(les_added_tokens *a, const char *text, size_t n) {
  uint32_t node = 0;
  if (!a->n_nodes && !add_node(a)) return 0;
  for (size_t i = 0; i < n; i++) {
    if (a->n_slots < 2 * (a->n_edges + 1) && !grow_edges(a)) return 0;
    edge *e = find_edge(a, node, (unsigned char)text[i]);
    if (!e->to) {
      if (a->n_nodes >= INT32_MAX || !add_node(a)) return 0;
      *e = (edge){node, (uint32_t)a->n_nodes - 1, (unsigned char)text[i]};
      a->n_edges++;
    }
    node = e->to;
  }
  return node;
}

les_status les_added_tokens_add(les_added_tokens *a, const char *text, size_t n, les_added_token token) {
  if (!n) return LES_OK;
  if (a->n == a->capacity) {
    size_t capacity = a->capacity ? a->capacity * 2 : 64;
    les_added_token *tokens = realloc(a->tokens, capacity * sizeof *tokens);
    if (!tokens) return les_no_memory("added tokens");
    a->tokens = tokens;
    a->capacity = capacity;
  }
  uint32_t node = make_path(a, text, n);
  if (!node) return les_no_memory("added tokens");
  a->starts[(unsigned char)*text] = true;
  if (a->terminal[node] >= 0) return LES_OK;
  a->terminal[node] = (int32_t)a->n;
  a->tokens[a->n++] = token;
  return LES_OK;
}

void les_added_tokens_free(les_added_tokens *a) {
  free(a->tokens);
  free(a->edges);
  free(a->terminal);
  *a = (les_added_tokens){0};
}

/* The longest token at the start of n bytes that ends on a character boundary, -1: none. */
static int32_t longest(const les_added_tokens *a, const char *text, size_t n, size_t *length) {
  int32_t best = -1;
  uint32_t node = 0;
  for (size_t i = 0; i < n; i++) {
    node = find_edge(a, node, (unsigned char)text[i])->to;
    if (!node) break;
    bool whole = i + 1 == n || les_utf8_is_start(text[i + 1]);
    if (whole && a->terminal[node] >= 0) best = a->terminal[node], *length = i + 1;
  }
  return best;
}

/* Unicode's word characters (UTS #18, annex C). */
static bool is_word(int32_t codepoint) {
  switch (utf8proc_category(codepoint)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_PC:
    return true;
  default:
    return codepoint == 0x200c || codepoint == 0x200d || (codepoint >= 0x24b6 && codepoint <= 0x24e9);
  }
}

static int32_t codepoint_before(const char *text, size_t end) {
  size_t start = les_utf8_back(text, end);
  int32_t codepoint;
  les_utf8_next(text + start, end - start, &codepoint);
  return codepoint;
}

static int32_t codepoint_at(const char *text, size_t n, size_t start) {
  int32_t codepoint;
  les_utf8_next(text + start, n - start, &codepoint);
  return codepoint;
}

static bool is_match(const les_added_token_walk *w, const les_added_token *token, size_t start, size_t end) {
  if (token->special && !w->special) return false;
  if (!token->single_word) return true;
  return (start == 0 || !is_word(codepoint_before(w->text, start))) &&
         (end == w->n || !is_word(codepoint_at(w->text, w->n, end)));
}

/* Extends the match by its white space and records it. The next token may lie within white space that this
 * one has included (rstrip); it is matched again, unless its own lstrip leaves nothing of it. */
static bool record(les_added_token_walk *w, const les_added_token *token, size_t start, size_t end) {
  if (token->lstrip && start > w->gap)
    start -= les_text_trailing(w->text + w->gap, start - w->gap, les_is_white_space);
  else if (token->lstrip)
    start = w->gap;
  if (token->rstrip) end += les_text_leading(w->text + end, w->n - end, les_is_white_space);
  if (start >= end) return false;
  w->gap_end = start > w->gap ? start : w->gap;
  w->taken = end > w->gap ? end : w->gap;
  w->id = token->id;
  return true;
}

bool les_added_token_next(les_added_token_walk *w) {
  w->gap = w->taken;
  while (w->added->n && w->from < w->n) {
    size_t start = w->from, length = 0;
    if (!w->added->starts[(unsigned char)w->text[start]]) {
      w->from += les_utf8_next(w->text + start, w->n - start, NULL);
      continue;
    }
    int32_t i = longest(w->added, w->text + start, w->n - start, &length);
    w->from += i >= 0 ? length : les_utf8_next(w->text + start, w->n - start, NULL);
    if (i < 0 || !is_match(w, &w->added->tokens[i], start, w->from)) continue;
    if (record(w, &w->added->tokens[i], start, w->from)) return true;
  }
  w->gap_end = w->n;
  return false;
}
