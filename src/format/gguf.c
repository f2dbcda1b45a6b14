#include "format/gguf.h"

#include "format/gguf_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct les_gguf {
  les_gguf_part *parts; /* (n_parts) the first holds the metadata */
  int n_parts;
  les_tensors tensors; /* of all parts */
};

/* "-00001-of-00002.gguf": the suffix of a part's name. */
typedef struct part_suffix {
  char text[24];
} part_suffix;

static part_suffix make_suffix(int part, int count) {
  part_suffix s;
  snprintf(s.text, sizeof s.text, "-%05d-of-%05d.gguf", part % 100000, count % 100000);
  return s;
}

/* Opens the other parts of a split model; their names follow from the first one's. */
static les_status open_parts(les_gguf *g, const char *path) {
  int64_t count = 1, number = 0;
  les_gguf_int(g, "split.count", &count);
  les_gguf_int(g, "split.no", &number);
  if (count <= 1) return LES_OK;
  if (count > 99999) return les_fail(LES_FAILED, "%s: split.count is %" PRId64 ", out of range", path, count);
  if (number != 0)
    return les_fail(LES_FAILED, "%s: is part %" PRId64 " of a split model; give the first part", path,
                    number + 1);
  part_suffix suffix = make_suffix(1, (int)count);
  size_t n = strlen(path), tail = strlen(suffix.text);
  if (n < tail || strcmp(path + n - tail, suffix.text))
    return les_fail(LES_FAILED,
                    "%s: is the first of %" PRId64 " parts, but not named NAME-00001-of-%05" PRId64 ".gguf",
                    path, count, count);

  les_gguf_part *parts = realloc(g->parts, (size_t)count * sizeof *parts);
  char *name = strdup(path);
  les_status status = LES_OK;
  if (parts) g->parts = parts;
  if (!parts || !name) {
    status = les_no_memory("the %" PRId64 " parts of %s", count, path);
    goto done;
  }
  for (; g->n_parts < count; g->n_parts++) {
    memcpy(name + n - tail, make_suffix(g->n_parts + 1, (int)count).text, tail);
    LES_GOTO(status, les_gguf_part_init(&g->parts[g->n_parts], name), done);
  }
done:
  free(name);
  return status;
}

/* Moves the parts' tensors into one table. */
static les_status join_tensors(les_gguf *g) {
  size_t total = 0;
  for (int i = 0; i < g->n_parts; i++) total += g->parts[i].n_tensors;
  int64_t announced;
  if (les_gguf_int(g, "split.tensors.count", &announced) && announced != (int64_t)total)
    return les_fail(LES_FAILED, "split.tensors.count is %" PRId64 ", but the parts hold %zu tensors",
                    announced, total);
  if (total > INT32_MAX) return les_fail(LES_FAILED, "%zu tensors are too many", total);
  g->tensors.items = malloc((total + 1) * sizeof *g->tensors.items);
  if (!g->tensors.items) return les_no_memory("%zu tensors", total);
  for (int i = 0; i < g->n_parts; i++) {
    les_gguf_part *p = &g->parts[i];
    for (size_t k = 0; k < p->n_tensors; k++) {
      g->tensors.items[g->tensors.n++] = p->tensors[k];
      p->tensors[k].name = NULL; /* the table owns it now */
    }
  }
  return les_tensors_sort(&g->tensors);
}

les_status les_gguf_open(les_gguf **out, const char *path) {
  *out = NULL;
  les_gguf *g = calloc(1, sizeof *g);
  if (g) g->parts = calloc(1, sizeof *g->parts);
  if (!g || !g->parts) return free(g), les_no_memory("the tables of %s", path);
  les_status status;
  LES_GOTO(status, les_gguf_part_init(&g->parts[0], path), done);
  g->n_parts = 1;
  LES_GOTO(status, open_parts(g, path), done);
  status = join_tensors(g);
  if (status != LES_OK) status = les_fail_in(status, "%s", path);
done:
  if (status == LES_OK)
    *out = g;
  else
    les_gguf_close(&g);
  return status;
}

void les_gguf_close(les_gguf **g) {
  if (!*g) return;
  for (int i = 0; i < (*g)->n_parts; i++) les_gguf_part_free(&(*g)->parts[i]);
  free((*g)->parts);
  les_tensors_free(&(*g)->tensors);
  free(*g);
  *g = NULL;
}

/* The value of a key if it is an array, or a scalar, as asked; else NULL. */
static const les_gguf_value *find(const les_gguf *g, const char *key, bool array) {
  const les_gguf_value *v = les_gguf_part_find(&g->parts[0], key);
  return v && (v->type == LES_GGUF_ARRAY) == array ? v : NULL;
}

bool les_gguf_int(const les_gguf *g, const char *key, int64_t *value) {
  const les_gguf_value *v = find(g, key, false);
  return v && v->type != LES_GGUF_BOOL && les_gguf_value_int(v, 0, value);
}

bool les_gguf_double(const les_gguf *g, const char *key, double *value) {
  const les_gguf_value *v = find(g, key, false);
  return v && v->type != LES_GGUF_BOOL && les_gguf_value_double(v, 0, value);
}

bool les_gguf_bool(const les_gguf *g, const char *key, bool *value) {
  const les_gguf_value *v = find(g, key, false);
  int64_t byte;
  if (!v || v->type != LES_GGUF_BOOL || !les_gguf_value_int(v, 0, &byte) || byte > 1) return false;
  *value = byte == 1;
  return true;
}

bool les_gguf_string(const les_gguf *g, const char *key, const char **text, size_t *n) {
  const les_gguf_value *v = find(g, key, false);
  return v && les_gguf_value_string(v, 0, text, n);
}

bool les_gguf_has(const les_gguf *g, const char *key) {
  return les_gguf_part_find(&g->parts[0], key) != NULL;
}

int64_t les_gguf_array_length(const les_gguf *g, const char *key) {
  const les_gguf_value *v = find(g, key, true);
  return v ? (int64_t)v->n : -1;
}

bool les_gguf_array_int(const les_gguf *g, const char *key, int64_t i, int64_t *value) {
  const les_gguf_value *v = find(g, key, true);
  return v && i >= 0 && les_gguf_value_int(v, (uint64_t)i, value);
}

bool les_gguf_array_double(const les_gguf *g, const char *key, int64_t i, double *value) {
  const les_gguf_value *v = find(g, key, true);
  return v && i >= 0 && les_gguf_value_double(v, (uint64_t)i, value);
}

bool les_gguf_array_string(const les_gguf *g, const char *key, int64_t i, const char **text, size_t *n) {
  const les_gguf_value *v = find(g, key, true);
  return v && i >= 0 && les_gguf_value_string(v, (uint64_t)i, text, n);
}

int les_gguf_n_keys(const les_gguf *g) {
  return (int)g->parts[0].n_values;
}

const char *les_gguf_key_at(const les_gguf *g, int i) {
  return g->parts[0].values[i].key;
}

const void *les_gguf_raw_at(const les_gguf *g, int i, size_t *n) {
  const les_gguf_value *v = &g->parts[0].values[i];
  *n = (size_t)(v->end - v->begin);
  return v->begin;
}

const les_tensors *les_gguf_tensors(const les_gguf *g) {
  return &g->tensors;
}

int les_gguf_n_parts(const les_gguf *g) {
  return g->n_parts;
}

const char *les_gguf_part_path(const les_gguf *g, int i) {
  return g->parts[i].path;
}
