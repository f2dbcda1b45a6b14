#include "token/tokenizer.h"

#include "token/pipeline.h"
#include "token/word_cache.h"

#include <stdlib.h>
#include <string.h>

void les_tokens_free(les_tokens *t) {
  free(t->ids);
  *t = (les_tokens){0};
}

static void append_all(les_ids *out, const les_ids *more) {
  for (size_t i = 0; i < more->n; i++) les_ids_append(out, more->data[i]);
}

/* One call of les_encode. */
typedef struct encoder {
  const les_tokenizer *tok;
  bool special;
  les_matcher *matcher;
  les_pair_heap heap;
  les_word_cache cache;
  les_ids ids;
} encoder;

static les_status encode_word(encoder *e, const char *word, size_t n) {
  const les_tokenizer *tok = e->tok;
  size_t start = e->ids.n;
  if (les_word_cache_get(&e->cache, word, n, &e->ids)) return LES_OK;
  LES_TRY(tok->spm.scores ? les_spm_encode(&tok->spm, &e->heap, word, n, &e->ids)
                          : les_bpe_encode(&tok->bpe, &e->heap, word, n, &e->ids));
  if (!e->ids.failed) les_word_cache_put(&e->cache, word, n, e->ids.data + start, e->ids.n - start);
  return LES_OK;
}

/* n > 0 bytes of normalised text between added tokens; `first`: the start of the document. */
static les_status encode_plain(encoder *e, const char *text, size_t n, bool first) {
  const les_tokenizer *tok = e->tok;
  les_pieces pieces = {0};
  les_buffer_append(&pieces.text, text, n);
  les_pieces_add(&pieces, 0, n);
  les_status status = les_pieces_status(&pieces);
  if (status == LES_OK) status = les_pretokenizer_apply(&tok->pretokenizer, e->matcher, first, &pieces);
  for (size_t i = 0; i < pieces.n && status == LES_OK; i++) {
    les_span word = pieces.spans[i];
    status = encode_word(e, pieces.text.data + word.start, word.end - word.start);
  }
  les_pieces_free(&pieces);
  return status;
}

/* n bytes of raw text between added tokens. */
static les_status encode_raw(encoder *e, const char *text, size_t n, bool first) {
  if (!n) return LES_OK;
  les_buffer normal = {0};
  les_buffer_append(&normal, text, n);
  les_status status = les_buffer_status(&normal);
  if (status == LES_OK) status = les_normalizer_apply(&e->tok->normalizer, e->matcher, &normal);
  les_added_token_walk w = {&e->tok->added_normalized, normal.data, normal.n, .special = e->special};
  for (bool found = true; found && status == LES_OK;) {
    found = les_added_token_next(&w);
    if (w.gap < w.gap_end)
      status = encode_plain(e, normal.data + w.gap, w.gap_end - w.gap, first && w.gap == 0);
    if (found) les_ids_append(&e->ids, w.id);
  }
  les_buffer_free(&normal);
  return status;
}

static les_status encode_text(encoder *e, const char *text, size_t n) {
  les_added_token_walk w = {&e->tok->added, text, n, .special = e->special};
  for (bool found = true; found;) {
    found = les_added_token_next(&w);
    LES_TRY(encode_raw(e, text + w.gap, w.gap_end - w.gap, w.gap == 0));
    if (found) les_ids_append(&e->ids, w.id);
  }
  return LES_OK;
}

