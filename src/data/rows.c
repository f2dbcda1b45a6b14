#include "data/rows.h"

#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/text.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

bool les_rows_named(const char *path) {
  static const char *const suffixes[] = {".jsonl", ".ndjson", ".json", ".csv", ".tsv"};
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
    if (les_path_has_suffix(path, suffixes[i])) return true;
  return false;
}

/* ---- CSV ---- */

typedef struct table {
  const char *path;
  les_json_line_fn *row;
  void *ctx;
  char **names; /* (n_names) of the header */
  int n_names;
  cJSON *fields; /* of the row so far: an array of strings */
  int line, row_line;
  bool has_header;
  les_status status;
} table;

static void fail(table *t, les_status status) {
  if (t->status == LES_OK) t->status = status;
}

static void on_field(void *data, size_t n, void *ctx) {
  table *t = ctx;
  const char *text = data;
  if (t->status != LES_OK) return;
  if (!t->fields) {
    t->fields = cJSON_CreateArray();
    t->row_line = t->line;
  }
  for (size_t i = 0; i < n; i++) t->line += text[i] == '\n';
  cJSON *item = cJSON_CreateString(text ? text : "");
  if (t->fields && item && cJSON_AddItemToArray(t->fields, item)) return;
  cJSON_Delete(item);
  fail(t, les_no_memory("a row of %s", t->path));
}

static les_status take_header(table *t) {
  const cJSON *field;
  t->has_header = true;
  t->names = calloc((size_t)cJSON_GetArraySize(t->fields), sizeof *t->names);
  if (!t->names) return les_no_memory("the header of %s", t->path);
  cJSON_ArrayForEach(field, t->fields) {
    for (int i = 0; i < t->n_names; i++)
      if (!strcmp(t->names[i], field->valuestring))
        return les_fail(LES_FAILED, "%s:%d: the header has '%s' twice", t->path, t->row_line, t->names[i]);
    if (!(t->names[t->n_names++] = strdup(field->valuestring)))
      return les_no_memory("the header of %s", t->path);
  }
  return LES_OK;
}

static les_status take_row(table *t) {
  const cJSON *field;
  int n = cJSON_GetArraySize(t->fields), i = 0, given = 0;
  if (n != t->n_names)
    return les_fail(LES_FAILED,
                    "%s:%d: the row has %d fields, the header %d; quote fields that hold separators or "
                    "line breaks",
                    t->path, t->row_line, n, t->n_names);
  cJSON *object = cJSON_CreateObject();
  cJSON_ArrayForEach(field, t->fields) {
    if (*field->valuestring) les_json_add_string(object, t->names[i], field->valuestring), given++;
    i++;
  }
  les_status status = object && cJSON_GetArraySize(object) == given
                          ? t->row(t->ctx, object, (les_json_source){t->path, t->row_line})
                          : les_no_memory("a row of %s", t->path);
  cJSON_Delete(object);
  return status;
}

/* Called for every line break outside of quotes, blank lines included; end: -1 at the end of the file. */
static void on_row(int end, void *ctx) {
  table *t = ctx;
  if (t->status == LES_OK && t->fields) t->status = t->has_header ? take_row(t) : take_header(t);
  cJSON_Delete(t->fields);
  t->fields = NULL;
  t->line += end == '\n';
}

/* RFC 4180: white space around a field belongs to it. */
static int no_space(unsigned char c) {
  (void)c;
  return 0;
}

static les_status read_table(const char *text, size_t n, char separator, table *t) {
  struct csv_parser parser;
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_REPALL_NL) != 0)
    return les_fail(LES_FAILED, "libcsv could not be started");
  csv_set_delim(&parser, (unsigned char)separator);
  csv_set_space_func(&parser, no_space);
  size_t done = csv_parse(&parser, text, n, on_field, on_row, t);
  bool whole = done == n && csv_fini(&parser, on_field, on_row, t) == 0;
  int error = csv_error(&parser);
  csv_free(&parser);
  if (t->status != LES_OK) return t->status;
  if (whole) return LES_OK;
  if (error == CSV_ENOMEM) return les_no_memory("a row of %s", t->path);
  return les_fail(LES_FAILED,
                  "%s:%d: a quote is not closed, or stands inside of a field: write it twice, and quotes "
                  "around the field",
                  t->path, t->fields ? t->row_line : t->line);
}

static les_status read_csv(const char *text, size_t n, char separator, const char *path,
                           les_json_line_fn *row, void *ctx) {
  table t = {.path = path, .row = row, .ctx = ctx, .line = 1};
  les_status status = read_table(text, n, separator, &t);
  cJSON_Delete(t.fields);
  for (int i = 0; i < t.n_names; i++) free(t.names[i]);
  free(t.names);
  return status;
}

/* ---- JSON ---- */

static les_status read_array(const char *text, size_t n, const char *path, les_json_line_fn *row, void *ctx) {
  cJSON *doc;
  const cJSON *item;
  int number = 1;
  LES_TRY(les_json_parse(&doc, text, n, (les_json_source){path, 1}));
  les_status status = LES_OK;
  for (item = doc->child; item && status == LES_OK; item = item->next)
    status = row(ctx, item, (les_json_source){path, number++});
  cJSON_Delete(doc);
  return status;
}

static les_status read_rows(char *text, size_t n, const char *path, les_json_line_fn *row, void *ctx) {
  if (les_path_has_suffix(path, ".csv")) return read_csv(text, n, ',', path, row, ctx);
  if (les_path_has_suffix(path, ".tsv")) return read_csv(text, n, '\t', path, row, ctx);
  return text[strspn(text, " \t\r\n")] == '[' ? read_array(text, n, path, row, ctx)
                                              : les_json_lines(text, n, path, row, ctx);
}

les_status les_rows_read(const char *path, les_json_line_fn *row, void *ctx, char sha256[65]) {
  char *text;
  size_t n;
  LES_TRY(les_text_read(path, &text, &n));
  les_status status = sha256 ? les_sha256(text, n, sha256) : LES_OK;
  if (status == LES_OK) status = read_rows(text, n, path, row, ctx);
  free(text);
  return status;
}
