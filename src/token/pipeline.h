/* The inside of a tokenizer, for the files that implement tokenizer.h: tokenizer_gguf.c and tokenizer_json.c
 * fill it in, tokenizer.c runs it. */
#ifndef LES_TOKEN_PIPELINE_H
#define LES_TOKEN_PIPELINE_H

#include "token/added_tokens.h"
#include "token/bpe.h"
#include "token/decoder.h"
#include "token/normalizer.h"
#include "token/pretokenizer.h"
#include "token/spm.h"

#include <cjson/cJSON.h>

/* What chat.c makes conversations with. */
typedef struct les_chat_source {
  char *template; /* (n) Jinja, with a null byte behind it; NULL: the model brings none */
  size_t n;
  cJSON *special; /* {"bos_token": "<s>", ...}; NULL: none are named */
} les_chat_source;

/* The first of several settings of a special token counts, the last of a template. */
les_status les_chat_set_template(les_chat_source *s, const char *text, size_t n);
les_status les_chat_set_special(les_chat_source *s, const char *name, const char *text);
/* From a tokenizer_config.json or special_tokens_map.json; a template that is there already stays. */
les_status les_chat_read_config(les_chat_source *s, const cJSON *config);
void les_chat_source_free(les_chat_source *s);

/* Encoding splits a text at its added tokens. Each part between is normalised, split at the added tokens that
 * are matched after normalisation, and pre-tokenized into words; SPM or BPE turns each word into tokens. */
struct les_tokenizer {
  les_vocab vocab;
  les_added_tokens added; /* matched in the raw text */
  les_normalizer normalizer;
  les_added_tokens added_normalized; /* matched in the normalised text */
  les_pretokenizer pretokenizer;
  les_spm spm;            /* used if it has scores */
  les_bpe bpe;            /* used if spm has none */
  les_ids prefix, suffix; /* tokens put around a text: BOS, rarely EOS */
  int32_t bos;            /* the begin token that the files name, put in front or not; -1: they name none */
  les_decoder decoder;    /* a tokenizer.json's; without steps, tokens are decoded by their types: */
  bool byte_level;  /* normal tokens are in GPT-2's byte-level alphabet, else U+2581 stands for a space */
  bool strip_space; /* decoding a document drops the space that encoding prepends */
  les_chat_source chat;
};

/* The chat template of a GGUF file, and its special tokens by name; after the vocabulary. */
struct les_gguf;
les_status les_chat_read_gguf(struct les_tokenizer *tok, const struct les_gguf *g);

#endif
