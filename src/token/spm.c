#include "token/spm.h"

#include "base/text.h"

#include <stdlib.h>

static bool score_pair(const void *ctx, const les_symbol *left, const les_symbol *right, float *cost,
                       int32_t *id) {
  const les_spm *spm = ctx;
  *id = les_vocab_find(spm->vocab, left->text, (size_t)left->n + (size_t)right->n);
  if (*id < 0) return false;
  *cost = -spm->scores[*id];
  return true;
}

static void append_bytes(const les_spm *spm, const les_symbol *s, les_ids *ids) {
  for (int32_t i = 0; i < s->n; i++) {
    int32_t id = spm->vocab->bytes[(unsigned char)s->text[i]];
    if (id < 0) id = spm->unknown;
    if (id >= 0) les_ids_append(ids, id);
  }
}

les_status les_spm_encode(const les_spm *spm, les_pair_heap *heap, const char *text, size_t n, les_ids *ids) {
  les_pair_heap_start(heap);
  for (size_t i = 0, length; i < n; i += length) {
    length = les_utf8_next(text + i, n - i, NULL);
    les_pair_heap_add(heap, text + i, (int32_t)length, les_vocab_find(spm->vocab, text + i, length));
  }
  LES_TRY(les_pair_heap_run(heap, score_pair, spm));
  for (int32_t i = heap->n ? 0 : -1; i >= 0; i = heap->symbols[i].next) {
    const les_symbol *s = &heap->symbols[i];
    if (s->id >= 0)
      les_ids_append(ids, s->id);
    else
      append_bytes(spm, s, ids);
  }
  return LES_OK;
}

void les_spm_free(les_spm *spm) {
  free(spm->scores);
  *spm = (les_spm){0};
}
