#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

void les_tokens_free(les_tokens *t) {
  free(t->ids);
  *t = (les_tokens){0};
}

static void append_all(les_ids *out, const les_ids *more) {
  for (size_t i = 0; i < more->n; i++) les_ids_append(out, more->data[i]);
}

les_status les_encode(const les_tokenizer *tok, const char *text, size_t n, const les_encode_options *options,
                      les_tokens *t) {
  *t = (les_tokens){0};
  if (n > INT32_MAX / 8)
    return les_fail(LES_FAILED,
                    "a text of %zu bytes is too long to tokenize: split it into parts below %d bytes", n,
                    INT32_MAX / 8);
  les_ids ids = {0};
  les_buffer work = {0};
  les_merger merger = {0};
  les_status status;
  if (options->bos) append_all(&ids, &tok->prefix);
  les_buffer_append_valid(&work, text, n);
  LES_GOTO(status, les_buffer_status(&work), done);
  LES_GOTO(status, les_normalizer_apply(&tok->normalizer, &work), done);
  LES_GOTO(status, les_spm_encode(&tok->spm, &merger, work.data, work.n, &ids), done);
  if (options->bos) append_all(&ids, &tok->suffix);
  if (ids.failed) status = les_fail(LES_FAILED, "out of memory for %zu tokens", ids.n);
done:
  les_merger_free(&merger);
  les_buffer_free(&work);
  if (status == LES_OK)
    *t = (les_tokens){ids.data, (int)ids.n};
  else
    les_ids_free(&ids);
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

les_status les_decode_with(const les_tokenizer *tok, const int32_t *ids, int n,
                           const les_decode_options *options, char **text, size_t *n_text) {
  *text = NULL;
  les_buffer bytes = {0}, valid = {0};
  les_status status = LES_OK;
  for (int i = 0; i < n; i++) {
    if (ids[i] < 0 || ids[i] >= tok->vocab.n)
      LES_GOTO(status,
               les_fail(LES_FAILED, "token %d is not in the vocabulary of %d tokens", ids[i], tok->vocab.n),
               done);
    append_piece(tok, ids[i], options->special, &bytes);
  }
  size_t skip = options->document && tok->strip_space && bytes.n && bytes.data[0] == ' ';
  les_buffer_append_valid(&valid, bytes.data + skip, bytes.n - skip);
  les_buffer_append(&valid, "", 0);
  if (bytes.failed) valid.failed = true;
  LES_GOTO(status, les_buffer_status(&valid), done);
  *text = valid.data;
  if (n_text) *n_text = valid.n;
  valid = (les_buffer){0};
done:
  les_buffer_free(&bytes);
  les_buffer_free(&valid);
  return status;
}

les_status les_decode(const les_tokenizer *tok, const int32_t *ids, int n, char **text) {
  return les_decode_with(tok, ids, n, &(les_decode_options){0}, text, NULL);
}

int32_t les_tokenizer_bos(const les_tokenizer *tok) {
  return tok->prefix.n ? tok->prefix.data[0] : -1;
}

int les_tokenizer_size(const les_tokenizer *tok) {
  return tok->vocab.n;
}

void les_tokenizer_close(les_tokenizer **tok) {
  if (!*tok) return;
  les_vocab_free(&(*tok)->vocab);
  les_normalizer_free(&(*tok)->normalizer);
  les_spm_free(&(*tok)->spm);
  les_ids_free(&(*tok)->prefix);
  les_ids_free(&(*tok)->suffix);
  free(*tok);
  *tok = NULL;
}
