#include "token/tokenizer_steps.h"

#include "base/text.h"

#include <string.h>

enum { MAX_DEPTH = 16 };

const char *les_step_string(const cJSON *o, const char *key) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
  return text ? text : "";
}

bool les_step_bool(const cJSON *o, const char *key, bool fallback) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(o, key);
  return cJSON_IsBool(value) ? cJSON_IsTrue(value) : fallback;
}

static les_status unsupported(const char *what, const cJSON *o) {
  return les_fail(LES_FAILED, "its %s '%.64s' is not supported: give token ids with --tokens", what,
                  les_step_string(o, "type"));
}

/* Reads one step into the list z; read_all has flattened sequences. */
typedef les_status read_fn(void *z, const char *type, const cJSON *o);

static les_status read_all(void *z, const cJSON *o, const char *list, read_fn *read, int depth) {
  if (!o || cJSON_IsNull(o)) return LES_OK;
  const char *type = les_step_string(o, "type");
  if (strcmp(type, "Sequence")) return read(z, type, o);
  if (depth == MAX_DEPTH) return les_fail(LES_FAILED, "its %s are nested more than %d deep", list, MAX_DEPTH);
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, list))
      LES_TRY(read_all(z, item, list, read, depth + 1));
  return LES_OK;
}

/* {"String": ...} or {"Regex": ...} under "pattern". */
static les_status read_pattern(les_pattern **out, const cJSON *o) {
  const cJSON *pattern = cJSON_GetObjectItemCaseSensitive(o, "pattern");
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(pattern, "String"));
  const char *regex = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(pattern, "Regex"));
  if (text) return les_pattern_open_literal(out, text, strlen(text));
  if (regex) return les_pattern_open(out, regex);
  return les_fail(LES_FAILED, "its step '%.64s' has no pattern", les_step_string(o, "type"));
}

static void set_text(les_buffer *b, const char *text) {
  les_buffer_append(b, text, strlen(text));
}

static les_status read_normalizer(void *list, const char *type, const cJSON *o) {
  static const char *const forms[] = {
      [LES_NFC] = "NFC", [LES_NFD] = "NFD", [LES_NFKC] = "NFKC", [LES_NFKD] = "NFKD"};
  les_normalizer *z = list;
  les_normalize_step step = {0};
  for (int form = LES_NFC; form <= LES_NFKD; form++)
    if (!strcmp(type, forms[form])) {
      step.kind = LES_NORMALIZE_UNICODE;
      step.form = (les_unicode_form)form;
      return les_normalizer_add(z, step);
    }
  if (!strcmp(type, "Prepend")) return les_normalizer_add_prepend(z, les_step_string(o, "prepend"));
  if (!strcmp(type, "Replace")) {
    step.kind = LES_NORMALIZE_REPLACE;
    LES_TRY(read_pattern(&step.pattern, o));
    set_text(&step.to, les_step_string(o, "content"));
  } else if (!strcmp(type, "Lowercase")) {
    step.kind = LES_NORMALIZE_LOWERCASE;
  } else if (!strcmp(type, "Strip")) {
    step.kind = LES_NORMALIZE_STRIP;
    step.left = les_step_bool(o, "strip_left", true);
    step.right = les_step_bool(o, "strip_right", true);
  } else if (!strcmp(type, "StripAccents")) {
    step.kind = LES_NORMALIZE_STRIP_ACCENTS;
  } else {
    return unsupported("normalizer", o);
  }
  return les_normalizer_add(z, step);
}

les_status les_normalizer_read(les_normalizer *z, const cJSON *o) {
  return read_all(z, o, "normalizers", read_normalizer, 0);
}

