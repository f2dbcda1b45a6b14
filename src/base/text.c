#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

size_t les_text_valid(const char *text, size_t n) {
  size_t i = 0;
  while (i < n) {
    utf8proc_int32_t c;
    utf8proc_ssize_t used =
        utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
    if (used < 1 || c == 0) return i;
    i += (size_t)used;
  }
  return n;
}

bool les_text_is_space(int32_t codepoint) {
  const utf8proc_property_t *p = utf8proc_get_property(codepoint);
  return p->category == UTF8PROC_CATEGORY_ZS || p->bidi_class == UTF8PROC_BIDI_CLASS_WS ||
         p->bidi_class == UTF8PROC_BIDI_CLASS_B || p->bidi_class == UTF8PROC_BIDI_CLASS_S;
}

static int compare_words(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_mark(utf8proc_int32_t c) {
  utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_SO;
}

/* Writes the lower-cased words one after another, each null-terminated; returns their number. In plain words,
 * marks are dropped at the start, and at the end by going back to the byte behind the last other character.
 */
static int split(const char *text, size_t n, bool plain, char *out) {
  int count = 0;
  char *word = out, *end = out; /* of the word that is being written, without marks at its end */
  for (size_t i = 0; i <= n;) {
    utf8proc_int32_t c = ' ';
    utf8proc_ssize_t used = 1;
    if (i < n) used = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
    if (used < 1) c = 0xFFFD, used = 1;
    i += (size_t)used;
    bool mark = plain && is_mark(c);
    if (les_text_is_space(c)) {
      if (end > word) *end++ = 0, count++;
      out = word = end;
    } else if (!mark || end > word) {
      out += utf8proc_encode_char(utf8proc_tolower(c), (utf8proc_uint8_t *)out);
      if (!mark) end = out;
    }
  }
  return count;
}

static les_status make_words(les_words *out, const char *text, bool plain) {
  *out = (les_words){0};
  size_t n = strlen(text);
  /* a broken byte becomes 3 bytes and a null byte follows each word: 4 n + 1 holds any text */
  out->text = malloc(4 * n + 1);
  if (!out->text) return les_fail(LES_FAILED, "out of memory for the words of a text of %zu bytes", n);
  int count = split(text, n, plain, out->text);
  out->items = malloc((size_t)(count + 1) * sizeof *out->items);
  if (!out->items) {
    les_words_free(out);
    return les_fail(LES_FAILED, "out of memory for %d words", count);
  }
  char *word = out->text;
  for (int i = 0; i < count; i++, word += strlen(word) + 1) out->items[i] = word;
  qsort(out->items, (size_t)count, sizeof *out->items, compare_words);
  for (int i = 0; i < count; i++)
    if (i == 0 || strcmp(out->items[i], out->items[out->n - 1])) out->items[out->n++] = out->items[i];
  return LES_OK;
}

les_status les_words_make(les_words *out, const char *text) {
  return make_words(out, text, false);
}

les_status les_words_make_plain(les_words *out, const char *text) {
  return make_words(out, text, true);
}

static bool has_word(const les_words *w, char *const *word) {
  return w && w->n > 0 && bsearch(word, w->items, (size_t)w->n, sizeof *w->items, compare_words) != NULL;
}

double les_words_known(const les_words *w, const les_words *a, const les_words *b) {
  int n = 0;
  for (int i = 0; i < w->n; i++) n += has_word(a, &w->items[i]) || has_word(b, &w->items[i]);
  return w->n > 0 ? (double)n / w->n : NAN;
}

void les_words_free(les_words *w) {
  free(w->items);
  free(w->text);
  *w = (les_words){0};
}

/* A lower-cased copy; broken bytes become U+FFFD. */
static char *lower(const char *text) {
  size_t n = strlen(text);
  char *copy = malloc(4 * n + 1), *out = copy; /* a byte gives a character of four at most */
  for (size_t i = 0; copy && i < n;) {
    utf8proc_int32_t c;
    utf8proc_ssize_t used =
        utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
    if (used < 1) c = 0xFFFD, used = 1;
    i += (size_t)used;
    out += utf8proc_encode_char(utf8proc_tolower(c), (utf8proc_uint8_t *)out);
  }
  if (copy) *out = 0;
  return copy;
}

/* True if the character at p, or the one that ends before it, is a letter or digit. */
static bool is_alnum_at(const char *p) {
  utf8proc_int32_t c;
  if (!*p || utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &c) < 1) return false;
  utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static bool is_alnum_before(const char *start, const char *p) {
  if (p == start) return false;
  do p--;
  while (p > start && ((unsigned char)*p & 0xC0) == 0x80);
  return is_alnum_at(p);
}

les_status les_text_contains(const char *text, const char *answer, bool *found) {
  char *t = lower(text), *a = lower(answer);
  *found = false;
  for (const char *p = t && a ? t : NULL; p && (p = strstr(p, a)) && !*found; p += *p != 0) {
    const char *end = p + strlen(a);
    bool open_left = is_alnum_at(a) && is_alnum_before(t, p);
    bool open_right = is_alnum_before(a, a + strlen(a)) && is_alnum_at(end);
    *found = !open_left && !open_right;
    if (!*p) break;
  }
  les_status status = t && a ? LES_OK : les_fail(LES_FAILED, "out of memory for an answer");
  free(t);
  free(a);
  return status;
}

/* Levenshtein distance over one row of the table; both shorter than 64 bytes. */
static int distance(const char *a, const char *b) {
  int row[64];
  int n = (int)strlen(b);
  for (int j = 0; j <= n; j++) row[j] = j;
  for (int i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= n; j++) {
      int up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
      if (up + 1 < best) best = up + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = up;
      row[j] = best;
    }
  }
  return row[n];
}

const char *les_text_nearest(const char *name, const char *const *names, int n) {
  const char *nearest = NULL;
  int best = (int)strlen(name) / 2 + 1;
  if (strlen(name) > 63) return NULL;
  for (int i = 0; i < n; i++) {
    int d = strlen(names[i]) > 63 ? best : distance(name, names[i]);
    if (d < best) best = d, nearest = names[i];
  }
  return nearest;
}
