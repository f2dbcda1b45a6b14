#include "token/bpe.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

typedef struct les_bpe_merge {
  int32_t left, right; /* left -1: an empty slot */
  int32_t id;          /* the token they become */
  int32_t rank;
} merge;

static merge *find_slot(const les_bpe *bpe, int32_t left, int32_t right) {
  uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  key = (key ^ key >> 31) * 0x9e3779b97f4a7c15u; /* Fibonacci hashing (Knuth, 6.4) */
  for (size_t i = (size_t)(key >> 20);; i++) {
    merge *slot = &bpe->slots[i & (bpe->n_slots - 1)];
    if (slot->left < 0 || (slot->left == left && slot->right == right)) return slot;
  }
}

les_status les_bpe_start(les_bpe *bpe, const les_vocab *vocab, int64_t n) {
  if (n > 1 << 24) return les_fail(LES_FAILED, "%lld merges are more than the 2^24 supported", (long long)n);
  bpe->vocab = vocab;
  bpe->unknown = -1;
  bpe->n_slots = 16;
  while (bpe->n_slots < (size_t)n * 2) bpe->n_slots *= 2;
  bpe->slots = malloc(bpe->n_slots * sizeof *bpe->slots);
  if (!bpe->slots) return les_no_memory("%lld merges", (long long)n);
  for (size_t i = 0; i < bpe->n_slots; i++) bpe->slots[i].left = -1;
  return LES_OK;
}

les_status les_bpe_add(les_bpe *bpe, int32_t rank, const char *left, size_t n_left, const char *right,
                       size_t n_right, bool *added) {
  les_buffer *both = &bpe->joined;
  les_buffer_clear(both);
  les_buffer_append(both, left, n_left);
  les_buffer_append(both, right, n_right);
  merge new = {.left = les_vocab_find(bpe->vocab, left, n_left),
               .right = les_vocab_find(bpe->vocab, right, n_right),
               .id = both->failed ? -1 : les_vocab_find(bpe->vocab, both->data, both->n),
               .rank = rank};
  *added = new.left >= 0 && new.right >= 0 && new.id >= 0;
  if (*added) *find_slot(bpe, new.left, new.right) = new;
  return les_buffer_status(both);
}

void les_bpe_free(les_bpe *bpe) {
  free(bpe->slots);
  les_buffer_free(&bpe->joined);
  *bpe = (les_bpe){0};
}

static bool rank_pair(const void *ctx, const les_symbol *left, const les_symbol *right, float *cost,
                      int32_t *id) {
  if (left->id < 0 || right->id < 0) return false;
  const merge *found = find_slot(ctx, left->id, right->id);
  if (found->left < 0) return false;
  *cost = (float)found->rank;
  *id = found->id;
  return true;
}

/* Adds the tokens of a character's bytes; false if one of them has none. */
static bool add_bytes(const les_bpe *bpe, les_pair_heap *heap, const char *text, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (bpe->vocab->bytes[(unsigned char)text[i]] < 0) return false;
  for (size_t i = 0; i < n; i++)
    les_pair_heap_add(heap, text + i, 1, bpe->vocab->bytes[(unsigned char)text[i]]);
  return true;
}

/* Adds a word's characters as symbols. Unknown characters are held back until the next known one, so that
 * they can be fused; the tokens of bytes come before them even so, as in Hugging Face's tokenizers. */
static void add_characters(const les_bpe *bpe, les_pair_heap *heap, const char *word, size_t n) {
  int32_t n_held = 0;
  for (size_t i = 0, length; i < n; i += length) {
    length = les_utf8_next(word + i, n - i, NULL);
    int32_t id = les_vocab_find(bpe->vocab, word + i, length);
    if (id < 0 && bpe->byte_fallback && add_bytes(bpe, heap, word + i, length)) continue;
    if (n_held && (id >= 0 || !bpe->fuse_unknown)) {
      les_pair_heap_add(heap, word, n_held, bpe->unknown);
      n_held = 0;
    }
    if (id >= 0)
      les_pair_heap_add(heap, word + i, (int32_t)length, id);
    else if (bpe->unknown >= 0)
      n_held += (int32_t)length;
  }
  if (n_held) les_pair_heap_add(heap, word, n_held, bpe->unknown);
}

les_status les_bpe_encode(const les_bpe *bpe, les_pair_heap *heap, const char *word, size_t n, les_ids *ids) {
  int32_t whole = bpe->ignore_merges ? les_vocab_find(bpe->vocab, word, n) : -1;
  if (whole >= 0) {
    les_ids_append(ids, whole);
    return LES_OK;
  }
  les_pair_heap_start(heap);
  add_characters(bpe, heap, word, n);
  LES_TRY(les_pair_heap_run(heap, rank_pair, bpe));
  for (int32_t i = heap->n ? 0 : -1; i >= 0; i = heap->symbols[i].next)
    les_ids_append(ids, heap->symbols[i].id);
  return LES_OK;
}
