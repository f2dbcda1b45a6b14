/* tokenizer.json, the format of Hugging Face's tokenizers library; behaves as that library does. */
#include "base/json.h"
#include "base/path.h"
#include "base/text.h"
#include "token/pipeline.h"
#include "token/tokenizer.h"
#include "token/tokenizer_steps.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A token id of the file; -1 if the value is none. */
static int32_t read_id(const cJSON *value) {
  bool fits = cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble < INT32_MAX / 2 &&
              value->valuedouble == (double)value->valueint;
  return fits ? value->valueint : -1;
}

/* A token while the vocabulary is collected from the model and the added tokens. */
typedef struct entry {
  const char *text; /* NULL: no token has this id */
  les_token_type type;
  bool in_model; /* merges and byte fallback can yield it */
} entry;

typedef struct entries {
  entry *items;
  int32_t n;     /* the highest id plus one */
  int32_t limit; /* of n: ids may have gaps, but a damaged file is not to exhaust memory */
} entries;

static les_status set_entry(entries *e, const char *text, const cJSON *value, les_token_type type,
                            bool in_model) {
  int32_t id = read_id(value);
  if (id < 0 || id >= e->limit)
    return les_fail(LES_FAILED, "its token '%.64s' has no id from 0 to %d", text, e->limit - 1);
  const entry *old = &e->items[id];
  e->items[id] = (entry){text, type, in_model || (old->text && old->in_model && !strcmp(old->text, text))};
  if (id >= e->n) e->n = id + 1;
  return LES_OK;
}

static les_status collect(entries *e, const cJSON *vocab, const cJSON *added) {
  const cJSON *item;
  cJSON_ArrayForEach(item, vocab) LES_TRY(set_entry(e, item->string, item, LES_TOKEN_NORMAL, true));
  cJSON_ArrayForEach(item, added) {
    les_token_type type = les_step_bool(item, "special", false) ? LES_TOKEN_CONTROL : LES_TOKEN_USER_DEFINED;
    LES_TRY(set_entry(e, les_step_string(item, "content"), cJSON_GetObjectItemCaseSensitive(item, "id"), type,
                      false));
  }
  return LES_OK;
}

static les_status read_vocab(les_vocab *v, const cJSON *model, const cJSON *added) {
  const cJSON *vocab = cJSON_GetObjectItemCaseSensitive(model, "vocab");
  if (!cJSON_IsObject(vocab)) return les_fail(LES_FAILED, "its model has no vocab");
  entries e = {.limit = 65536};
  const cJSON *item;
  cJSON_ArrayForEach(item, vocab) e.limit += e.limit < INT32_MAX / 8 ? 4 : 0;
  e.items = calloc((size_t)e.limit, sizeof *e.items);
  if (!e.items) return les_no_memory("a vocabulary");
  les_status status;
  LES_GOTO(status, collect(&e, vocab, added), done);
  LES_GOTO(status, les_vocab_start(v, e.n), done);
  for (int32_t id = 0; id < e.n; id++) {
    const entry *item_at = &e.items[id];
    if (!item_at->text)
      les_vocab_add_hidden(v, "", 0, LES_TOKEN_UNUSED);
    else if (item_at->in_model)
      les_vocab_add(v, item_at->text, strlen(item_at->text), item_at->type);
    else
      les_vocab_add_hidden(v, item_at->text, strlen(item_at->text), item_at->type);
  }
  LES_GOTO(status, les_vocab_finish(v), done);
done:
  free(e.items);
  return status;
}

/* A merge is "left right" or ["left", "right"]. */
static les_status add_merge(les_bpe *bpe, int32_t rank, const cJSON *item) {
  bool added;
  const char *left = cJSON_GetStringValue(item), *right = NULL;
  size_t n_left = 0;
  if (left) {
    right = strchr(left, ' ');
    if (right) n_left = (size_t)(right++ - left);
  } else if (cJSON_GetArraySize(item) == 2) {
    left = cJSON_GetStringValue(cJSON_GetArrayItem(item, 0));
    right = cJSON_GetStringValue(cJSON_GetArrayItem(item, 1));
    n_left = left ? strlen(left) : 0;
  }
  if (!left || !right) return les_fail(LES_FAILED, "its merge %d is not two tokens", rank);
  LES_TRY(les_bpe_add(bpe, rank, left, n_left, right, strlen(right), &added));
  if (added) return LES_OK;
  return les_fail(LES_FAILED, "its merge %d ('%.64s') has a token that is not in the vocabulary", rank, left);
}

