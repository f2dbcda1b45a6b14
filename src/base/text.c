#include "base/text.h"

#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

size_t les_utf8_next(const char *bytes, size_t n, int32_t *codepoint) {
  const unsigned char *s = (const unsigned char *)bytes;
  int32_t ignored;
  if (!codepoint) codepoint = &ignored;
  *codepoint = -1;
  if (s[0] < 0x80) return *codepoint = s[0], 1;
  if (s[0] < 0xc2 || s[0] > 0xf4) return 1;
  size_t length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
  /* the second byte's range excludes overlong forms, surrogates and values above 10FFFF (Unicode, table 3-7)
   */
  unsigned low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
  unsigned high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
  int32_t c = s[0] & (0x7f >> length);
  for (size_t i = 1; i < length; i++) {
    if (i == n || s[i] < low || s[i] > high) return i;
    c = (c << 6) | (s[i] & 0x3f);
    low = 0x80, high = 0xbf;
  }
  return *codepoint = c, length;
}

size_t les_utf8_back(const char *bytes, size_t end) {
  do end--;
  while (end > 0 && !les_utf8_is_start(bytes[end]));
  return end;
}

size_t les_utf8_encode(char *out, int32_t codepoint) {
  uint32_t c = (uint32_t)codepoint;
  if (c < 0x80) return out[0] = (char)c, 1;
  size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
  out[0] = (char)((0xf00 >> n) | c);
  return n;
}

bool les_is_white_space(int32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

bool les_is_python_space(int32_t c) {
  return les_is_white_space(c) || (c >= 0x1c && c <= 0x1f);
}

size_t les_text_leading(const char *text, size_t n, bool (*is)(int32_t codepoint)) {
  size_t end = 0;
  while (end < n) {
    int32_t codepoint;
    size_t length = les_utf8_next(text + end, n - end, &codepoint);
    if (!is(codepoint)) break;
    end += length;
  }
  return end;
}

size_t les_text_trailing(const char *text, size_t n, bool (*is)(int32_t codepoint)) {
  size_t start = n;
  while (start > 0) {
    int32_t codepoint;
    size_t at = les_utf8_back(text, start);
    les_utf8_next(text + at, start - at, &codepoint);
    if (!is(codepoint)) break;
    start = at;
  }
  return n - start;
}

size_t les_text_valid(const char *text, size_t n) {
  for (size_t i = 0; i < n;) {
    int32_t codepoint;
    size_t length = les_utf8_next(text + i, n - i, &codepoint);
    if (codepoint < 1) return i;
    i += length;
  }
  return n;
}

les_status les_text_read(const char *path, char **text, size_t *n) {
  static const char mark[] = "\xef\xbb\xbf";
  LES_TRY(les_file_read(path, text, n));
  size_t valid = les_text_valid(*text, *n);
  if (valid < *n) {
    int line = 1;
    for (size_t i = 0; i < valid; i++) line += (*text)[i] == '\n';
    les_status status =
        les_fail(LES_FAILED, "%s:%d: not valid UTF-8 (byte 0x%02x at offset %zu); save the file as UTF-8",
                 path, line, (unsigned char)(*text)[valid], valid);
    free(*text);
    *text = NULL;
    return status;
  }
  if (*n >= 3 && !memcmp(*text, mark, 3)) {
    *n -= 3;
    memmove(*text, *text + 3, *n + 1);
  }
  return LES_OK;
}

/* Bytes of the character at the start of null-terminated text; a broken one is U+FFFD. */
static size_t next(const char *text, int32_t *codepoint) {
  size_t length = les_utf8_next(text, SIZE_MAX, codepoint);
  if (*codepoint < 0) *codepoint = 0xFFFD;
  return length;
}

static int compare_words(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_mark(int32_t c) {
  utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_SO;
}

/* Writes the lower-cased words one after another, each null-terminated; returns their number. In plain words,
 * marks are dropped at the start, and at the end by going back to the byte behind the last other character.
 */
static int split(const char *text, bool plain, char *out) {
  int count = 0;
  char *word = out, *end = out; /* of the word that is being written, without marks at its end */
  for (bool more = true; more;) {
    int32_t c = ' '; /* the end of the text ends a word too */
    more = *text;
    if (more) text += next(text, &c);
    bool mark = plain && is_mark(c);
    if (les_is_python_space(c)) {
      if (end > word) *end++ = 0, count++;
      out = word = end;
    } else if (!mark || end > word) {
      out += les_utf8_encode(out, utf8proc_tolower(c));
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
  if (!out->text) return les_no_memory("the words of a text of %zu bytes", n);
  int count = split(text, plain, out->text);
  out->items = malloc((size_t)(count + 1) * sizeof *out->items);
  if (!out->items) {
    les_words_free(out);
    return les_no_memory("%d words", count);
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
  char *copy = malloc(4 * strlen(text) + 1), *out = copy; /* a byte gives a character of four at most */
  if (!copy) return NULL;
  while (*text) {
    int32_t c;
    text += next(text, &c);
    out += les_utf8_encode(out, utf8proc_tolower(c));
  }
  *out = 0;
  return copy;
}

/* True if the character at p is a letter or digit. */
static bool is_alnum_at(const char *p) {
  int32_t c;
  next(p, &c);
  utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

/* The same for the character that ends before p. */
static bool is_alnum_before(const char *start, const char *p) {
  return p > start && is_alnum_at(start + les_utf8_back(start, (size_t)(p - start)));
}

double les_text_symbols(const char *text) {
  int64_t n = 0, symbols = 0;
  while (*text) {
    int32_t c;
    text += les_utf8_next(text, SIZE_MAX, &c);
    utf8proc_category_t category = c < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c);
    n++;
    symbols += c != ' ' && !(category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME);
  }
  return n ? (double)symbols / (double)n : NAN;
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
  les_status status = t && a ? LES_OK : les_no_memory("an answer");
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
