/* What a tokenizer is made of. The readers of GGUF and tokenizer.json fill it in, tokenizer.c runs it. Not
 * for users of a tokenizer: they include tokenizer.h. */
#ifndef LES_TOKEN_PIPELINE_H
#define LES_TOKEN_PIPELINE_H

#include "token/added_tokens.h"
#include "token/bpe.h"
#include "token/decoder.h"
#include "token/normalizer.h"
#include "token/pretokenizer.h"
#include "token/spm.h"
#include "token/tokenizer.h"

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

/* Encoding: the text's added tokens; what lies between is normalised, searched for the added tokens that are
 * looked for after that, cut into words, and each word goes through SPM or BPE. */
struct les_tokenizer {
  les_vocab vocab;
  les_added added; /* found in the text as it is */
  les_normalizer normalizer;
  les_added added_normalized; /* found in the normalised text */
  les_pretokenizer pretokenizer;
  les_spm spm;            /* used if it has scores, */
  les_bpe bpe;            /* else this */
  les_ids prefix, suffix; /* tokens put around a text: BOS, rarely EOS */
  les_decoder decoder;    /* how a tokenizer.json's tokens become text; without steps, by their types: */
  bool byte_letters;      /* normal tokens are written in GPT-2's alphabet of bytes, else with U+2581 */
  bool strip_space;       /* a document's text has lost the space that encoding put in front */
  les_chat_source chat;
};

/* The chat template of a GGUF file, and its special tokens by name; after the vocabulary. */
les_status les_chat_read_gguf(les_tokenizer *tok, const les_gguf *g);

#endif