static les_status read_merges(les_bpe *bpe, const les_vocab *v, const cJSON *model) {
  const cJSON *merges = cJSON_GetObjectItemCaseSensitive(model, "merges"), *item;
  if (!cJSON_IsArray(merges)) return les_fail(LES_FAILED, "its model has no merges");
  LES_TRY(les_bpe_start(bpe, v, cJSON_GetArraySize(merges)));
  int32_t rank = 0;
  cJSON_ArrayForEach(item, merges) LES_TRY(add_merge(bpe, rank++, item));
  return LES_OK;
}

static les_status read_model(les_tokenizer *tok, const cJSON *model) {
  const cJSON *dropout = cJSON_GetObjectItemCaseSensitive(model, "dropout");
  if (cJSON_IsNumber(dropout) && dropout->valuedouble > 0)
    return les_fail(LES_FAILED, "its model has a dropout, which makes tokens random: set it to null");
  static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
  for (int i = 0; i < 2; i++)
    if (*les_step_string(model, affixes[i]))
      return les_fail(LES_FAILED, "its model has a %s, which is not supported: give token ids with --tokens",
                      affixes[i]);
  LES_TRY(read_merges(&tok->bpe, &tok->vocab, model));
  const char *unknown = les_step_string(model, "unk_token");
  tok->bpe.unknown = les_vocab_find(&tok->vocab, unknown, strlen(unknown));
  tok->bpe.fuse_unknown = les_step_bool(model, "fuse_unk", false);
  tok->bpe.byte_fallback = les_step_bool(model, "byte_fallback", false);
  tok->bpe.ignore_merges = les_step_bool(model, "ignore_merges", false);
  return LES_OK;
}

/* Adds a token that is matched in the normalised text: it is normalised itself, and decoded so. */
static les_status add_normalized(les_tokenizer *tok, const char *text, les_added_token token) {
  les_matcher *matcher;
  LES_TRY(les_matcher_open(&matcher));
  les_buffer normal = {0};
  les_buffer_append(&normal, text, strlen(text));
  les_status status = les_buffer_status(&normal);
  if (status == LES_OK) status = les_normalizer_apply(&tok->normalizer, matcher, &normal);
  if (status == LES_OK) status = les_added_tokens_add(&tok->added_normalized, normal.data, normal.n, token);
  if (status == LES_OK) status = les_vocab_respell(&tok->vocab, token.id, normal.data, normal.n);
  les_buffer_free(&normal);
  les_matcher_close(&matcher);
  return status;
}

static les_status read_added(les_tokenizer *tok, const cJSON *added) {
  const cJSON *item;
  cJSON_ArrayForEach(item, added) {
    const char *text = les_step_string(item, "content");
    les_added_token token = {
        .id = read_id(cJSON_GetObjectItemCaseSensitive(item, "id")),
        .special = les_step_bool(item, "special", false),
        .lstrip = les_step_bool(item, "lstrip", false),
        .rstrip = les_step_bool(item, "rstrip", false),
        .single_word = les_step_bool(item, "single_word", false),
    };
    if (les_step_bool(item, "normalized", !token.special))
      LES_TRY(add_normalized(tok, text, token));
    else
      LES_TRY(les_added_tokens_add(&tok->added, text, strlen(text), token));
  }
  return LES_OK;
}

/* Prepends ids to *list. */
static void prepend_ids(les_ids *list, const les_ids *ids) {
  les_ids all = {0};
  for (size_t i = 0; i < ids->n; i++) les_ids_append(&all, ids->data[i]);
  for (size_t i = 0; i < list->n; i++) les_ids_append(&all, list->data[i]);
  all.failed |= list->failed | ids->failed;
  les_ids_free(list);
  *list = all;
}

static les_status append_id(const les_tokenizer *tok, les_ids *ids, const cJSON *value) {
  int32_t id = read_id(value);
  if (id < 0 || id >= tok->vocab.n)
    return les_fail(LES_FAILED, "its post_processor adds a token that is not in the vocabulary");
  les_ids_append(ids, id);
  return LES_OK;
}

/* The ids of a special token of a template, by its name. */
static les_status append_named(const les_tokenizer *tok, les_ids *ids, const cJSON *template,
                               const cJSON *special) {
  const char *name = les_step_string(special, "id");
  const cJSON *all = cJSON_GetObjectItemCaseSensitive(template, "special_tokens");
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(all, name), "ids"),
              *item;
  if (!cJSON_IsArray(list)) return les_fail(LES_FAILED, "its post_processor has no ids for '%.64s'", name);
  cJSON_ArrayForEach(item, list) LES_TRY(append_id(tok, ids, item));
  return LES_OK;
}

