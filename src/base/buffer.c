#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(les_buffer *t, size_t more) {
  if (t->failed) return false;
  if (more < t->capacity - t->n) return true; /* one byte is kept for the null behind */
  size_t capacity = t->capacity ? t->capacity : 64;
  while (capacity - t->n <= more) {
    if (capacity > SIZE_MAX / 2) return t->failed = true, false;
    capacity *= 2;
  }
  char *data = realloc(t->data, capacity);
  if (!data) return t->failed = true, false;
  t->data = data;
  t->capacity = capacity;
  return true;
}

void les_buffer_append(les_buffer *t, const char *bytes, size_t n) {
  if (!reserve(t, n)) return;
  if (n) memcpy(t->data + t->n, bytes, n);
  t->n += n;
  t->data[t->n] = 0;
}

void les_buffer_append_byte(les_buffer *t, unsigned char byte) {
  les_buffer_append(t, (const char *)&byte, 1);
}

void les_buffer_append_codepoint(les_buffer *t, int32_t codepoint) {
  uint32_t c = (uint32_t)codepoint;
  if (c < 0x80) {
    les_buffer_append_byte(t, (unsigned char)c);
    return;
  }
  char bytes[4];
  int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (int i = n - 1; i > 0; i--, c >>= 6) bytes[i] = (char)(0x80 | (c & 0x3f));
  bytes[0] = (char)((0xf00 >> n) | c);
  les_buffer_append(t, bytes, (size_t)n);
}

void les_buffer_append_valid(les_buffer *t, const char *bytes, size_t n) {
  size_t start = 0;
  for (size_t i = 0; i < n;) {
    int32_t codepoint;
    size_t length = les_utf8_next(bytes + i, n - i, &codepoint);
    if (codepoint < 0) {
      les_buffer_append(t, bytes + start, i - start);
      les_buffer_append_codepoint(t, 0xfffd);
      start = i + length;
    }
    i += length;
  }
  les_buffer_append(t, bytes + start, n - start);
}

void les_buffer_clear(les_buffer *t) {
  t->n = 0;
  if (t->data) t->data[0] = 0;
}

void les_buffer_free(les_buffer *t) {
  free(t->data);
  *t = (les_buffer){0};
}

les_status les_buffer_status(const les_buffer *t) {
  return t->failed ? les_fail(LES_FAILED, "out of memory while handling %zu bytes of text", t->n) : LES_OK;
}

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
  while (end > 0 && ((unsigned char)bytes[end] & 0xc0) == 0x80);
  return end;
}

bool les_utf8_is_space(int32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}
