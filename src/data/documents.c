#include "data/documents.h"

#include "base/json.h"
#include "base/path.h"
#include "base/rng.h"
#include "base/text.h"
#include "data/rows.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where the hub's data sets have their text, in the order of preference. */
static const char *const usual_keys[] = {"text",     "content",  "prompt", "page", "document",
                                         "article",  "question", "goal",   "ctx",  "passage",
                                         "sentence", "query",    "input"};
enum { N_USUAL_KEYS = sizeof usual_keys / sizeof *usual_keys };

/* Takes over `text`. */
static les_status add_document(les_documents *d, char *text, size_t n) {
  les_document_text *grown = realloc(d->items, (size_t)(d->n + 1) * sizeof *grown);
  if (!text || !grown) {
    free(text);
    return les_no_memory("%d documents", d->n + 1);
  }
  d->items = grown;
  d->items[d->n++] = (les_document_text){text, n};
  return LES_OK;
}

static les_status read_text(les_documents *d, const char *path) {
  char *text;
  size_t n;
  LES_TRY(les_text_read(path, &text, &n));
  return add_document(d, text, n);
}

typedef struct rows {
  les_documents *documents;
  const char *field;
} rows;

static les_status read_row(void *ctx, const cJSON *doc, les_json_source at) {
  const rows *r = ctx;
  const cJSON *value = r->field ? cJSON_GetObjectItemCaseSensitive(doc, r->field) : NULL;
  for (int i = 0; !r->field && !cJSON_IsString(value) && i < N_USUAL_KEYS; i++)
    value = cJSON_GetObjectItemCaseSensitive(doc, usual_keys[i]);
  if (!cJSON_IsString(value))
    return les_fail(LES_FAILED, "%s:%d: no text at '%s'; say where it is with \"field\"", at.path, at.line,
                    r->field ? r->field : "text, content, prompt or another usual key");
  return add_document(r->documents, strdup(value->valuestring), strlen(value->valuestring));
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *e) {
  return e->d_name[0] != '.';
}

static les_status read_any(les_documents *d, const char *path, const char *field, const struct stat *st);

/* An entry of a folder; anything but files and folders is passed over. */
static les_status read_entry(les_documents *d, const char *folder, const char *name, const char *field) {
  char *path = les_path_join(folder, name);
  struct stat st = {0}, target;
  if (!path) return les_no_memory("the name of a file in %s", folder);
  les_status status = LES_OK;
  if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && stat(path, &target) == 0 && S_ISREG(target.st_mode))
    st = target;
  if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) status = read_any(d, path, field, &st);
  free(path);
  return status;
}

static les_status read_folder(les_documents *d, const char *path, const char *field) {
  struct dirent **entries;
  int n = scandir(path, &entries, visible, by_name);
  if (n < 0) return les_fail(LES_FAILED, "%s: cannot be read: %s", path, strerror(errno));
  les_status status = LES_OK;
  for (int i = 0; i < n; i++) {
    if (status == LES_OK) status = read_entry(d, path, entries[i]->d_name, field);
    free(entries[i]);
  }
  free(entries);
  return status;
}

static les_status read_any(les_documents *d, const char *path, const char *field, const struct stat *st) {
  if (S_ISDIR(st->st_mode)) return read_folder(d, path, field);
  return les_rows_named(path) ? les_rows_read(path, read_row, &(rows){d, field}, NULL) : read_text(d, path);
}

les_status les_documents_read(les_documents *d, const char *path, const char *field) {
  struct stat st;
  if (stat(path, &st) != 0) return les_fail(LES_FAILED, "%s: cannot be opened: %s", path, strerror(errno));
  return read_any(d, path, field, &st);
}

typedef struct lot {
  double number;
  int document;
} lot;

static int by_number(const void *a, const void *b) {
  const lot *x = a, *y = b;
  if (x->number != y->number) return x->number < y->number ? -1 : 1;
  return x->document - y->document;
}

les_status les_documents_draw(les_documents *d, int n, uint64_t seed, uint32_t source) {
  if (n > d->n) return les_fail(LES_FAILED, "%d samples are asked for, but there are %d documents", n, d->n);
  lot *lots = malloc((size_t)d->n * sizeof *lots);
  bool *drawn = calloc((size_t)d->n, sizeof *drawn);
  if (!lots || !drawn) {
    free(lots);
    free(drawn);
    return les_no_memory("a sample of %d documents", d->n);
  }
  for (int i = 0; i < d->n; i++) {
    double u[2];
    les_random_uniform(seed, LES_FOR_SAMPLES, source, (uint64_t)i, u);
    lots[i] = (lot){u[0], i};
  }
  qsort(lots, (size_t)d->n, sizeof *lots, by_number);
  for (int i = 0; i < n; i++) drawn[lots[i].document] = true;
  int kept = 0;
  for (int i = 0; i < d->n; i++)
    if (drawn[i])
      d->items[kept++] = d->items[i];
    else
      free(d->items[i].text);
  d->n = kept;
  free(lots);
  free(drawn);
  return LES_OK;
}

void les_documents_free(les_documents *d) {
  for (int i = 0; i < d->n; i++) free(d->items[i].text);
  free(d->items);
  *d = (les_documents){0};
}
