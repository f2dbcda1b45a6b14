#include "token/normalizer.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static void free_step(les_normalize_step *step) {
  les_pattern_close(&step->pattern);
  les_buffer_free(&step->to);
}

les_status les_normalizer_add(les_normalizer *z, les_normalize_step step) {
  les_status status = les_buffer_status(&step.to);
  les_normalize_step *steps = realloc(z->steps, ((size_t)z->n + 1) * sizeof *steps);
  if (!steps) status = les_no_memory("a normalizer");
  if (steps) z->steps = steps;
  if (status == LES_OK)
    z->steps[z->n++] = step;
  else
    free_step(&step);
  return status;
}

les_status les_normalizer_add_replace(les_normalizer *z, const char *from, const char *to) {
  les_normalize_step step = {.kind = LES_NORMALIZE_REPLACE};
  LES_TRY(les_pattern_open_literal(&step.pattern, from, strlen(from)));
  les_buffer_append(&step.to, to, strlen(to));
  return les_normalizer_add(z, step);
}

les_status les_normalizer_add_prepend(les_normalizer *z, const char *text) {
  les_normalize_step step = {.kind = LES_NORMALIZE_PREPEND};
  les_buffer_append(&step.to, text, strlen(text));
  return les_normalizer_add(z, step);
}

static les_status to_form(les_unicode_form form, const les_buffer *text, les_buffer *out) {
  static const utf8proc_option_t options[] = {
      [LES_NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
      [LES_NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
      [LES_NFKC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
      [LES_NFKD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
  };
  utf8proc_uint8_t *normal = NULL;
  utf8proc_ssize_t n =
      utf8proc_map((const utf8proc_uint8_t *)text->data, (utf8proc_ssize_t)text->n, &normal, options[form]);
  if (n < 0)
    return les_fail(LES_FAILED, "a text of %zu bytes cannot be normalised: %s", text->n, utf8proc_errmsg(n));
  les_buffer_append(out, (const char *)normal, (size_t)n);
  free(normal);
  return LES_OK;
}

static void lowercase(int32_t codepoint, les_buffer *out) {
  if (codepoint == 0x130) /* the one letter whose lower case is two code points, whatever the language */
    les_buffer_append(out, "i\u0307", 3);
  else
    les_buffer_append_codepoint(out, utf8proc_tolower(codepoint));
}

static void drop_mark(int32_t codepoint, les_buffer *out) {
  utf8proc_category_t c = utf8proc_category(codepoint);
  bool mark = c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC || c == UTF8PROC_CATEGORY_ME;
  if (!mark) les_buffer_append_codepoint(out, codepoint);
}

static void map(void (*one)(int32_t codepoint, les_buffer *out), const les_buffer *text, les_buffer *out) {
  for (size_t i = 0; i < text->n;) {
    int32_t codepoint;
    i += les_utf8_next(text->data + i, text->n - i, &codepoint);
    one(codepoint, out);
  }
}

static void strip(const les_normalize_step *step, const les_buffer *text, les_buffer *out) {
  size_t start = step->left ? les_text_leading(text->data, text->n, les_is_white_space) : 0,
         n = text->n - start;
  if (step->right) n -= les_text_trailing(text->data + start, n, les_is_white_space);
  les_buffer_append(out, text->data + start, n);
}

static les_status apply(const les_normalize_step *step, les_matcher *m, const les_buffer *text,
                        les_buffer *out) {
  switch (step->kind) {
  case LES_NORMALIZE_PREPEND:
    les_buffer_append(out, step->to.data, step->to.n);
    les_buffer_append(out, text->data, text->n);
    break;
  case LES_NORMALIZE_REPLACE:
    return les_pattern_replace(step->pattern, m, text->data, text->n, &step->to, out);
  case LES_NORMALIZE_UNICODE:
    return to_form(step->form, text, out);
  case LES_NORMALIZE_LOWERCASE:
    map(lowercase, text, out);
    break;
  case LES_NORMALIZE_STRIP:
    strip(step, text, out);
    break;
  case LES_NORMALIZE_STRIP_ACCENTS:
    map(drop_mark, text, out);
    break;
  }
  return les_buffer_status(out);
}

les_status les_normalizer_apply(const les_normalizer *z, les_matcher *m, les_buffer *text) {
  les_status status = LES_OK;
  for (int i = 0; i < z->n && text->n && status == LES_OK; i++) {
    les_buffer out = {0};
    status = apply(&z->steps[i], m, text, &out);
    if (status == LES_OK) status = les_buffer_status(&out);
    les_buffer_free(text);
    *text = out;
  }
  return status;
}

void les_normalizer_free(les_normalizer *z) {
  for (int i = 0; i < z->n; i++) free_step(&z->steps[i]);
  free(z->steps);
  *z = (les_normalizer){0};
}