les_status les_encode(const les_tokenizer *tok, const char *text, size_t n, const les_encode_options *options,
                      les_tokens *t) {
  *t = (les_tokens){0};
  if (n > INT32_MAX / 8) /* normalising and byte letters make it longer, symbols have 32-bit lengths */
    return les_fail(LES_FAILED,
                    "a text of %zu bytes is too long to tokenize: split it into parts below %d bytes", n,
                    INT32_MAX / 8);
  encoder e = {.tok = tok, .special = options->special};
  les_buffer valid = {0};
  les_status status;
  LES_GOTO(status, les_matcher_open(&e.matcher), done);
  les_buffer_append_valid(&valid, text, n);
  LES_GOTO(status, les_buffer_status(&valid), done);
  if (options->bos) append_all(&e.ids, &tok->prefix);
  LES_GOTO(status, encode_text(&e, valid.data, valid.n), done);
  if (options->bos) append_all(&e.ids, &tok->suffix);
  LES_GOTO(status, les_ids_status(&e.ids), done);
  *t = (les_tokens){e.ids.data, (int)e.ids.n};
  e.ids = (les_ids){0};
done:
  les_ids_free(&e.ids);
  les_buffer_free(&valid);
  les_pair_heap_free(&e.heap);
  les_word_cache_free(&e.cache);
  les_matcher_close(&e.matcher);
  return status;
}

/* U+2581 stands for a space in the texts of tokens. */
static void append_unescaped(les_buffer *out, const char *text, size_t n) {
  for (const char *hit; (hit = memmem(text, n, "\u2581", 3));) {
    les_buffer_append(out, text, (size_t)(hit - text));
    les_buffer_append_byte(out, ' ');
    n -= (size_t)(hit + 3 - text);
    text = hit + 3;
  }
  les_buffer_append(out, text, n);
}

static void append_piece(const les_tokenizer *tok, int32_t id, bool special, les_buffer *out) {
  size_t n;
  const char *text = les_vocab_text(&tok->vocab, id, &n);
  switch ((les_token_type)tok->vocab.types[id]) {
  case LES_TOKEN_NORMAL:
    if (tok->byte_level)
      les_decode_byte_level(text, n, out);
    else
      append_unescaped(out, text, n);
    break;
  case LES_TOKEN_BYTE:
    if (les_vocab_byte(text, n) >= 0) les_buffer_append_byte(out, (unsigned char)les_vocab_byte(text, n));
    break;
  case LES_TOKEN_USER_DEFINED:
    les_buffer_append(out, text, n);
    break;
  case LES_TOKEN_CONTROL:
  case LES_TOKEN_UNKNOWN:
    if (special) les_buffer_append(out, text, n);
    break;
  case LES_TOKEN_UNUSED:
    break;
  }
}

/* Decodes by the tokens' types, which GGUF files have. */
static les_status decode_types(const les_tokenizer *tok, const int32_t *ids, int n,
                               const les_decode_options *options, les_buffer *out) {
  les_buffer bytes = {0};
  for (int i = 0; i < n; i++) append_piece(tok, ids[i], options->special, &bytes);
  size_t skip = options->document && tok->strip_space && bytes.n && bytes.data[0] == ' ';
  if (bytes.n) les_buffer_append_valid(out, bytes.data + skip, bytes.n - skip);
  les_status status = les_buffer_status(&bytes);
  les_buffer_free(&bytes);
  return status;
}

/* Decodes by the steps of a tokenizer.json. */
static les_status decode_steps(const les_tokenizer *tok, const int32_t *ids, int n,
                               const les_decode_options *options, les_buffer *out) {
  les_matcher *matcher;
  LES_TRY(les_matcher_open(&matcher));
  les_pieces pieces = {0};
  for (int i = 0; i < n; i++) {
    if (tok->vocab.types[ids[i]] == LES_TOKEN_CONTROL && !options->special) continue;
    size_t n_text, start = pieces.text.n;
    const char *text = les_vocab_spelling(&tok->vocab, ids[i], &n_text);
    les_buffer_append(&pieces.text, text, n_text);
    les_pieces_add(&pieces, start, pieces.text.n);
  }
  les_status status = les_pieces_status(&pieces);
  if (status == LES_OK) status = les_decoder_apply(&tok->decoder, matcher, options->document, &pieces);
  if (status == LES_OK) les_buffer_append_valid(out, pieces.text.data, pieces.text.n);
  les_pieces_free(&pieces);
  les_matcher_close(&matcher);
  return status;
}

