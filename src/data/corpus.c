#include "data/corpus.h"

#include "base/json.h"
#include "base/path.h"
#include "base/sha256.h"
#include "data/documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One entry of a mix. */
typedef struct source {
  char *path;
  const char *field; /* NULL: the usual keys */
  double weight;
  int samples; /* 0: all */
} source;

static les_status add_passage(les_corpus *c, const les_tokenizer *tokenizer, const les_document_text *doc) {
  les_passage *grown = realloc(c->passages, (size_t)(c->n + 1) * sizeof *grown);
  if (!grown) return les_no_memory("the passages of a text");
  c->passages = grown;
  grown[c->n] = (les_passage){.weight = 0};
  LES_TRY(les_encode(tokenizer, doc->text, doc->n, &(les_encode_options){.bos = true}, &grown[c->n].tokens));
  c->n++;
  return LES_OK;
}

/* Reads a source; its tokens share its weight equally. */
static les_status add_source(les_corpus *c, const les_tokenizer *tokenizer, const source *s, uint32_t index,
                             uint64_t seed) {
  les_documents docs = {0};
  int first = c->n;
  double n_tokens = 0;
  les_status status = les_documents_read(&docs, s->path, s->field);
  if (status == LES_OK && s->samples && les_documents_draw(&docs, s->samples, seed, index) != LES_OK)
    status = les_fail_in(LES_FAILED, "%s", s->path);
  for (int i = 0; i < docs.n && status == LES_OK; i++) status = add_passage(c, tokenizer, &docs.items[i]);
  les_documents_free(&docs);
  for (int i = first; i < c->n; i++) n_tokens += c->passages[i].tokens.n;
  if (status == LES_OK && n_tokens == 0) return les_fail(LES_FAILED, "%s: holds no text", s->path);
  for (int i = first; i < c->n; i++) c->passages[i].weight = s->weight / n_tokens;
  return status;
}

static les_status read_entry(les_corpus *c, const les_tokenizer *tokenizer, const cJSON *entry,
                             const char *mix, uint32_t index, uint64_t seed) {
  static const char *const keys[] = {"file", "weight", "samples", "field"};
  source s = {.weight = 1};
  const char *file = NULL;
  LES_TRY(les_json_check_keys(entry, "an entry of a mix", keys, 4, mix));
  LES_TRY(les_json_get_string(entry, "file", mix, &file));
  LES_TRY(les_json_get_string(entry, "field", mix, &s.field));
  LES_TRY(les_json_get_number(entry, "weight", mix, 1e-9, 1e9, &s.weight));
  LES_TRY(les_json_get_int(entry, "samples", mix, 1, INT32_MAX, &s.samples));
  if (!file) return les_fail(LES_USAGE, "%s: an entry of a mix needs \"file\"", mix);
  s.path = les_path_beside(mix, file);
  if (!s.path) return les_no_memory("a file name");
  les_status status = add_source(c, tokenizer, &s, index, seed);
  free(s.path);
  return status;
}

static les_status read_mix(les_corpus *c, const char *path, const les_tokenizer *tokenizer, uint64_t seed) {
  cJSON *doc;
  LES_TRY(les_json_read(&doc, path));
  les_status status = LES_OK;
  uint32_t index = 0;
  if (!cJSON_IsArray(doc) || !doc->child)
    status = les_fail(LES_USAGE, "%s: a mix is a list of {\"file\", \"weight\", \"samples\"}", path);
  for (const cJSON *e = status == LES_OK ? doc->child : NULL; e && status == LES_OK; e = e->next)
    status = read_entry(c, tokenizer, e, path, index++, seed);
  cJSON_Delete(doc);
  return status;
}

static les_status digest(les_corpus *c) {
  char *data = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&data, &n);
  if (!f) return les_no_memory("the digest of a mix");
  for (int i = 0; i < c->n; i++) {
    const les_passage *p = &c->passages[i];
    fprintf(f, "%a %d\n", p->weight, p->tokens.n);
    fwrite(p->tokens.ids, sizeof *p->tokens.ids, (size_t)p->tokens.n, f);
  }
  les_status status = fclose(f) ? les_no_memory("the digest of a mix") : les_sha256(data, n, c->sha256);
  free(data);
  return status;
}

les_status les_corpus_read(les_corpus *out, const char *path, const les_tokenizer *tokenizer, uint64_t seed) {
  *out = (les_corpus){0};
  les_status status;
  if (les_path_has_suffix(path, ".json"))
    status = read_mix(out, path, tokenizer, seed);
  else
    status = add_source(out, tokenizer, &(source){.path = (char *)path, .weight = 1}, 0, seed);
  if (status == LES_OK) status = digest(out);
  if (status != LES_OK) les_corpus_free(out);
  return status;
}

void les_corpus_free(les_corpus *c) {
  for (int i = 0; i < c->n; i++) les_tokens_free(&c->passages[i].tokens);
  free(c->passages);
  *c = (les_corpus){0};
}