/* "single": special tokens before and after the text. */
static les_status read_template(const les_tokenizer *tok, const cJSON *o, les_ids *before, les_ids *after) {
  int n_texts = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "single")) {
    const cJSON *special = cJSON_GetObjectItemCaseSensitive(item, "SpecialToken");
    if (special)
      LES_TRY(append_named(tok, n_texts ? after : before, o, special));
    else
      n_texts++;
  }
  if (n_texts == 1) return LES_OK;
  return les_fail(LES_FAILED, "its post_processor's template has the text %d times instead of once", n_texts);
}

/* RobertaProcessing and BertProcessing: "cls" before, "sep" after, each as [text, id]. */
static les_status read_pair(const les_tokenizer *tok, const cJSON *o, les_ids *before, les_ids *after) {
  LES_TRY(append_id(tok, before, cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "cls"), 1)));
  return append_id(tok, after, cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "sep"), 1));
}

static les_status read_processor(les_tokenizer *tok, const cJSON *o) {
  if (!o || cJSON_IsNull(o)) return LES_OK;
  const char *type = les_step_string(o, "type");
  les_ids before = {0}, after = {0};
  les_status status = LES_OK;
  if (!strcmp(type, "TemplateProcessing"))
    status = read_template(tok, o, &before, &after);
  else if (!strcmp(type, "RobertaProcessing") || !strcmp(type, "BertProcessing"))
    status = read_pair(tok, o, &before, &after);
  else if (strcmp(type, "ByteLevel"))
    status = les_fail(LES_FAILED, "its post_processor '%.64s' is not supported: give token ids with --tokens",
                      type);
  prepend_ids(&tok->prefix, &before);
  prepend_ids(&after, &tok->suffix);
  les_ids_free(&before);
  les_ids_free(&tok->suffix);
  tok->suffix = after;
  return status;
}

static les_status read_processors(les_tokenizer *tok, const cJSON *o) {
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "processors"), *item;
  if (strcmp(les_step_string(o, "type"), "Sequence")) return read_processor(tok, o);
  cJSON_ArrayForEach(item, list) LES_TRY(read_processor(tok, item));
  return LES_OK;
}

/* The id of a text among all tokens, also those that les_vocab_find does not find; -1: none. */
static int32_t find_any(const les_vocab *v, const char *text) {
  size_t n_wanted = strlen(text);
  for (int32_t id = 0; id < v->n; id++) {
    size_t n;
    const char *other = les_vocab_text(v, id, &n);
    if (n && n == n_wanted && !memcmp(other, text, n)) return id;
  }
  return -1;
}

/* A token of tokenizer_config.json, as text or as an object with its "content": its id, -1: none. */
static int32_t read_config_token(const les_tokenizer *tok, const cJSON *config, const char *key) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(config, key);
  return find_any(&tok->vocab,
                  cJSON_IsString(value) ? value->valuestring : les_step_string(value, "content"));
}

static void set_affix(const les_tokenizer *tok, const cJSON *config, const char *flag, const char *name,
                      les_ids *affix) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(config, flag);
  int32_t id = read_config_token(tok, config, name);
  if (!cJSON_IsBool(value)) return;
  if (cJSON_IsFalse(value)) affix->n = 0;
  if (cJSON_IsTrue(value) && !affix->n && id >= 0) les_ids_append(affix, id);
}

/* The begin token, as transformers takes its bos_token; null says that there is none. */
static void read_bos(les_tokenizer *tok, const cJSON *config) {
  if (cJSON_HasObjectItem(config, "bos_token")) tok->bos = read_config_token(tok, config, "bos_token");
}

/* Transformers' classes for Llama and Gemma add BOS and EOS by tokenizer_config.json and override the
 * post_processor; other classes follow the post_processor. */
static les_status read_config(les_tokenizer *tok, const char *path) {
  cJSON *config;
  LES_TRY(les_json_read(&config, path));
  const char *class = les_step_string(config, "tokenizer_class");
  read_bos(tok, config);
  if (!strncmp(class, "Llama", 5) || !strncmp(class, "CodeLlama", 9) || !strncmp(class, "Gemma", 5)) {
    set_affix(tok, config, "add_bos_token", "bos_token", &tok->prefix);
    set_affix(tok, config, "add_eos_token", "eos_token", &tok->suffix);
  }
  les_status status = les_chat_read_config(&tok->chat, config);
  cJSON_Delete(config);
  return status;
}

