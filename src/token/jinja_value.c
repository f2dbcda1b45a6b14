#include "token/jinja_value.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 400, MOST_STEPS = 20000000 };
static const size_t most_bytes = (size_t)256 << 20;

typedef struct les_jinja_block {
  struct les_jinja_block *next;
  size_t n, used;
  _Alignas(16) char data[];
} block;

void les_jinja_fail(les_jinja_heap *h, const char *format, ...) {
  if (h->failed) return;
  h->failed = true;
  char message[512];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  les_fail(LES_FAILED, "line %d of the chat template: %s", h->line, message);
}

static block *add_block(les_jinja_heap *h, size_t wanted) {
  size_t n = wanted > 8192 ? wanted : 8192;
  if (n > most_bytes - h->bytes) {
    les_jinja_fail(h, "it needs more than %zu MiB of memory", most_bytes >> 20);
    return NULL;
  }
  block *b = calloc(1, sizeof *b + n);
  if (!b) {
    les_jinja_fail(h, "out of memory");
    return NULL;
  }
  *b = (block){.next = h->blocks, .n = n};
  h->blocks = b;
  h->bytes += n;
  return b;
}

void *les_jinja_alloc(les_jinja_heap *h, size_t n, size_t size) {
  if (h->failed) return NULL;
  if (size && n > most_bytes / size) {
    les_jinja_fail(h, "it needs more than %zu MiB of memory", most_bytes >> 20);
    return NULL;
  }
  size_t bytes = (n * size + 15) & ~(size_t)15;
  block *b = h->blocks;
  if (!b || b->n - b->used < bytes) b = add_block(h, bytes);
  if (!b) return NULL;
  void *at = b->data + b->used;
  b->used += bytes;
  return at;
}

