#include "normalizer.h"

#include <stdlib.h>
#include <string.h>

les_status les_normalizer_add(les_normalizer *z, les_normalize_kind kind, const char *from, const char *to) {
  les_normalize_step *steps = realloc(z->steps, ((size_t)z->n + 1) * sizeof *steps);
  if (!steps) return les_fail(LES_FAILED, "out of memory for a normalizer");
  z->steps = steps;
  les_normalize_step *step = &steps[z->n++];
  *step = (les_normalize_step){.kind = kind};
  if (from) les_buffer_append(&step->from, from, strlen(from));
  if (to) les_buffer_append(&step->to, to, strlen(to));
  LES_TRY(les_buffer_status(&step->from));
  return les_buffer_status(&step->to);
}

static void replace(const les_normalize_step *step, const les_buffer *text, les_buffer *out) {
  const char *at = text->data, *end = text->data + text->n;
  while (step->from.n) {
    const char *hit = memmem(at, (size_t)(end - at), step->from.data, step->from.n);
    if (!hit) break;
    les_buffer_append(out, at, (size_t)(hit - at));
    les_buffer_append(out, step->to.data, step->to.n);
    at = hit + step->from.n;
  }
  les_buffer_append(out, at, (size_t)(end - at));
}

static les_status apply(const les_normalize_step *step, const les_buffer *text, les_buffer *out) {
  switch (step->kind) {
  case LES_NORMALIZE_PREPEND:
    les_buffer_append(out, step->to.data, step->to.n);
    les_buffer_append(out, text->data, text->n);
    break;
  case LES_NORMALIZE_REPLACE:
    replace(step, text, out);
    break;
  }
  return les_buffer_status(out);
}

les_status les_normalizer_apply(const les_normalizer *z, les_matcher *m, les_buffer *text) {
  (void)m;
  les_status status = LES_OK;
  for (int i = 0; i < z->n && text->n && status == LES_OK; i++) {
    les_buffer out = {0};
    status = apply(&z->steps[i], text, &out);
    les_buffer_free(text);
    *text = out;
  }
  return status;
}

void les_normalizer_free(les_normalizer *z) {
  for (int i = 0; i < z->n; i++) {
    les_buffer_free(&z->steps[i].from);
    les_buffer_free(&z->steps[i].to);
  }
  free(z->steps);
  *z = (les_normalizer){0};
}