static les_status read_special_tokens(les_tokenizer *tok, const char *path) {
  cJSON *map;
  LES_TRY(les_json_read(&map, path));
  read_bos(tok, map);
  cJSON_Delete(map);
  return LES_OK;
}

static les_status build(les_tokenizer *tok, const cJSON *doc) {
  const cJSON *model = cJSON_GetObjectItemCaseSensitive(doc, "model");
  const cJSON *added = cJSON_GetObjectItemCaseSensitive(doc, "added_tokens");
  const char *type = les_step_string(model, "type");
  if (*type && strcmp(type, "BPE")) /* old files have no type */
    return les_fail(LES_FAILED, "its model '%.64s' is not supported: give token ids with --tokens", type);
  LES_TRY(read_vocab(&tok->vocab, model, added));
  LES_TRY(read_model(tok, model));
  LES_TRY(les_normalizer_read(&tok->normalizer, cJSON_GetObjectItemCaseSensitive(doc, "normalizer")));
  LES_TRY(read_added(tok, added));
  LES_TRY(les_pretokenizer_read(&tok->pretokenizer, cJSON_GetObjectItemCaseSensitive(doc, "pre_tokenizer")));
  LES_TRY(read_processors(tok, cJSON_GetObjectItemCaseSensitive(doc, "post_processor")));
  LES_TRY(les_decoder_read(&tok->decoder, cJSON_GetObjectItemCaseSensitive(doc, "decoder")));
  return LES_OK;
}

/* The files of a tokenizer; NULL: not there. */
typedef struct file_names {
  const char *tokenizer, *config, *special;
} file_names;

static les_status open_files(les_tokenizer **out, const file_names *files) {
  *out = NULL;
  cJSON *doc = NULL;
  les_tokenizer *tok = calloc(1, sizeof *tok);
  if (!tok) return les_no_memory("a tokenizer");
  tok->bos = -1;
  les_status status;
  LES_GOTO(status, les_json_read(&doc, files->tokenizer), done);
  status = build(tok, doc);
  if (status != LES_OK) les_fail_in(status, "%s", files->tokenizer);
  if (status == LES_OK && files->special) status = read_special_tokens(tok, files->special);
  if (status == LES_OK && files->config) status = read_config(tok, files->config);
  if (status == LES_OK) status = les_ids_status(&tok->prefix);
  if (status == LES_OK) status = les_ids_status(&tok->suffix);
done:
  cJSON_Delete(doc);
  if (status != LES_OK) les_tokenizer_close(&tok);
  *out = tok;
  return status;
}

les_status les_tokenizer_open_json(les_tokenizer **out, const char *path, const char *config_path) {
  return open_files(out, &(file_names){path, config_path, NULL});
}

static const char *if_there(const char *path) {
  return access(path, F_OK) == 0 ? path : NULL;
}

/* chat_template.jinja goes before the configuration's template; older folders name special tokens in a file
 * of their own. */
static les_status read_chat(les_tokenizer *tok, const char *template, const char *map) {
  char *text;
  size_t n;
  cJSON *doc;
  if (access(template, F_OK) == 0) {
    LES_TRY(les_text_read(template, &text, &n));
    les_status status = les_chat_set_template(&tok->chat, text, n);
    free(text);
    LES_TRY(status);
  }
  if (access(map, F_OK) != 0) return LES_OK;
  LES_TRY(les_json_read(&doc, map));
  les_status status = les_chat_read_config(&tok->chat, doc);
  cJSON_Delete(doc);
  return status;
}

les_status les_tokenizer_open_folder(les_tokenizer **out, const char *folder) {
  static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
                                      "special_tokens_map.json"};
  *out = NULL;
  char *paths[4] = {0};
  les_status status = LES_OK;
  for (int i = 0; i < 4 && status == LES_OK; i++)
    if (!(paths[i] = les_path_join(folder, names[i])))
      status = les_no_memory("the names of the tokenizer's files in %s", folder);
  if (status == LES_OK && access(paths[0], F_OK) != 0)
    status = les_fail(LES_FAILED, "%s: there is no tokenizer.json: give token ids with --tokens", folder);
  if (status == LES_OK)
    status = open_files(out, &(file_names){paths[0], if_there(paths[1]), if_there(paths[3])});
  if (status == LES_OK) status = read_chat(*out, paths[2], paths[3]);
  if (status != LES_OK) les_tokenizer_close(out);
  for (int i = 0; i < 4; i++) free(paths[i]);
  return status;
}