static les_status read_behavior(les_split_behavior *behavior, const char *name) {
  static const char *const names[] = {
      [LES_SPLIT_REMOVED] = "Removed",
      [LES_SPLIT_ISOLATED] = "Isolated",
      [LES_SPLIT_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
      [LES_SPLIT_MERGED_WITH_NEXT] = "MergedWithNext",
      [LES_SPLIT_CONTIGUOUS] = "Contiguous",
  };
  for (int i = LES_SPLIT_REMOVED; i <= LES_SPLIT_CONTIGUOUS; i++)
    if (!strcmp(name, names[i])) return *behavior = (les_split_behavior)i, LES_OK;
  return les_fail(LES_FAILED, "its pre_tokenizer splits with the unknown behavior '%.64s'", name);
}

static les_status add_split(les_pretokenizer *z, const char *regex, les_split_behavior behavior,
                            bool invert) {
  les_pretokenize_step step = {.kind = LES_PRETOKENIZE_SPLIT, .behavior = behavior, .invert = invert};
  LES_TRY(les_pattern_open(&step.pattern, regex));
  return les_pretokenizer_add(z, step);
}

static les_status read_split(les_pretokenizer *z, const cJSON *o) {
  les_pretokenize_step step = {.kind = LES_PRETOKENIZE_SPLIT, .invert = les_step_bool(o, "invert", false)};
  LES_TRY(read_behavior(&step.behavior, les_step_string(o, "behavior")));
  LES_TRY(read_pattern(&step.pattern, o));
  return les_pretokenizer_add(z, step);
}

static les_status read_byte_level(les_pretokenizer *z, const cJSON *o) {
  if (les_step_bool(o, "add_prefix_space", true))
    LES_TRY(les_pretokenizer_add(z, (les_pretokenize_step){.kind = LES_PRETOKENIZE_PREFIX_SPACE}));
  if (les_step_bool(o, "use_regex", true))
    LES_TRY(add_split(z, "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                      LES_SPLIT_ISOLATED, false));
  return les_pretokenizer_add(z, (les_pretokenize_step){.kind = LES_PRETOKENIZE_BYTE_LEVEL});
}

/* "always", "first" or "never"; files from before 2024 have add_prefix_space instead. */
static les_status read_prepend(les_prepend *prepend, const cJSON *o) {
  const char *scheme = les_step_string(o, "prepend_scheme");
  if (!*scheme)
    *prepend = les_step_bool(o, "add_prefix_space", true) ? LES_PREPEND_ALWAYS : LES_PREPEND_NEVER;
  else if (!strcmp(scheme, "always"))
    *prepend = LES_PREPEND_ALWAYS;
  else if (!strcmp(scheme, "first"))
    *prepend = LES_PREPEND_FIRST;
  else if (!strcmp(scheme, "never"))
    *prepend = LES_PREPEND_NEVER;
  else
    return les_fail(LES_FAILED, "its Metaspace has the unknown prepend_scheme '%.64s'", scheme);
  return LES_OK;
}

/* The one character that stands for a space. */
static les_status read_meta(char meta[5], const cJSON *o) {
  const char *text = les_step_string(o, "replacement");
  size_t n = strlen(text);
  if (!n || les_utf8_next(text, n, NULL) != n)
    return les_fail(LES_FAILED, "its Metaspace has the replacement '%.64s', which is not one character",
                    text);
  memcpy(meta, text, n + 1);
  return LES_OK;
}

static les_status read_metaspace(les_pretokenizer *z, const cJSON *o) {
  les_pretokenize_step meta = {.kind = LES_PRETOKENIZE_METASPACE};
  LES_TRY(read_meta(meta.meta, o));
  LES_TRY(read_prepend(&meta.prepend, o));
  LES_TRY(les_pretokenizer_add(z, meta));
  if (!les_step_bool(o, "split", true)) return LES_OK;
  les_pretokenize_step split = {.kind = LES_PRETOKENIZE_SPLIT, .behavior = LES_SPLIT_MERGED_WITH_NEXT};
  LES_TRY(les_pattern_open_literal(&split.pattern, meta.meta, strlen(meta.meta)));
  return les_pretokenizer_add(z, split);
}

static les_status read_delimiter(les_pretokenizer *z, const cJSON *o) {
  const char *text = les_step_string(o, "delimiter");
  les_pretokenize_step step = {.kind = LES_PRETOKENIZE_SPLIT, .behavior = LES_SPLIT_REMOVED};
  LES_TRY(les_pattern_open_literal(&step.pattern, text, strlen(text)));
  return les_pretokenizer_add(z, step);
}

/* Rust's \w, in which the library's built-in patterns are written: it includes the joiners. */
#define WORD        "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"
#define PUNCTUATION "[!-/:-@\\[-`{-~\\p{P}]"

static les_status read_punctuation(les_pretokenizer *z, const cJSON *o) {
  les_split_behavior behavior = LES_SPLIT_ISOLATED;
  const char *name = les_step_string(o, "behavior");
  if (*name) LES_TRY(read_behavior(&behavior, name));
  return add_split(z, PUNCTUATION, behavior, false);
}

static les_status read_pretokenizer(void *list, const char *type, const cJSON *o) {
  les_pretokenizer *z = list;
  if (!strcmp(type, "ByteLevel")) return read_byte_level(z, o);
  if (!strcmp(type, "Split")) return read_split(z, o);
  if (!strcmp(type, "Metaspace")) return read_metaspace(z, o);
  if (!strcmp(type, "Punctuation")) return read_punctuation(z, o);
  if (!strcmp(type, "CharDelimiterSplit")) return read_delimiter(z, o);
  if (!strcmp(type, "Digits")) {
    bool individual = les_step_bool(o, "individual_digits", false);
    return add_split(z, "\\p{N}", individual ? LES_SPLIT_ISOLATED : LES_SPLIT_CONTIGUOUS, false);
  }
  if (!strcmp(type, "Whitespace"))
    return add_split(z, "[" WORD "]+|[^\\s" WORD "]+", LES_SPLIT_REMOVED, true);
  if (!strcmp(type, "WhitespaceSplit")) return add_split(z, "\\s", LES_SPLIT_REMOVED, false);
  if (!strcmp(type, "BertPreTokenizer")) {
    LES_TRY(add_split(z, "\\s", LES_SPLIT_REMOVED, false));
    return add_split(z, PUNCTUATION, LES_SPLIT_ISOLATED, false);
  }
  return unsupported("pre_tokenizer", o);
}

les_status les_pretokenizer_read(les_pretokenizer *z, const cJSON *o) {
  return read_all(z, o, "pretokenizers", read_pretokenizer, 0);
}

static int read_count(const cJSON *o, const char *key) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(o, key);
  return cJSON_IsNumber(value) && value->valuedouble > 0 ? value->valueint : 0;
}

static les_status read_meta_decoder(les_decode_step *step, const cJSON *o) {
  char meta[5];
  les_prepend prepend;
  LES_TRY(read_meta(meta, o));
  LES_TRY(read_prepend(&prepend, o));
  step->kind = LES_DECODE_METASPACE;
  step->keep_first = prepend == LES_PREPEND_NEVER;
  set_text(&step->text, meta);
  return LES_OK;
}

static les_status read_decoder(void *list, const char *type, const cJSON *o) {
  les_decode_step step = {0};
  if (!strcmp(type, "ByteLevel")) {
    step.kind = LES_DECODE_BYTE_LEVEL;
  } else if (!strcmp(type, "ByteFallback")) {
    step.kind = LES_DECODE_BYTE_FALLBACK;
  } else if (!strcmp(type, "Fuse")) {
    step.kind = LES_DECODE_FUSE;
  } else if (!strcmp(type, "Replace")) {
    step.kind = LES_DECODE_REPLACE;
    LES_TRY(read_pattern(&step.pattern, o));
    set_text(&step.text, les_step_string(o, "content"));
  } else if (!strcmp(type, "Strip")) {
    const char *content = les_step_string(o, "content");
    if (!*content) return les_fail(LES_FAILED, "its decoder 'Strip' has no content");
    step.kind = LES_DECODE_STRIP;
    step.start = read_count(o, "start");
    step.stop = read_count(o, "stop");
    set_text(&step.text, content);
  } else if (!strcmp(type, "Metaspace")) {
    LES_TRY(read_meta_decoder(&step, o));
  } else {
    return unsupported("decoder", o);
  }
  return les_decoder_add(list, step);
}

les_status les_decoder_read(les_decoder *z, const cJSON *o) {
  LES_TRY(read_all(z, o, "decoders", read_decoder, 0));
  if (z->n) return LES_OK;
  les_decode_step step = {.kind = LES_DECODE_JOIN};
  set_text(&step.text, " ");
  return les_decoder_add(z, step);
}
