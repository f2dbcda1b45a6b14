#include "data/rewrite.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Bytes of the character at the start of `text`, which is not empty. */
static size_t next_char(const char *text, int32_t *c) {
  return les_utf8_next(text, SIZE_MAX, c);
}

static size_t leading_space(const char *text) {
  return les_text_leading(text, SIZE_MAX, les_is_python_space);
}

/* Bytes of white space at the end of the first n bytes. */
static size_t trailing_space(const char *text, size_t n) {
  return les_text_trailing(text, n, les_is_python_space);
}

size_t les_rewrite_trailing_space(const char *text) {
  return trailing_space(text, strlen(text));
}

char *les_rewrite_replace(char *text, const char *from, const char *to) {
  if (!text) return NULL;
  size_t n_from = strlen(from), n_to = strlen(to), hits = 0;
  for (const char *at = text; (at = strstr(at, from)); at += n_from) hits++;
  char *out = malloc(strlen(text) - hits * n_from + hits * n_to + 1), *end = out;
  if (out) {
    const char *at = text;
    for (const char *hit; (hit = strstr(at, from)); at = hit + n_from) {
      end = mempcpy(end, at, (size_t)(hit - at));
      end = mempcpy(end, to, n_to);
    }
    strcpy(end, at);
  }
  free(text);
  return out;
}

char *les_rewrite_strip(char *text) {
  if (!text) return NULL;
  size_t lead = leading_space(text), n = strlen(text + lead);
  char *out = strndup(text + lead, n - trailing_space(text + lead, n));
  free(text);
  return out;
}

static bool is_letter(int32_t c) {
  utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

/* A sigma that ends a word has a form of its own. */
static int32_t lower(int32_t c, int32_t before, const char *behind) {
  enum { SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2 };
  int32_t after = 0;
  if (c != SIGMA) return utf8proc_tolower(c);
  if (*behind) next_char(behind, &after);
  return is_letter(before) && !is_letter(after) ? FINAL_SIGMA : utf8proc_tolower(c);
}

char *les_rewrite_capitalize(char *text) {
  enum { SHARP_S = 0xDF };
  if (!text) return NULL;
  char *out = malloc(2 * strlen(text) + 1), *end = out; /* a changed case may take a byte more */
  if (out) {
    int32_t c, before = 0;
    for (const char *at = text; *at; before = c) {
      bool first = at == text;
      at += next_char(at, &c);
      if (first && c == SHARP_S)
        end = mempcpy(end, "Ss", 2);
      else
        end += les_utf8_encode(end, first ? utf8proc_totitle(c) : lower(c, before, at));
    }
    *end = 0;
  }
  free(text);
  return out;
}

char *les_rewrite_drop_brackets(char *text) {
  if (!text) return NULL;
  char *end = text;
  for (const char *at = text; *at;) {
    size_t inside = *at == '[' ? strcspn(at, "]\n") : 0;
    if (inside && at[inside] == ']')
      at += inside + 1;
    else
      *end++ = *at++;
  }
  *end = 0;
  return text;
}

char *les_rewrite_tighten(char *text, char open, char close) {
  if (!text) return NULL;
  char *end = text;
  for (const char *at = text; *at;) {
    const char *stop = *at == open ? strchr(at + 1, close) : NULL;
    *end++ = *at++;
    if (!stop) continue;
    size_t n = (size_t)(stop - at), lead = leading_space(at);
    size_t keep = n - lead - trailing_space(at + lead, n - lead);
    memmove(end, at + lead, keep);
    end += keep;
    *end++ = close;
    at = stop + 1;
  }
  *end = 0;
  return text;
}

int64_t les_rewrite_count_chars(const char *text) {
  int64_t n = 0;
  for (int32_t c; *text; n++) text += next_char(text, &c);
  return n;
}

int64_t les_rewrite_count_words(const char *text) {
  int64_t n = 1;
  while (*text) {
    size_t space = leading_space(text);
    n += space > 0;
    int32_t c;
    text += space ? space : next_char(text, &c);
  }
  return n;
}
