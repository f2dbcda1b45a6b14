#include "token/word_cache.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 16, MAX_IDS = 3, SLOT_BITS = 12 };

typedef struct les_cached_word {
  uint64_t key[MAX_BYTES / 8]; /* the word, followed by null bytes */
  uint8_t n, n_ids;            /* n = 0: an empty slot */
  int32_t ids[MAX_IDS];
} cached_word;

/* The one slot where a word may be, by Fibonacci hashing (Knuth, 6.4). */
static cached_word *find_slot(const les_word_cache *c, const char *word, size_t n, uint64_t key[2]) {
  memcpy(key, word, n);
  uint64_t hash = (key[0] ^ (key[1] << 1 | key[1] >> 63)) * 0x9e3779b97f4a7c15u;
  return &c->slots[hash >> (64 - SLOT_BITS)];
}

bool les_word_cache_get(const les_word_cache *c, const char *word, size_t n, les_ids *ids) {
  uint64_t key[MAX_BYTES / 8] = {0};
  if (!c->slots || n > MAX_BYTES) return false;
  const cached_word *slot = find_slot(c, word, n, key);
  if (slot->n != n || memcmp(slot->key, key, sizeof key)) return false;
  for (int i = 0; i < slot->n_ids; i++) les_ids_append(ids, slot->ids[i]);
  return true;
}

void les_word_cache_put(les_word_cache *c, const char *word, size_t n, const int32_t *ids, size_t n_ids) {
  cached_word new = {.n = (uint8_t)n, .n_ids = (uint8_t)n_ids};
  if (n > MAX_BYTES || n_ids > MAX_IDS) return;
  if (!c->slots) c->slots = calloc((size_t)1 << SLOT_BITS, sizeof *c->slots);
  if (!c->slots) return;
  cached_word *slot = find_slot(c, word, n, new.key);
  if (n_ids) memcpy(new.ids, ids, n_ids * sizeof *ids);
  *slot = new;
}

void les_word_cache_free(les_word_cache *c) {
  free(c->slots);
  *c = (les_word_cache){0};
}
