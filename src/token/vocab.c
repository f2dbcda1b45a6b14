#include "token/vocab.h"

#include <stdlib.h>
#include <string.h>

typedef struct les_vocab_spelling {
  int32_t id;
  les_buffer text;
} spelling;

/* FNV-1a, 64 bits (Fowler, Noll, Vo); the high half is folded in because the low bits alone index the table.
 */
static size_t hash(const char *text, size_t n) {
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
  return (size_t)(h ^ h >> 32);
}

les_status les_vocab_start(les_vocab *v, int n) {
  *v = (les_vocab){.n_slots = 16};
  while (v->n_slots < (size_t)n * 2) v->n_slots *= 2;
  v->ends = malloc(((size_t)n + 1) * sizeof *v->ends);
  v->types = malloc((size_t)n + 1);
  v->hidden = malloc((size_t)n + 1);
  v->slots = malloc(v->n_slots * sizeof *v->slots);
  if (v->ends && v->types && v->hidden && v->slots) return LES_OK;
  les_vocab_free(v);
  return les_no_memory("a vocabulary of %d tokens", n);
}

void les_vocab_add(les_vocab *v, const char *text, size_t n_text, les_token_type type) {
  les_buffer_append(&v->texts, text, n_text);
  v->ends[v->n] = v->texts.n;
  v->hidden[v->n] = false;
  v->types[v->n++] = (uint8_t)type;
}

void les_vocab_add_hidden(les_vocab *v, const char *text, size_t n_text, les_token_type type) {
  les_vocab_add(v, text, n_text, type);
  v->hidden[v->n - 1] = true;
}

/* The slot of a text, or the empty one where it would be inserted. */
static int32_t *find_slot(const les_vocab *v, const char *text, size_t n) {
  for (size_t i = hash(text, n);; i++) {
    int32_t *slot = &v->slots[i & (v->n_slots - 1)];
    if (*slot < 0) return slot;
    size_t n_other;
    const char *other = les_vocab_text(v, *slot, &n_other);
    if (n_other == n && !memcmp(other, text, n)) return slot;
  }
}

les_status les_vocab_finish(les_vocab *v) {
  LES_TRY(les_buffer_status(&v->texts));
  for (size_t i = 0; i < v->n_slots; i++) v->slots[i] = -1;
  for (int b = 0; b < 256; b++) v->bytes[b] = -1;
  for (int32_t id = 0; id < v->n; id++) {
    size_t n;
    const char *text = les_vocab_text(v, id, &n);
    if (!n || v->hidden[id]) continue;
    *find_slot(v, text, n) = id;
    int byte = les_vocab_byte(text, n);
    if (byte >= 0) v->bytes[byte] = id;
  }
  return LES_OK;
}

void les_vocab_free(les_vocab *v) {
  for (int i = 0; i < v->n_spellings; i++) les_buffer_free(&v->spellings[i].text);
  free(v->spellings);
  les_buffer_free(&v->texts);
  free(v->ends);
  free(v->types);
  free(v->hidden);
  free(v->slots);
  *v = (les_vocab){0};
}

const char *les_vocab_text(const les_vocab *v, int32_t id, size_t *n) {
  size_t start = id ? v->ends[id - 1] : 0;
  *n = v->ends[id] - start;
  return v->texts.data ? v->texts.data + start : "";
}

/* The index of a token's spelling, or where it would be inserted. */
static int spelling_at(const les_vocab *v, int32_t id) {
  int low = 0, high = v->n_spellings;
  while (low < high) {
    int middle = (low + high) / 2;
    if (v->spellings[middle].id < id)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

les_status les_vocab_respell(les_vocab *v, int32_t id, const char *text, size_t n) {
  int at = spelling_at(v, id);
  if (at == v->n_spellings || v->spellings[at].id != id) {
    spelling *all = realloc(v->spellings, ((size_t)v->n_spellings + 1) * sizeof *all);
    if (!all) return les_no_memory("a vocabulary");
    v->spellings = all;
    memmove(all + at + 1, all + at, (size_t)(v->n_spellings++ - at) * sizeof *all);
    all[at] = (spelling){.id = id};
  }
  les_buffer_clear(&v->spellings[at].text);
  les_buffer_append(&v->spellings[at].text, text, n);
  return les_buffer_status(&v->spellings[at].text);
}

const char *les_vocab_spelling(const les_vocab *v, int32_t id, size_t *n) {
  int at = spelling_at(v, id);
  if (at == v->n_spellings || v->spellings[at].id != id) return les_vocab_text(v, id, n);
  *n = v->spellings[at].text.n;
  return v->spellings[at].text.data;
}

int32_t les_vocab_find(const les_vocab *v, const char *text, size_t n) {
  return n ? *find_slot(v, text, n) : -1;
}

int les_vocab_byte(const char *text, size_t n) {
  static const char digits[] = "0123456789ABCDEF";
  if (n != 6 || memcmp(text, "<0x", 3) || text[5] != '>') return -1;
  const char *high = memchr(digits, text[3], 16), *low = memchr(digits, text[4], 16);
  return high && low ? (int)((high - digits) * 16 + (low - digits)) : -1;
}

void les_ids_append(les_ids *ids, int32_t id) {
  if (ids->failed) return;
  if (ids->n == ids->capacity) {
    size_t capacity = ids->capacity ? ids->capacity * 2 : 32;
    int32_t *data = realloc(ids->data, capacity * sizeof *data);
    if (!data) {
      ids->failed = true;
      return;
    }
    ids->data = data;
    ids->capacity = capacity;
  }
  ids->data[ids->n++] = id;
}

les_status les_ids_status(const les_ids *ids) {
  return ids->failed || ids->n > INT32_MAX ? les_fail(LES_FAILED, "out of memory for %zu tokens", ids->n)
                                           : LES_OK;
}

void les_ids_free(les_ids *ids) {
  free(ids->data);
  *ids = (les_ids){0};
}