void les_jinja_heap_free(les_jinja_heap *h) {
  for (block *b = h->blocks, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  *h = (les_jinja_heap){0};
}

bool les_jinja_charge(les_jinja_heap *h, size_t n) {
  if (n > MOST_STEPS || (h->steps += (int64_t)n) > MOST_STEPS)
    les_jinja_fail(h, "it takes more than %d steps", MOST_STEPS);
  return !h->failed;
}

bool les_jinja_enter(les_jinja_heap *h) {
  if (++h->depth > MOST_DEPTH) les_jinja_fail(h, "it is nested too deep");
  return les_jinja_charge(h, 1);
}

void les_jinja_leave(les_jinja_heap *h) {
  h->depth--;
}

les_jinja_value les_jinja_undefined(les_jinja_text name) {
  return (les_jinja_value){.type = LES_JINJA_UNDEFINED, .as = {.string = name}};
}

les_jinja_value les_jinja_bool(bool value) {
  return (les_jinja_value){.type = LES_JINJA_BOOL, .as = {.boolean = value}};
}

les_jinja_value les_jinja_int(int64_t value) {
  return (les_jinja_value){.type = LES_JINJA_INT, .as = {.integer = value}};
}

les_jinja_value les_jinja_float(double value) {
  return (les_jinja_value){.type = LES_JINJA_FLOAT, .as = {.number = value}};
}

les_jinja_value les_jinja_string(const char *text, size_t n) {
  return (les_jinja_value){.type = LES_JINJA_STRING, .as = {.string = {text, n}}};
}

les_jinja_value les_jinja_copy(les_jinja_heap *h, const char *text, size_t n) {
  char *copy = les_jinja_alloc(h, n, 1);
  if (!copy || !les_jinja_charge(h, n / 64)) return LES_JINJA_NOTHING;
  if (n) memcpy(copy, text, n);
  return les_jinja_string(copy, n);
}

les_jinja_value les_jinja_take_buffer(les_jinja_heap *h, les_buffer *buffer) {
  if (buffer->failed) les_jinja_fail(h, "out of memory");
  les_jinja_value v = les_jinja_copy(h, buffer->data, buffer->n);
  les_buffer_free(buffer);
  return v;
}

les_jinja_value les_jinja_new_list(les_jinja_heap *h) {
  les_jinja_list *list = les_jinja_alloc(h, 1, sizeof *list);
  return list ? (les_jinja_value){.type = LES_JINJA_LIST, .as = {.list = list}} : LES_JINJA_NOTHING;
}

les_jinja_value les_jinja_new_dict(les_jinja_heap *h, les_jinja_type type) {
  les_jinja_dict *dict = les_jinja_alloc(h, 1, sizeof *dict);
  return dict ? (les_jinja_value){.type = type, .as = {.dict = dict}} : LES_JINJA_NOTHING;
}

/* Room for one more item; false on failure. */
static bool grow(les_jinja_heap *h, void **items, size_t n, size_t *capacity, size_t size) {
  if (n < *capacity) return !h->failed;
  size_t wanted = n ? 2 * n : 4;
  void *larger = les_jinja_alloc(h, wanted, size);
  if (!larger) return false;
  if (n) memcpy(larger, *items, n * size);
  *items = larger;
  *capacity = wanted;
  return true;
}

void les_jinja_append(les_jinja_heap *h, les_jinja_value list, les_jinja_value item) {
  if (list.type != LES_JINJA_LIST) return; /* a list that could not be made */
  les_jinja_list *l = list.as.list;
  if (les_jinja_charge(h, 1) && grow(h, (void **)&l->items, l->n, &l->capacity, sizeof *l->items))
    l->items[l->n++] = item;
}

const les_jinja_value *les_jinja_find(les_jinja_heap *h, const les_jinja_dict *dict, les_jinja_value key) {
  if (key.type == LES_JINJA_LIST || key.type == LES_JINJA_DICT)
    les_jinja_fail(h, "%s cannot be a key", les_jinja_type_name(key.type));
  if (!les_jinja_charge(h, dict->n / 4)) return NULL;
  for (size_t i = 0; i < dict->n; i++)
    if (les_jinja_equal(h, dict->items[i].key, key)) return &dict->items[i].value;
  return NULL;
}

void les_jinja_put(les_jinja_heap *h, les_jinja_value dict, les_jinja_value key, les_jinja_value value) {
  if (dict.type != LES_JINJA_DICT && dict.type != LES_JINJA_NAMESPACE) return;
  les_jinja_dict *d = dict.as.dict;
  les_jinja_value *old = (les_jinja_value *)les_jinja_find(h, d, key);
  if (old)
    *old = value;
  else if (grow(h, (void **)&d->items, d->n, &d->capacity, sizeof *d->items))
    d->items[d->n++] = (les_jinja_pair){key, value};
}

bool les_jinja_is(les_jinja_text text, const char *other) {
  return strlen(other) == text.n && !memcmp(text.text, other, text.n);
}

bool les_jinja_same_text(les_jinja_text a, les_jinja_text b) {
  return a.n == b.n && (!a.n || !memcmp(a.text, b.text, a.n));
}

bool les_jinja_is_dict(les_jinja_value v) {
  return v.type == LES_JINJA_DICT;
}

bool les_jinja_is_sequence(les_jinja_value v) {
  return v.type == LES_JINJA_LIST || v.type == LES_JINJA_TUPLE;
}

const char *les_jinja_type_name(les_jinja_type type) {
  static const char *const names[] = {[LES_JINJA_UNDEFINED] = "an undefined value",
                                      [LES_JINJA_NONE] = "none",
                                      [LES_JINJA_BOOL] = "a boolean",
                                      [LES_JINJA_INT] = "an integer",
                                      [LES_JINJA_FLOAT] = "a float",
                                      [LES_JINJA_STRING] = "a string",
                                      [LES_JINJA_LIST] = "a list",
                                      [LES_JINJA_TUPLE] = "a tuple",
                                      [LES_JINJA_GENERATOR] = "a generator",
                                      [LES_JINJA_DICT] = "a dict",
                                      [LES_JINJA_NAMESPACE] = "a namespace",
                                      [LES_JINJA_LOOP] = "a loop",
                                      [LES_JINJA_MACRO] = "a macro",
                                      [LES_JINJA_FUNCTION] = "a function"};
  return names[type];
}

bool les_jinja_true(les_jinja_value v) {
  switch (v.type) {
  case LES_JINJA_UNDEFINED:
  case LES_JINJA_NONE:
    return false;
  case LES_JINJA_BOOL:
    return v.as.boolean;
  case LES_JINJA_INT:
    return v.as.integer != 0;
  case LES_JINJA_FLOAT:
    return v.as.number != 0;
  case LES_JINJA_STRING:
    return v.as.string.n > 0;
  case LES_JINJA_LIST:
  case LES_JINJA_TUPLE:
    return v.as.list->n > 0;
  case LES_JINJA_DICT:
    return v.as.dict->n > 0;
  default:
    return true;
  }
}

bool les_jinja_integer(les_jinja_value v, int64_t *integer) {
  if (v.type != LES_JINJA_INT && v.type != LES_JINJA_BOOL) return false;
  *integer = v.type == LES_JINJA_BOOL ? v.as.boolean : v.as.integer;
  return true;
}

bool les_jinja_number(les_jinja_value v, double *number) {
  int64_t integer;
  if (v.type == LES_JINJA_FLOAT)
    *number = v.as.number;
  else if (les_jinja_integer(v, &integer))
    *number = (double)integer;
  else
    return false;
  return true;
}

static bool same_lists(les_jinja_heap *h, const les_jinja_list *a, const les_jinja_list *b) {
  bool same = a->n == b->n;
  for (size_t i = 0; i < a->n && same; i++) same = les_jinja_equal(h, a->items[i], b->items[i]);
  return same;
}

static bool same_dicts(les_jinja_heap *h, const les_jinja_dict *a, const les_jinja_dict *b) {
  bool same = a->n == b->n;
  for (size_t i = 0; i < a->n && same; i++) {
    const les_jinja_value *other = les_jinja_find(h, b, a->items[i].key);
    same = other && les_jinja_equal(h, a->items[i].value, *other);
  }
  return same;
}

static bool same(les_jinja_heap *h, les_jinja_value a, les_jinja_value b) {
  double x, y;
  if (a.type == LES_JINJA_INT && b.type == LES_JINJA_INT) return a.as.integer == b.as.integer;
  if (les_jinja_number(a, &x) && les_jinja_number(b, &y)) return x == y;
  if (a.type != b.type) return false;
  switch (a.type) {
  case LES_JINJA_UNDEFINED:
  case LES_JINJA_NONE:
    return true;
  case LES_JINJA_STRING:
  case LES_JINJA_FUNCTION:
    return les_jinja_charge(h, a.as.string.n / 64) && les_jinja_same_text(a.as.string, b.as.string);
  case LES_JINJA_LIST:
  case LES_JINJA_TUPLE:
    return same_lists(h, a.as.list, b.as.list);
  case LES_JINJA_DICT:
    return same_dicts(h, a.as.dict, b.as.dict);
  default:
    return a.as.dict == b.as.dict;
  }
}

bool les_jinja_equal(les_jinja_heap *h, les_jinja_value a, les_jinja_value b) {
  bool equal = les_jinja_enter(h) && same(h, a, b);
  les_jinja_leave(h);
  return equal;
}

int les_jinja_compare(les_jinja_heap *h, les_jinja_value a, les_jinja_value b) {
  double x, y;
  if (les_jinja_number(a, &x) && les_jinja_number(b, &y)) return (x > y) - (x < y);
  if (a.type != LES_JINJA_STRING || b.type != LES_JINJA_STRING) {
    les_jinja_fail(h, "%s and %s cannot be put in order", les_jinja_type_name(a.type),
                   les_jinja_type_name(b.type));
    return 0;
  }
  /* UTF-8 sorts as its code points do */
  size_t n = a.as.string.n < b.as.string.n ? a.as.string.n : b.as.string.n;
  int order = n && les_jinja_charge(h, n / 64) ? memcmp(a.as.string.text, b.as.string.text, n) : 0;
  return order ? order : (a.as.string.n > b.as.string.n) - (a.as.string.n < b.as.string.n);
}

bool les_jinja_contains(les_jinja_heap *h, les_jinja_value container, les_jinja_value item) {
  if (container.type == LES_JINJA_STRING) {
    les_jinja_text in = container.as.string, what = item.as.string;
    if (item.type != LES_JINJA_STRING) {
      les_jinja_fail(h, "'in' looks for %s in a string", les_jinja_type_name(item.type));
      return false;
    }
    return les_jinja_charge(h, in.n / 16) && (!what.n || memmem(in.text, in.n, what.text, what.n));
  }
  if (container.type == LES_JINJA_DICT) return les_jinja_find(h, container.as.dict, item) != NULL;
  const les_jinja_list *items = les_jinja_items(h, container);
  for (size_t i = 0; items && i < items->n; i++)
    if (les_jinja_equal(h, items->items[i], item)) return true;
  return false;
}

static const les_jinja_list *characters(les_jinja_heap *h, les_jinja_text text) {
  les_jinja_value list = les_jinja_new_list(h);
  for (size_t at = 0; at < text.n && !h->failed;) {
    size_t length = les_utf8_next(text.text + at, text.n - at, NULL);
    les_jinja_append(h, list, les_jinja_string(text.text + at, length));
    at += length;
  }
  return h->failed ? NULL : list.as.list;
}

const les_jinja_list *les_jinja_items(les_jinja_heap *h, les_jinja_value v) {
  if (h->failed) return NULL;
  if (les_jinja_is_sequence(v)) return v.as.list;
  if (v.type == LES_JINJA_STRING) return characters(h, v.as.string);
  if (v.type == LES_JINJA_GENERATOR) {
    if (v.as.list->used) les_jinja_fail(h, "a generator is gone through twice; make it a list");
    v.as.list->used = true;
    return h->failed ? NULL : v.as.list;
  }
  if (v.type != LES_JINJA_DICT && v.type != LES_JINJA_UNDEFINED) {
    les_jinja_fail(h, "%s has no items to go through", les_jinja_type_name(v.type));
    return NULL;
  }
  les_jinja_value list = les_jinja_new_list(h);
  for (size_t i = 0; v.type == LES_JINJA_DICT && i < v.as.dict->n; i++)
    les_jinja_append(h, list, v.as.dict->items[i].key);
  return h->failed ? NULL : list.as.list;
}

int64_t les_jinja_length(les_jinja_heap *h, les_jinja_value v) {
  int64_t n = 0;
  if (les_jinja_is_sequence(v)) return (int64_t)v.as.list->n;
  if (v.type == LES_JINJA_DICT) return (int64_t)v.as.dict->n;
  if (v.type == LES_JINJA_UNDEFINED) return 0;
  if (v.type != LES_JINJA_STRING) les_jinja_fail(h, "%s has no length", les_jinja_type_name(v.type));
  if (v.type != LES_JINJA_STRING || !les_jinja_charge(h, v.as.string.n / 16)) return 0;
  for (size_t i = 0; i < v.as.string.n; i++) n += les_utf8_is_start(v.as.string.text[i]);
  return n;
}