les_status les_decode_with(const les_tokenizer *tok, const int32_t *ids, int n,
                           const les_decode_options *options, char **text, size_t *n_text) {
  *text = NULL;
  for (int i = 0; i < n; i++)
    if (ids[i] < 0 || ids[i] >= tok->vocab.n)
      return les_fail(LES_FAILED, "token %d is not in the vocabulary of %d tokens", ids[i], tok->vocab.n);
  les_buffer out = {0};
  les_buffer_append(&out, "", 0);
  les_status status =
      tok->decoder.n ? decode_steps(tok, ids, n, options, &out) : decode_types(tok, ids, n, options, &out);
  if (status == LES_OK) status = les_buffer_status(&out);
  if (status != LES_OK) {
    les_buffer_free(&out);
    return status;
  }
  *text = out.data;
  if (n_text) *n_text = out.n;
  return LES_OK;
}

les_status les_decode(const les_tokenizer *tok, const int32_t *ids, int n, char **text) {
  size_t length;
  LES_TRY(les_decode_with(tok, ids, n, &(les_decode_options){0}, text, &length));
  if (strlen(*text) == length) return LES_OK;
  les_buffer out = {0};
  for (size_t i = 0; i < length; i++) {
    if ((*text)[i])
      les_buffer_append(&out, *text + i, 1);
    else
      les_buffer_append_codepoint(&out, 0xfffd);
  }
  free(*text);
  *text = out.data;
  if (!out.failed) return LES_OK;
  les_buffer_free(&out);
  *text = NULL;
  return les_no_memory("a text of %zu bytes", length);
}

int32_t les_tokenizer_bos(const les_tokenizer *tok) {
  return tok->prefix.n ? tok->prefix.data[0] : -1;
}

int32_t les_tokenizer_bos_id(const les_tokenizer *tok) {
  return tok->bos >= 0 ? tok->bos : les_tokenizer_bos(tok);
}

static int32_t find_added(const les_added_tokens *added, const char *text) {
  les_added_token_walk w = {.added = added, .text = text, .n = strlen(text), .special = true};
  return les_added_token_next(&w) && w.gap == w.gap_end && w.taken == w.n ? w.id : -1;
}

int32_t les_tokenizer_find(const les_tokenizer *tok, const char *text) {
  int32_t id = find_added(&tok->added, text);
  return id >= 0 ? id : find_added(&tok->added_normalized, text);
}

static int32_t find_special(const les_tokenizer *tok, const les_added_tokens *added, const char *text,
                            size_t n) {
  les_added_token_walk w = {.added = added, .text = text, .n = n, .special = true};
  while (les_added_token_next(&w))
    if (tok->vocab.types[w.id] == LES_TOKEN_CONTROL) return w.id;
  return -1;
}

int32_t les_tokenizer_find_special(const les_tokenizer *tok, const char *text, size_t n) {
  int32_t id = find_special(tok, &tok->added, text, n);
  return id >= 0 ? id : find_special(tok, &tok->added_normalized, text, n);
}

const char *les_tokenizer_text(const les_tokenizer *tok, int32_t id, size_t *n) {
  return les_vocab_text(&tok->vocab, id, n);
}

void les_tokenizer_close(les_tokenizer **tok) {
  if (!*tok) return;
  les_vocab_free(&(*tok)->vocab);
  les_added_tokens_free(&(*tok)->added);
  les_normalizer_free(&(*tok)->normalizer);
  les_added_tokens_free(&(*tok)->added_normalized);
  les_pretokenizer_free(&(*tok)->pretokenizer);
  les_spm_free(&(*tok)->spm);
  les_bpe_free(&(*tok)->bpe);
  les_decoder_free(&(*tok)->decoder);
  les_ids_free(&(*tok)->prefix);
  les_ids_free(&(*tok)->suffix);
  les_chat_source_free(&(*tok)->chat);
  free(*tok);
  *tok = NULL;
}
