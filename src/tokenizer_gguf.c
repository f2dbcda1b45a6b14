/* Vocabularies from the tokenizer.ggml.* keys of GGUF files (the format's specification, "Tokenizer"); what
 * the keys leave open follows llama.cpp. */
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

static les_status read_vocab(les_vocab *v, const les_gguf *g) {
  int64_t n = les_gguf_array_length(g, "tokenizer.ggml.tokens");
  if (n < 1 || n > INT32_MAX / 2)
    return les_fail(LES_FAILED,
                    "the file holds no vocabulary (tokenizer.ggml.tokens): give tokens with --tokens");
  int64_t n_types = les_gguf_array_length(g, "tokenizer.ggml.token_type");
  if (n_types >= 0 && n_types != n)
    return les_fail(LES_FAILED, "tokenizer.ggml.token_type has %lld entries for %lld tokens",
                    (long long)n_types, (long long)n);
  LES_TRY(les_vocab_start(v, (int)n));
  for (int64_t i = 0; i < n; i++) {
    const char *text;
    size_t n_text;
    if (!les_gguf_array_string(g, "tokenizer.ggml.tokens", i, &text, &n_text))
      return les_fail(LES_FAILED, "tokenizer.ggml.tokens: entry %lld is not a string", (long long)i);
    int64_t type = LES_TOKEN_NORMAL;
    if (n_types >= 0 &&
        (!les_gguf_array_int(g, "tokenizer.ggml.token_type", i, &type) || type < 0 || type > LES_TOKEN_BYTE))
      return les_fail(LES_FAILED, "tokenizer.ggml.token_type: entry %lld is not a type from 0 to 6",
                      (long long)i);
    les_vocab_add(v, text, n_text, type ? (les_token_type)type : LES_TOKEN_NORMAL);
  }
  return les_vocab_finish(v);
}

static les_status read_scores(les_spm *spm, const les_vocab *v, const les_gguf *g) {
  if (les_gguf_array_length(g, "tokenizer.ggml.scores") != v->n)
    return les_fail(LES_FAILED, "tokenizer.ggml.scores does not have an entry for each of %d tokens", v->n);
  spm->vocab = v;
  spm->scores = malloc((size_t)v->n * sizeof *spm->scores);
  if (!spm->scores) return les_fail(LES_FAILED, "out of memory for the scores of %d tokens", v->n);
  for (int i = 0; i < v->n; i++) {
    double score;
    if (!les_gguf_array_double(g, "tokenizer.ggml.scores", i, &score) || score != score)
      return les_fail(LES_FAILED, "tokenizer.ggml.scores: entry %d is not a number", i);
    spm->scores[i] = (float)score;
  }
  return LES_OK;
}

/* A token id under `key`; `fallback` (may be -1) if the file gives none that exists. */
static int32_t read_id(const les_gguf *g, const les_vocab *v, const char *key, int32_t fallback) {
  int64_t id;
  if (les_gguf_int(g, key, &id) && id >= 0 && id < v->n) return (int32_t)id;
  return fallback < v->n ? fallback : -1;
}

static bool read_bool(const les_gguf *g, const char *key, bool fallback) {
  bool value = fallback;
  les_gguf_bool(g, key, &value);
  return value;
}

/* The tokens that go around a text, by the file's keys. */
static void read_affixes(les_tokenizer *tok, const les_gguf *g, bool add_bos, int32_t bos, int32_t eos) {
  bos = read_id(g, &tok->vocab, "tokenizer.ggml.bos_token_id", bos);
  eos = read_id(g, &tok->vocab, "tokenizer.ggml.eos_token_id", eos);
  if (bos >= 0 && read_bool(g, "tokenizer.ggml.add_bos_token", add_bos)) les_ids_append(&tok->prefix, bos);
  if (eos >= 0 && read_bool(g, "tokenizer.ggml.add_eos_token", false)) les_ids_append(&tok->suffix, eos);
}

static les_status build_spm(les_tokenizer *tok, const les_gguf *g) {
  LES_TRY(read_scores(&tok->spm, &tok->vocab, g));
  tok->spm.unknown = read_id(g, &tok->vocab, "tokenizer.ggml.unknown_token_id", 0);
  tok->strip_space = read_bool(g, "tokenizer.ggml.add_space_prefix", true);
  if (tok->strip_space) LES_TRY(les_normalizer_add(&tok->normalizer, LES_NORMALIZE_PREPEND, NULL, " "));
  LES_TRY(les_normalizer_add(&tok->normalizer, LES_NORMALIZE_REPLACE, " ", "\u2581"));
  read_affixes(tok, g, true, 1, 2);
  return LES_OK;
}

les_status les_tokenizer_open_gguf(les_tokenizer **out, const les_gguf *g) {
  *out = NULL;
  les_tokenizer *tok = calloc(1, sizeof *tok);
  if (!tok) return les_fail(LES_FAILED, "out of memory for a tokenizer");
  les_status status;
  const char *model;
  size_t n;
  LES_GOTO(status, read_vocab(&tok->vocab, g), done);
  if (!les_gguf_string(g, "tokenizer.ggml.model", &model, &n)) model = "", n = 0;
  if (n == 5 && !memcmp(model, "llama", n))
    LES_GOTO(status, build_spm(tok, g), done);
  else
    status = les_fail(LES_FAILED, "tokenizer model '%.*s' is not supported: give tokens with --tokens",
                      n < 64 ? (int)n : 64, model);
done:
  if (status != LES_OK) les_tokenizer_close(&tok);
  *out = tok;
  return status;
}
