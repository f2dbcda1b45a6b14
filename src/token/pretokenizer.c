#include "token/pretokenizer.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that are printable in Latin-1 stand for themselves; the others follow in order from U+0100. */
enum { N_LOW = 33, FIRST_HIGH = 127, N_HIGH = 34, SOFT_HYPHEN = 173 };

static bool is_own_letter(int32_t byte) {
  return byte >= N_LOW && byte != SOFT_HYPHEN && (byte < FIRST_HIGH || byte >= FIRST_HIGH + N_HIGH);
}

int32_t les_byte_to_unicode(unsigned char byte) {
  if (is_own_letter(byte)) return byte;
  if (byte < N_LOW) return 256 + byte;
  return byte == SOFT_HYPHEN ? 256 + N_LOW + N_HIGH : 256 + N_LOW + byte - FIRST_HIGH;
}

int les_byte_from_unicode(int32_t codepoint) {
  if (codepoint < 256) return codepoint >= 0 && is_own_letter(codepoint) ? codepoint : -1;
  codepoint -= 256;
  if (codepoint < N_LOW) return codepoint;
  if (codepoint < N_LOW + N_HIGH) return codepoint - N_LOW + FIRST_HIGH;
  return codepoint == N_LOW + N_HIGH ? SOFT_HYPHEN : -1;
}

void les_pieces_add(les_pieces *p, size_t start, size_t end) {
  if (p->failed || start >= end) return;
  if (p->n == p->capacity) {
    size_t capacity = p->capacity ? p->capacity * 2 : 64;
    les_span *spans = realloc(p->spans, capacity * sizeof *spans);
    if (!spans) {
      p->failed = true;
      return;
    }
    p->spans = spans;
    p->capacity = capacity;
  }
  p->spans[p->n++] = (les_span){start, end};
}

void les_pieces_free(les_pieces *p) {
  les_buffer_free(&p->text);
  free(p->spans);
  *p = (les_pieces){0};
}

les_status les_pieces_status(const les_pieces *p) {
  return p->failed ? les_no_memory("%zu pieces of text", p->n) : les_buffer_status(&p->text);
}

les_status les_pretokenizer_add(les_pretokenizer *z, les_pretokenize_step step) {
  les_pretokenize_step *steps = realloc(z->steps, ((size_t)z->n + 1) * sizeof *steps);
  if (!steps) {
    les_pattern_close(&step.pattern);
    return les_no_memory("a pre-tokenizer");
  }
  z->steps = steps;
  z->steps[z->n++] = step;
  return LES_OK;
}

les_status les_pretokenizer_add_regex(les_pretokenizer *z, const char *regex) {
  les_pretokenize_step step = {.kind = LES_PRETOKENIZE_SPLIT, .behavior = LES_SPLIT_ISOLATED};
  LES_TRY(les_pattern_open(&step.pattern, regex));
  return les_pretokenizer_add(z, step);
}

/* Takes the segments of a piece in order, matches and the text between, and joins them as the behavior says.
 */
typedef struct splitter {
  const les_pretokenize_step *step;
  les_pieces *out;
  les_span held; /* the last segment, which the next may join */
  bool any, held_is_match;
} splitter;

static void flush(splitter *s) {
  bool removed = s->step->behavior == LES_SPLIT_REMOVED && s->held_is_match;
  if (s->any && !removed) les_pieces_add(s->out, s->held.start, s->held.end);
}

static void take_segment(splitter *s, size_t start, size_t end, bool is_match) {
  is_match ^= s->step->invert;
  bool join = false;
  if (s->any) switch (s->step->behavior) {
    case LES_SPLIT_REMOVED:
    case LES_SPLIT_ISOLATED:
      break;
    case LES_SPLIT_MERGED_WITH_PREVIOUS:
      join = is_match && !s->held_is_match;
      break;
    case LES_SPLIT_MERGED_WITH_NEXT:
      join = s->held_is_match && !is_match;
      break;
    case LES_SPLIT_CONTIGUOUS:
      join = is_match == s->held_is_match;
      break;
    }
  if (join) {
    s->held.end = end;
  } else {
    flush(s);
    s->held = (les_span){start, end};
  }
  s->any = true;
  s->held_is_match = is_match;
}

