#include "token/decoder.h"

#include "base/text.h"
#include "token/vocab.h"

#include <stdlib.h>
#include <string.h>

static void free_step(les_decode_step *step) {
  les_pattern_close(&step->pattern);
  les_buffer_free(&step->text);
}

les_status les_decoder_add(les_decoder *z, les_decode_step step) {
  les_status status = les_buffer_status(&step.text);
  les_decode_step *steps = realloc(z->steps, ((size_t)z->n + 1) * sizeof *steps);
  if (!steps) status = les_no_memory("a decoder");
  if (steps) z->steps = steps;
  if (status == LES_OK)
    z->steps[z->n++] = step;
  else
    free_step(&step);
  return status;
}

void les_decode_byte_level(const char *text, size_t n, les_buffer *out) {
  size_t start = out->n;
  for (size_t i = 0; i < n;) {
    int32_t codepoint;
    i += les_utf8_next(text + i, n - i, &codepoint);
    int byte = les_byte_from_unicode(codepoint);
    if (byte < 0) {
      out->n = start;
      les_buffer_append(out, text, n);
      return;
    }
    les_buffer_append_byte(out, (unsigned char)byte);
  }
}

/* Decodes a run of byte tokens. */
static void put_run(const les_buffer *run, les_pieces *out) {
  size_t start = out->text.n, at = 0;
  for (int32_t codepoint; at < run->n; at += les_utf8_next(run->data + at, run->n - at, &codepoint)) {
    les_utf8_next(run->data + at, run->n - at, &codepoint);
    if (codepoint < 0) break;
  }
  if (at == run->n)
    les_buffer_append(&out->text, run->data, run->n);
  else
    for (size_t i = 0; i < run->n; i++) les_buffer_append_codepoint(&out->text, 0xfffd);
  les_pieces_add(out, start, out->text.n);
}

static void fall_back(const les_pieces *in, les_pieces *out) {
  les_buffer run = {0};
  for (size_t i = 0; i < in->n; i++) {
    const char *text = in->text.data + in->spans[i].start;
    size_t n = in->spans[i].end - in->spans[i].start;
    int byte = les_vocab_byte(text, n);
    if (byte >= 0) {
      les_buffer_append_byte(&run, (unsigned char)byte);
      continue;
    }
    put_run(&run, out);
    les_buffer_clear(&run);
    size_t start = out->text.n;
    les_buffer_append(&out->text, text, n);
    les_pieces_add(out, start, out->text.n);
  }
  put_run(&run, out);
  out->failed |= run.failed;
  les_buffer_free(&run);
}

static void decode_byte_level(const les_pieces *in, les_pieces *out) {
  les_buffer bytes = {0};
  for (size_t i = 0; i < in->n; i++)
    les_decode_byte_level(in->text.data + in->spans[i].start, in->spans[i].end - in->spans[i].start, &bytes);
  les_buffer_append_valid(&out->text, bytes.data, bytes.n);
  les_pieces_add(out, 0, out->text.n);
  out->failed |= bytes.failed;
  les_buffer_free(&bytes);
}

static void join(const les_buffer *between, const les_pieces *in, les_pieces *out) {
  for (size_t i = 0; i < in->n; i++) {
    if (i) les_buffer_append(&out->text, between->data, between->n);
    les_buffer_append(&out->text, in->text.data + in->spans[i].start, in->spans[i].end - in->spans[i].start);
  }
  les_pieces_add(out, 0, out->text.n);
}

static void strip(const les_decode_step *step, bool keep_start, const char *text, size_t n, les_buffer *out) {
  size_t n_strip = step->text.n;
  for (int i = 0; i < step->start && !keep_start && n >= n_strip && !memcmp(text, step->text.data, n_strip);
       i++)
    text += n_strip, n -= n_strip;
  for (int i = 0; i < step->stop && n >= n_strip && !memcmp(text + n - n_strip, step->text.data, n_strip);
       i++)
    n -= n_strip;
  les_buffer_append(out, text, n);
}

static void replace_metaspace(const les_decode_step *step, bool drop, const char *text, size_t n,
                              les_buffer *out) {
  for (const char *hit; (hit = memmem(text, n, step->text.data, step->text.n));) {
    les_buffer_append(out, text, (size_t)(hit - text));
    if (!drop) les_buffer_append_byte(out, ' ');
    n -= (size_t)(hit - text) + step->text.n;
    text = hit + step->text.n;
  }
  les_buffer_append(out, text, n);
}

static les_status apply(const les_decode_step *step, les_matcher *m, bool document, const les_pieces *in,
                        les_pieces *out) {
  switch (step->kind) {
  case LES_DECODE_BYTE_FALLBACK:
    fall_back(in, out);
    return LES_OK;
  case LES_DECODE_BYTE_LEVEL:
    decode_byte_level(in, out);
    return LES_OK;
  case LES_DECODE_FUSE:
  case LES_DECODE_JOIN:
    join(&step->text, in, out);
    return LES_OK;
  default:
    break;
  }
  for (size_t i = 0; i < in->n; i++) {
    const char *text = in->text.data + in->spans[i].start;
    size_t n = in->spans[i].end - in->spans[i].start, start = out->text.n;
    if (step->kind == LES_DECODE_REPLACE)
      LES_TRY(les_pattern_replace(step->pattern, m, text, n, &step->text, &out->text));
    else if (step->kind == LES_DECODE_STRIP)
      strip(step, i == 0 && !document, text, n, &out->text);
    else
      replace_metaspace(step, i == 0 && document && !step->keep_first, text, n, &out->text);
    les_pieces_add(out, start, out->text.n);
  }
  return LES_OK;
}

les_status les_decoder_apply(const les_decoder *z, les_matcher *m, bool document, les_pieces *pieces) {
  les_status status = LES_OK;
  for (int i = 0; i < z->n && status == LES_OK; i++) {
    les_pieces out = {0};
    status = apply(&z->steps[i], m, document, pieces, &out);
    if (status == LES_OK) status = les_pieces_status(&out);
    les_pieces_free(pieces);
    *pieces = out;
  }
  return status;
}

void les_decoder_free(les_decoder *z) {
  for (int i = 0; i < z->n; i++) free_step(&z->steps[i]);
  free(z->steps);
  *z = (les_decoder){0};
}
