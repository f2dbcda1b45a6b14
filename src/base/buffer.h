/* A growable buffer of bytes. */
#ifndef LES_BASE_BUFFER_H
#define LES_BASE_BUFFER_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start from {0}; free with les_buffer_free. Running out of memory sets `failed` and makes
 * every later append do nothing, so that a caller checks once, with les_buffer_status, when it is done. */
typedef struct les_buffer {
  char *data; /* (n) followed by a null byte; NULL while nothing has been appended */
  size_t n, capacity;
  bool failed;
} les_buffer;

void les_buffer_append(les_buffer *t, const char *bytes, size_t n);
void les_buffer_append_byte(les_buffer *t, unsigned char byte);
void les_buffer_append_codepoint(les_buffer *t, int32_t codepoint);

/* Appends bytes as valid UTF-8: every broken sequence becomes one U+FFFD. What one broken sequence is follows
 * the Unicode Standard, "Substitution of Maximal Subparts" (3.9), as Python and browsers do. */
void les_buffer_append_valid(les_buffer *t, const char *bytes, size_t n);

/* Empties without giving memory back. */
void les_buffer_clear(les_buffer *t);
void les_buffer_free(les_buffer *t);

/* LES_FAILED with a message if an append ran out of memory. */
les_status les_buffer_status(const les_buffer *t);

#endif
