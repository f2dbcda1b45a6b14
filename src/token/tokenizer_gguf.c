/* Vocabularies from the tokenizer.ggml.* keys of GGUF files (the format's specification, "Tokenizer"); what
 * the keys leave open follows llama.cpp. */
#include "token/pipeline.h"
#include "token/tokenizer.h"

#include <stdio.h>
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
  if (!spm->scores) return les_no_memory("the scores of %d tokens", v->n);
  for (int i = 0; i < v->n; i++) {
    double score;
    if (!les_gguf_array_double(g, "tokenizer.ggml.scores", i, &score) || score != score)
      return les_fail(LES_FAILED, "tokenizer.ggml.scores: entry %d is not a number", i);
    spm->scores[i] = (float)score;
  }
  return LES_OK;
}

/* A short string under `key`, cut at 63 bytes, without control characters. */
static void read_name(const les_gguf *g, const char *key, const char *fallback, char name[64]) {
  const char *text = fallback;
  size_t n = strlen(fallback);
  les_gguf_string(g, key, &text, &n);
  snprintf(name, 64, "%.*s", n < 64 ? (int)n : 63, text);
  for (char *c = name; *c; c++)
    if ((unsigned char)*c < ' ') *c = '?';
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

/* The tokens before and after a text. */
static void read_affixes(les_tokenizer *tok, const les_gguf *g, bool add_bos, int32_t bos, int32_t eos) {
  bos = read_id(g, &tok->vocab, "tokenizer.ggml.bos_token_id", bos);
  eos = read_id(g, &tok->vocab, "tokenizer.ggml.eos_token_id", eos);
  tok->bos = bos;
  if (bos >= 0 && read_bool(g, "tokenizer.ggml.add_bos_token", add_bos)) les_ids_append(&tok->prefix, bos);
  if (eos >= 0 && read_bool(g, "tokenizer.ggml.add_eos_token", false)) les_ids_append(&tok->suffix, eos);
}

static les_status build_spm(les_tokenizer *tok, const les_gguf *g) {
  LES_TRY(read_scores(&tok->spm, &tok->vocab, g));
  tok->spm.unknown = read_id(g, &tok->vocab, "tokenizer.ggml.unknown_token_id", 0);
  tok->strip_space = read_bool(g, "tokenizer.ggml.add_space_prefix", true);
  if (tok->strip_space) LES_TRY(les_normalizer_add_prepend(&tok->normalizer, " "));
  LES_TRY(les_normalizer_add_replace(&tok->normalizer, " ", "\u2581"));
  read_affixes(tok, g, true, 1, 2);
  return LES_OK;
}

/* Contractions, words, numbers, punctuation, white space: the pattern of GPT-2 and its descendants, which
 * differ in how they split numbers and where they attach line breaks. Names and patterns are llama.cpp's;
 * CASED is the models' own tokenizer.json's, which llama.cpp approximates for combining marks. */
#define CONTRACTIONS "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
#define GPT2         "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define BREAKS       "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LLAMA3(DIGITS)                                                                                       \
  CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" DIGITS "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" BREAKS
#define CASED(TAIL)                                                                                          \
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+" TAIL           \
  "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*" TAIL

typedef struct pre_kind {
  const char *names;       /* with a space around each */
  const char *patterns[4]; /* applied one after another */
  bool ignore_merges, add_bos;
} pre_kind;

static const pre_kind pre_kinds[] = {
    {" llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 ",
     {LLAMA3("\\p{N}{1,3}")},
     true,
     true},
    {" glm4 ", {LLAMA3("\\p{N}{1,3}")}, true, false},
    {" smaug-bpe dbrx chatglm-bpe ", {LLAMA3("\\p{N}{1,3}")}, false, false},
    {" qwen2 deepseek-r1-qwen stablelm2 hunyuan megrez solar-open kormo grok-2 ",
     {LLAMA3("\\p{N}")},
     false,
     false},
    {" qwen35 ",
     {CONTRACTIONS
      "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" BREAKS},
     false,
     false},
    {" gpt-2 phi-2 mpt olmo jais gigachat a.x-4.0 mellum exaone4 trillion granite-docling ",
     {GPT2},
     false,
     false},
    {" starcoder refact command-r smollm codeshell exaone minerva-7b mellum2 ",
     {"\\p{N}", GPT2},
     false,
     false},
    {" falcon ", {"[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"}, false, false},
    {" deepseek-v3 hunyuan-dense joyai-llm ",
     {"\\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
      "[!-/:-@\\[-`{-~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
      "?[\\p{P}\\p{S}]+[\\r\\n]*|" BREAKS},
     false,
     false},
    {" tekken ", {CASED("") "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BREAKS}, true, true},
    {" gpt-4o llama4 kanana2 minimax-m2 ",
     {CASED(CONTRACTIONS "?") "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BREAKS},
     false,
     false},
    {" default ", {"[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"}, false, false},
};

static const pre_kind *find_pre(const char *name) {
  char padded[66];
  snprintf(padded, sizeof padded, " %s ", name);
  for (size_t i = 0; i < sizeof pre_kinds / sizeof *pre_kinds; i++)
    if (strstr(pre_kinds[i].names, padded)) return &pre_kinds[i];
  return NULL;
}

static les_status build_pretokenizer(les_pretokenizer *z, const pre_kind *pre) {
  for (int i = 0; i < 4 && pre->patterns[i]; i++) LES_TRY(les_pretokenizer_add_regex(z, pre->patterns[i]));
  return les_pretokenizer_add(z, (les_pretokenize_step){.kind = LES_PRETOKENIZE_BYTE_LEVEL});
}

static les_status read_merges(les_bpe *bpe, const les_vocab *v, const les_gguf *g) {
  int64_t n = les_gguf_array_length(g, "tokenizer.ggml.merges");
  if (n < 0) return les_fail(LES_FAILED, "the file's vocabulary has no merges (tokenizer.ggml.merges)");
  LES_TRY(les_bpe_start(bpe, v, n));
  for (int64_t i = 0; i < n; i++) {
    const char *text;
    size_t n_text;
    const char *space = NULL;
    if (les_gguf_array_string(g, "tokenizer.ggml.merges", i, &text, &n_text) && n_text > 1)
      space = memchr(text + 1, ' ', n_text - 1);
    if (!space)
      return les_fail(LES_FAILED, "tokenizer.ggml.merges: entry %lld is not two tokens and a space between",
                      (long long)i);
    /* a merge of what is not in the vocabulary is never applied: whether it was added does not matter */
    bool added;
    LES_TRY(les_bpe_add(bpe, (int32_t)i, text, (size_t)(space - text), space + 1,
                        n_text - (size_t)(space + 1 - text), &added));
  }
  return LES_OK;
}

static les_status build_bpe(les_tokenizer *tok, const les_gguf *g) {
  char name[64];
  read_name(g, "tokenizer.ggml.pre", "default", name);
  const pre_kind *pre = find_pre(name);
  if (!pre)
    return les_fail(LES_FAILED, "pre-tokenizer '%s' is not known: give token ids with --tokens", name);
  LES_TRY(build_pretokenizer(&tok->pretokenizer, pre));
  LES_TRY(read_merges(&tok->bpe, &tok->vocab, g));
  tok->bpe.ignore_merges = pre->ignore_merges;
  tok->byte_level = true;
  read_affixes(tok, g, pre->add_bos, -1, -1);
  return LES_OK;
}

/* Special and user-defined tokens, which are matched before pre-tokenization. */
static les_status read_added(les_added_tokens *added, const les_vocab *v) {
  for (int32_t id = 0; id < v->n; id++) {
    bool special = v->types[id] == LES_TOKEN_CONTROL || v->types[id] == LES_TOKEN_UNKNOWN;
    if (!special && v->types[id] != LES_TOKEN_USER_DEFINED) continue;
    size_t n;
    const char *text = les_vocab_text(v, id, &n);
    LES_TRY(les_added_tokens_add(added, text, n, (les_added_token){.id = id, .special = special}));
  }
  return LES_OK;
}

les_status les_tokenizer_open_gguf(les_tokenizer **out, const les_gguf *g) {
  *out = NULL;
  les_tokenizer *tok = calloc(1, sizeof *tok);
  if (!tok) return les_no_memory("a tokenizer");
  tok->bos = -1;
  les_status status;
  char model[64];
  read_name(g, "tokenizer.ggml.model", "", model);
  LES_GOTO(status, read_vocab(&tok->vocab, g), done);
  LES_GOTO(status, read_added(&tok->added, &tok->vocab), done);
  if (!strcmp(model, "llama"))
    status = build_spm(tok, g);
  else if (!strcmp(model, "gpt2"))
    status = build_bpe(tok, g);
  else
    status =
        les_fail(LES_FAILED, "tokenizer model '%s' is not supported: give token ids with --tokens", model);
  if (status == LES_OK) status = les_ids_status(&tok->prefix);
  if (status == LES_OK) status = les_ids_status(&tok->suffix);
  if (status == LES_OK) status = les_chat_read_gguf(tok, g);
done:
  if (status != LES_OK) les_tokenizer_close(&tok);
  *out = tok;
  return status;
}