static les_status split_piece(const les_pretokenize_step *step, les_matcher *m, const char *text,
                              les_span piece, les_pieces *out) {
  splitter s = {.step = step, .out = out};
  size_t base = piece.start, n = piece.end - base;
  les_match_walk w = {.pattern = step->pattern, .matcher = m, .text = text + base, .n = n};
  for (bool found = true; found;) {
    LES_TRY(les_match_next(&w, &found));
    size_t gap_end = found ? w.match.start : n;
    if (w.gap < gap_end) take_segment(&s, base + w.gap, base + gap_end, false);
    if (found) take_segment(&s, base + w.match.start, base + w.match.end, true);
  }
  flush(&s);
  return LES_OK;
}

static bool is_own_ascii_letter(char byte) {
  return (unsigned char)byte < 0x80 && is_own_letter(byte);
}

/* Printable ASCII, which is most of a text, is copied run by run. */
static void put_bytes(les_buffer *out, const char *text, size_t n) {
  for (size_t i = 0; i < n;) {
    size_t run = i;
    while (i < n && is_own_ascii_letter(text[i])) i++;
    les_buffer_append(out, text + run, i - run);
    if (i < n) les_buffer_append_codepoint(out, les_byte_to_unicode((unsigned char)text[i++]));
  }
}

static void put_meta(const les_pretokenize_step *step, bool first, les_buffer *out, const char *text,
                     size_t n) {
  size_t n_meta = strlen(step->meta);
  bool starts = *text == ' ' || (n >= n_meta && !memcmp(text, step->meta, n_meta));
  bool wanted = step->prepend == LES_PREPEND_ALWAYS || (step->prepend == LES_PREPEND_FIRST && first);
  if (wanted && !starts) les_buffer_append(out, step->meta, n_meta);
  for (const char *space; (space = memchr(text, ' ', n));) {
    les_buffer_append(out, text, (size_t)(space - text));
    les_buffer_append(out, step->meta, n_meta);
    n -= (size_t)(space + 1 - text);
    text = space + 1;
  }
  les_buffer_append(out, text, n);
}

static les_status apply(const les_pretokenize_step *step, les_matcher *m, bool first, const les_pieces *in,
                        les_pieces *out) {
  for (size_t i = 0; i < in->n; i++) {
    const char *text = in->text.data + in->spans[i].start;
    size_t n = in->spans[i].end - in->spans[i].start, start = out->text.n;
    switch (step->kind) {
    case LES_PRETOKENIZE_SPLIT:
      LES_TRY(split_piece(step, m, in->text.data, in->spans[i], out));
      continue;
    case LES_PRETOKENIZE_PREFIX_SPACE:
      if (*text != ' ') les_buffer_append_byte(&out->text, ' ');
      les_buffer_append(&out->text, text, n);
      break;
    case LES_PRETOKENIZE_BYTE_LEVEL:
      put_bytes(&out->text, text, n);
      break;
    case LES_PRETOKENIZE_METASPACE:
      put_meta(step, first && in->spans[i].start == 0, &out->text, text, n);
      break;
    }
    les_pieces_add(out, start, out->text.n);
  }
  return les_pieces_status(out);
}

les_status les_pretokenizer_apply(const les_pretokenizer *z, les_matcher *m, bool first, les_pieces *pieces) {
  for (int i = 0; i < z->n; i++) {
    les_pieces out = {0};
    les_status status = apply(&z->steps[i], m, first, pieces, &out);
    if (z->steps[i].kind == LES_PRETOKENIZE_SPLIT) { /* the text stays */
      out.text = pieces->text;
      pieces->text = (les_buffer){0};
    }
    les_pieces_free(pieces);
    *pieces = out;
    LES_TRY(status);
  }
  return LES_OK;
}

void les_pretokenizer_free(les_pretokenizer *z) {
  for (int i = 0; i < z->n; i++) les_pattern_close(&z->steps[i].pattern);
  free(z->steps);
  *z = (les_pretokenizer){0};
}
