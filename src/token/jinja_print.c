/* Values as text, as Python writes them. */
#include "base/text.h"
#include "token/jinja_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static void put(les_buffer *out, const char *text) {
  les_buffer_append(out, text, strlen(text));
}

/* repr of a float: the shortest decimal form that reads back the same, with an exponent outside of 1e-4 to
 * 1e16. */
static void print_float(double x, les_buffer *out) {
  char text[64];
  if (!isfinite(x)) {
    put(out, isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
    return;
  }
  int digits = 1;
  for (; digits < 17; digits++) {
    snprintf(text, sizeof text, "%.*e", digits - 1, x);
    if (strtod(text, NULL) == x) break;
  }
  snprintf(text, sizeof text, "%.*e", digits - 1, x);
  int exponent = atoi(strchr(text, 'e') + 1);
  if (exponent >= -4 && exponent < 16) {
    snprintf(text, sizeof text, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0, x);
    if (!strchr(text, '.')) strcat(text, ".0");
  }
  put(out, text);
}

/* Whether Python's repr writes the character as it is. */
static bool printable(int32_t c) {
  if (c == ' ') return true;
  utf8proc_category_t k = utf8proc_category(c);
  return k != UTF8PROC_CATEGORY_CC && k != UTF8PROC_CATEGORY_CF && k != UTF8PROC_CATEGORY_CS &&
         k != UTF8PROC_CATEGORY_CO && k != UTF8PROC_CATEGORY_CN && k != UTF8PROC_CATEGORY_ZL &&
         k != UTF8PROC_CATEGORY_ZP && k != UTF8PROC_CATEGORY_ZS;
}

static void repr_character(int32_t c, char quote, les_buffer *out) {
  char text[16];
  const char *escape = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : c == '\\' ? "\\\\" : NULL;
  if (escape) {
    put(out, escape);
  } else if (c == quote) {
    les_buffer_append_byte(out, '\\');
    les_buffer_append_byte(out, (unsigned char)quote);
  } else if (printable(c)) {
    les_buffer_append_codepoint(out, c);
  } else {
    snprintf(text, sizeof text, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    put(out, text);
  }
}

static void repr_string(les_jinja_text s, les_buffer *out) {
  char quote = s.n && memchr(s.text, '\'', s.n) && !memchr(s.text, '"', s.n) ? '"' : '\'';
  les_buffer_append_byte(out, (unsigned char)quote);
  for (size_t at = 0; at < s.n;) {
    int32_t c;
    at += les_utf8_next(s.text + at, s.n - at, &c);
    repr_character(c, quote, out);
  }
  les_buffer_append_byte(out, (unsigned char)quote);
}

static void repr_items(les_jinja_heap *h, les_jinja_value v, les_buffer *out) {
  const les_jinja_list *list = v.as.list;
  bool tuple = v.type == LES_JINJA_TUPLE;
  put(out, tuple ? "(" : "[");
  for (size_t i = 0; i < list->n && !h->failed; i++) {
    if (i) put(out, ", ");
    les_jinja_repr(h, list->items[i], out);
  }
  put(out, !tuple ? "]" : list->n == 1 ? ",)" : ")");
}

static void repr_dict(les_jinja_heap *h, const les_jinja_dict *dict, les_buffer *out) {
  put(out, "{");
  for (size_t i = 0; i < dict->n && !h->failed; i++) {
    if (i) put(out, ", ");
    les_jinja_repr(h, dict->items[i].key, out);
    put(out, ": ");
    les_jinja_repr(h, dict->items[i].value, out);
  }
  put(out, "}");
}

static void print_scalar(les_jinja_heap *h, les_jinja_value v, les_buffer *out) {
  char text[32];
  switch (v.type) {
  case LES_JINJA_UNDEFINED:
    break;
  case LES_JINJA_NONE:
    put(out, "None");
    break;
  case LES_JINJA_BOOL:
    put(out, v.as.boolean ? "True" : "False");
    break;
  case LES_JINJA_INT:
    snprintf(text, sizeof text, "%" PRId64, v.as.integer);
    put(out, text);
    break;
  case LES_JINJA_FLOAT:
    print_float(v.as.number, out);
    break;
  default:
    les_jinja_fail(h, "%s cannot be written as text", les_jinja_type_name(v.type));
  }
}

static void repr(les_jinja_heap *h, les_jinja_value v, les_buffer *out) {
  switch (v.type) {
  case LES_JINJA_UNDEFINED:
    put(out, "Undefined");
    break;
  case LES_JINJA_STRING:
    if (v.safe) les_jinja_fail(h, "a safe text in a list is not supported");
    if (les_jinja_charge(h, v.as.string.n / 4)) repr_string(v.as.string, out);
    break;
  case LES_JINJA_LIST:
  case LES_JINJA_TUPLE:
    repr_items(h, v, out);
    break;
  case LES_JINJA_DICT:
    repr_dict(h, v.as.dict, out);
    break;
  default:
    print_scalar(h, v, out);
  }
}

void les_jinja_repr(les_jinja_heap *h, les_jinja_value v, les_buffer *out) {
  if (les_jinja_enter(h)) repr(h, v, out);
  les_jinja_leave(h);
}

void les_jinja_print(les_jinja_heap *h, les_jinja_value v, les_buffer *out) {
  if (!les_jinja_charge(h, 1)) return;
  if (v.type == LES_JINJA_STRING) {
    if (les_jinja_charge(h, v.as.string.n / 64)) les_buffer_append(out, v.as.string.text, v.as.string.n);
  } else if (les_jinja_is_sequence(v) || les_jinja_is_dict(v)) {
    les_jinja_repr(h, v, out);
  } else {
    print_scalar(h, v, out);
  }
}

static void json_escape(int32_t c, les_buffer *out) {
  char text[16];
  if (c >= 0x10000)
    snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xd800 + ((unsigned)(c - 0x10000) >> 10),
             0xdc00 + ((unsigned)(c - 0x10000) & 0x3ff));
  else
    snprintf(text, sizeof text, "\\u%04x", (unsigned)c);
  put(out, text);
}

static void json_string(les_jinja_text s, bool ascii, les_buffer *out) {
  static const char plain[] = "\"\\\n\r\t\b\f", escaped[] = "\"\\nrtbf";
  les_buffer_append_byte(out, '"');
  for (size_t at = 0; at < s.n;) {
    int32_t c;
    at += les_utf8_next(s.text + at, s.n - at, &c);
    const char *special = c > 0 && c < 0x80 ? strchr(plain, c) : NULL;
    if (special) {
      les_buffer_append_byte(out, '\\');
      les_buffer_append_byte(out, (unsigned char)escaped[special - plain]);
    } else if (c < 0x20 || (ascii && c > 0x7e)) {
      json_escape(c, out);
    } else {
      les_buffer_append_codepoint(out, c);
    }
  }
  les_buffer_append_byte(out, '"');
}

/* The start of a line with `indent`, nothing without. */
static void new_line(les_jinja_heap *h, const les_jinja_json *how, int level, les_buffer *out) {
  if (how->indent < 0 || !les_jinja_charge(h, (size_t)how->indent * (size_t)level / 16)) return;
  put(out, "\n");
  for (int64_t i = 0; i < how->indent * level; i++) les_buffer_append_byte(out, ' ');
}

static void json_key(les_jinja_heap *h, les_jinja_value key, const les_jinja_json *how, les_buffer *out) {
  if (key.type != LES_JINJA_STRING)
    les_jinja_fail(h, "tojson: %s as a key is not supported", les_jinja_type_name(key.type));
  else
    json_string(key.as.string, how->ascii, out);
}

static int by_key(const void *a, const void *b) {
  les_jinja_text x = ((const les_jinja_pair *)a)->key.as.string,
                 y = ((const les_jinja_pair *)b)->key.as.string;
  int order = memcmp(x.text, y.text, x.n < y.n ? x.n : y.n);
  return order ? order : (x.n > y.n) - (x.n < y.n);
}

static const les_jinja_pair *sorted(les_jinja_heap *h, const les_jinja_dict *dict) {
  les_jinja_pair *items = les_jinja_alloc(h, dict->n, sizeof *items);
  if (!items || !les_jinja_charge(h, dict->n * 8)) return NULL;
  for (size_t i = 0; i < dict->n; i++) {
    items[i] = dict->items[i];
    if (items[i].key.type != LES_JINJA_STRING) les_jinja_fail(h, "tojson: only strings can be sorted");
  }
  if (h->failed) return NULL;
  qsort(items, dict->n, sizeof *items, by_key);
  return items;
}

static void json_container(les_jinja_heap *h, les_jinja_value v, const les_jinja_json *how, int level,
                           les_buffer *out) {
  bool dict = v.type == LES_JINJA_DICT;
  size_t n = dict ? v.as.dict->n : v.as.list->n;
  const les_jinja_pair *pairs = !dict ? NULL : how->sort_keys ? sorted(h, v.as.dict) : v.as.dict->items;
  put(out, dict ? "{" : "[");
  for (size_t i = 0; i < n && !h->failed; i++) {
    if (i) les_buffer_append(out, how->item.text, how->item.n);
    new_line(h, how, level + 1, out);
    if (dict) {
      json_key(h, pairs[i].key, how, out);
      les_buffer_append(out, how->key.text, how->key.n);
    }
    les_jinja_print_json(h, dict ? pairs[i].value : v.as.list->items[i], how, level + 1, out);
  }
  if (n) new_line(h, how, level, out);
  put(out, dict ? "}" : "]");
}

void les_jinja_print_json(les_jinja_heap *h, les_jinja_value v, const les_jinja_json *how, int level,
                          les_buffer *out) {
  if (!les_jinja_enter(h)) {
    les_jinja_leave(h);
    return;
  }
  if (v.type == LES_JINJA_STRING && les_jinja_charge(h, v.as.string.n / 16))
    json_string(v.as.string, how->ascii, out);
  else if (les_jinja_is_sequence(v) || les_jinja_is_dict(v))
    json_container(h, v, how, level, out);
  else if (v.type == LES_JINJA_NONE)
    put(out, "null");
  else if (v.type == LES_JINJA_BOOL)
    put(out, v.as.boolean ? "true" : "false");
  else if (v.type == LES_JINJA_INT || v.type == LES_JINJA_FLOAT)
    print_scalar(h, v, out);
  else
    les_jinja_fail(h, "tojson: %s has no JSON", les_jinja_type_name(v.type));
  les_jinja_leave(h);
}
