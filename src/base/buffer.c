#include "base/buffer.h"

#include "base/text.h"

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
  char bytes[4];
  les_buffer_append(t, bytes, les_utf8_encode(bytes, codepoint));
}

void les_buffer_append_valid(les_buffer *t, const char *bytes, size_t n) {
  size_t start = 0;
  if (!n) bytes = ""; /* which may be NULL then */
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
  return t->failed ? les_no_memory("a text of more than %zu bytes", t->n) : LES_OK;
}
