/* Filters: what stands behind "|". */
#include "token/jinja_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef les_jinja_value filter(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args);

static les_jinja_text text_of(les_jinja_heap *h, les_jinja_value v) {
  les_jinja_value text = les_jinja_text_of(h, v);
  return text.type == LES_JINJA_STRING ? text.as.string : (les_jinja_text){"", 0};
}

static les_jinja_value trim(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  return les_jinja_strip(h, text_of(h, in), les_jinja_take(args, 0, "chars", LES_JINJA_NOTHING), true, true);
}

static les_jinja_value upper(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return les_jinja_case(h, text_of(h, in), utf8proc_toupper);
}

static les_jinja_value lower(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return les_jinja_case(h, text_of(h, in), utf8proc_tolower);
}

static les_jinja_value capitalize(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return les_jinja_capitalize(h, text_of(h, in));
}

static les_jinja_value string(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return les_jinja_text_of(h, in);
}

static les_jinja_value safe(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  les_jinja_value text = string(h, in, args);
  text.safe = true;
  return text;
}

static les_jinja_value length(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return les_jinja_int(les_jinja_length(h, in));
}

static les_jinja_value replace(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  les_jinja_text old = les_jinja_take_text(h, args, 0, "old", NULL);
  les_jinja_text new = les_jinja_take_text(h, args, 1, "new", NULL);
  return les_jinja_replace(h, text_of(h, in), old, new, les_jinja_take_int(h, args, 2, "count", -1));
}

static les_jinja_value fallback(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)h;
  les_jinja_value other = les_jinja_take(args, 0, "default_value", les_jinja_string("", 0));
  les_jinja_value falsy = les_jinja_take(args, 1, "boolean", les_jinja_bool(false));
  bool missing = in.type == LES_JINJA_UNDEFINED || (les_jinja_true(falsy) && !les_jinja_true(in));
  return missing ? other : in;
}

static les_jinja_value tojson(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  les_jinja_value ascii = les_jinja_take(args, 0, "ensure_ascii", les_jinja_bool(false));
  les_jinja_value indent = les_jinja_take(args, 1, "indent", LES_JINJA_NOTHING);
  les_jinja_value separators = les_jinja_take(args, 2, "separators", LES_JINJA_NOTHING);
  les_jinja_value sort = les_jinja_take(args, 3, "sort_keys", les_jinja_bool(false));
  les_jinja_json how = {.indent = -1, .ascii = les_jinja_true(ascii), .sort_keys = les_jinja_true(sort)};
  if (indent.type != LES_JINJA_NONE &&
      (!les_jinja_integer(indent, &how.indent) || how.indent < 0 || how.indent > 100))
    les_jinja_fail(h, "tojson: the indent has to be a number from 0 to 100");
  how.item = how.indent < 0 ? (les_jinja_text){", ", 2} : (les_jinja_text){",", 1};
  how.key = (les_jinja_text){": ", 2};
  if (les_jinja_is_sequence(separators) && separators.as.list->n == 2 &&
      separators.as.list->items[0].type == LES_JINJA_STRING &&
      separators.as.list->items[1].type == LES_JINJA_STRING) {
    how.item = separators.as.list->items[0].as.string;
    how.key = separators.as.list->items[1].as.string;
  } else if (separators.type != LES_JINJA_NONE) {
    les_jinja_fail(h, "tojson: the separators have to be two strings");
  }
  les_buffer out = {0};
  les_jinja_print_json(h, in, &how, 0, &out);
  return les_jinja_take_buffer(h, &out);
}

static les_jinja_value list(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  const les_jinja_list *items = les_jinja_items(h, in);
  return items ? (les_jinja_value){.type = LES_JINJA_LIST, .as = {.list = (les_jinja_list *)items}}
               : LES_JINJA_NOTHING;
}

static les_jinja_value first(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  const les_jinja_list *items = les_jinja_items(h, in);
  return items && items->n ? items->items[0] : les_jinja_undefined((les_jinja_text){"the first item", 14});
}

static les_jinja_value last(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  if (in.type == LES_JINJA_GENERATOR) les_jinja_fail(h, "a generator has no last item");
  const les_jinja_list *items = les_jinja_items(h, in);
  return items && items->n ? items->items[items->n - 1]
                           : les_jinja_undefined((les_jinja_text){"the last item", 13});
}

/* A new list as what Jinja gives: it can be gone through once, has no length and is true even if empty. */
static les_jinja_value generator(les_jinja_value list) {
  if (les_jinja_is_sequence(list)) list.type = LES_JINJA_GENERATOR;
  return list;
}

static les_jinja_value reverse(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return generator(les_jinja_slice(h, in, LES_JINJA_NOTHING, LES_JINJA_NOTHING, les_jinja_int(-1)));
}

static les_jinja_value pairs_of(les_jinja_heap *h, les_jinja_value in) {
  if (in.type == LES_JINJA_UNDEFINED) return les_jinja_new_list(h);
  if (in.type == LES_JINJA_DICT) return les_jinja_pairs(h, in.as.dict);
  les_jinja_fail(h, "a dict is wanted, not %s", les_jinja_type_name(in.type));
  return LES_JINJA_NOTHING;
}

static les_jinja_value items(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return generator(pairs_of(h, in));
}

/* An attribute such as "a.b" of an item; numbers are places in a list. */
static les_jinja_value attribute(les_jinja_heap *h, les_jinja_value of, les_jinja_value path) {
  if (path.type != LES_JINJA_STRING) return les_jinja_item(h, of, path);
  les_jinja_text rest = path.as.string;
  while (!h->failed) {
    const char *dot = rest.n ? memchr(rest.text, '.', rest.n) : NULL;
    size_t n = dot ? (size_t)(dot - rest.text) : rest.n;
    of = les_jinja_item(h, of, les_jinja_string(rest.text, n));
    if (!dot) break;
    rest = (les_jinja_text){dot + 1, rest.n - n - 1};
  }
  return of;
}

static les_jinja_value join(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  les_jinja_text by = les_jinja_take_text(h, args, 0, "d", "");
  les_jinja_value path = les_jinja_take(args, 1, "attribute", LES_JINJA_NOTHING);
  const les_jinja_list *all = les_jinja_items(h, in);
  les_buffer out = {0};
  for (size_t i = 0; all && i < all->n && !h->failed; i++) {
    if (i && les_jinja_charge(h, 1 + by.n / 64)) les_buffer_append(&out, by.text, by.n);
    les_jinja_print(h, path.type == LES_JINJA_NONE ? all->items[i] : attribute(h, all->items[i], path), &out);
  }
  return les_jinja_take_buffer(h, &out);
}

/* The arguments behind the first `n`, for a filter or test of that name. */
static les_jinja_args behind(les_jinja_args *args, size_t n) {
  les_jinja_args rest = *args;
  rest.items += n;
  rest.n -= n;
  rest.n_taken = 0;
  args->n_taken = args->n + args->n_keywords;
  return rest;
}

/* For map, select and their like, in which none counts as empty. */
static const les_jinja_list *items_if_any(les_jinja_heap *h, les_jinja_value in) {
  return les_jinja_items(h, les_jinja_true(in) ? in : les_jinja_new_list(h));
}

static les_jinja_value map(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  const les_jinja_list *all = items_if_any(h, in);
  les_jinja_value out = les_jinja_new_list(h), path = LES_JINJA_NOTHING, missing = LES_JINJA_NOTHING;
  les_jinja_text name = {"", 0};
  if (args->n == 0) {
    path = les_jinja_take(args, 0, "attribute", LES_JINJA_NOTHING);
    missing = les_jinja_take(args, 1, "default", LES_JINJA_NOTHING);
    if (path.type == LES_JINJA_NONE) les_jinja_fail(h, "map needs a filter or an attribute");
  } else {
    name = les_jinja_take_text(h, args, 0, NULL, NULL);
  }
  les_jinja_args rest = args->n ? behind(args, 1) : (les_jinja_args){0};
  for (size_t i = 0; all && i < all->n && !h->failed; i++) {
    les_jinja_args each = rest;
    les_jinja_value v =
        name.n ? les_jinja_filter(h, name, all->items[i], &each) : attribute(h, all->items[i], path);
    bool is_missing = v.type == LES_JINJA_UNDEFINED && missing.type != LES_JINJA_NONE;
    les_jinja_append(h, out, is_missing ? missing : v);
  }
  return generator(out);
}

/* select, reject, selectattr, rejectattr: [attribute,] test, its arguments. */
static les_jinja_value keep(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args, bool by_attribute,
                            bool wanted) {
  const les_jinja_list *all = items_if_any(h, in);
  les_jinja_value out = les_jinja_new_list(h);
  size_t at = by_attribute;
  if (args->n < at) les_jinja_fail(h, "selectattr and rejectattr need an attribute");
  les_jinja_text name = args->n > at ? les_jinja_take_text(h, args, at, NULL, NULL) : (les_jinja_text){"", 0};
  if (h->failed) return LES_JINJA_NOTHING;
  les_jinja_args rest = behind(args, args->n > at ? at + 1 : args->n);
  for (size_t i = 0; all && i < all->n && !h->failed; i++) {
    les_jinja_args each = rest;
    les_jinja_value v = by_attribute ? attribute(h, all->items[i], args->items[0]) : all->items[i];
    bool holds = name.n ? les_jinja_test(h, name, v, &each) : les_jinja_true(v);
    if (holds == wanted) les_jinja_append(h, out, all->items[i]);
  }
  return generator(out);
}

static les_jinja_value keep_if(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  return keep(h, in, args, false, true);
}

static les_jinja_value keep_unless(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  return keep(h, in, args, false, false);
}

static les_jinja_value keep_attr(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  return keep(h, in, args, true, true);
}

static les_jinja_value drop_attr(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  return keep(h, in, args, true, false);
}

/* Strings regardless of case, as Jinja sorts and compares them. */
static les_jinja_value folded(les_jinja_heap *h, les_jinja_value v) {
  return v.type == LES_JINJA_STRING ? les_jinja_case(h, v.as.string, utf8proc_tolower) : v;
}

/* In order by insertion: lists here are short, and equal items keep their places. */
static les_jinja_value sorted(les_jinja_heap *h, const les_jinja_list *all, size_t key) {
  les_jinja_value out = les_jinja_new_list(h);
  for (size_t i = 0; all && i < all->n && !h->failed; i++) {
    les_jinja_append(h, out, all->items[i]);
    for (size_t k = i; k > 0 && les_jinja_charge(h, 4); k--) {
      les_jinja_value *pair = out.as.list->items + k - 1, a = pair[0], b = pair[1];
      if (key) a = a.as.list->items[key - 1], b = b.as.list->items[key - 1];
      if (les_jinja_compare(h, folded(h, a), folded(h, b)) <= 0) break;
      les_jinja_value moved = pair[0];
      pair[0] = pair[1];
      pair[1] = moved;
    }
  }
  return out;
}

static les_jinja_value sort(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  les_jinja_value back = les_jinja_take(args, 0, "reverse", les_jinja_bool(false));
  les_jinja_value out = sorted(h, les_jinja_items(h, in), 0);
  if (les_jinja_true(back)) les_jinja_fail(h, "sort: reverse is not supported");
  return out;
}

static les_jinja_value dictsort(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  les_jinja_value pairs = in.type == LES_JINJA_DICT ? pairs_of(h, in) : LES_JINJA_NOTHING;
  if (in.type != LES_JINJA_DICT) les_jinja_fail(h, "a dict is wanted, not %s", les_jinja_type_name(in.type));
  return h->failed ? LES_JINJA_NOTHING : sorted(h, pairs.as.list, 1);
}

static les_jinja_value unique(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  const les_jinja_list *all = les_jinja_items(h, in);
  les_jinja_value out = les_jinja_new_list(h), seen = les_jinja_new_list(h);
  for (size_t i = 0; all && i < all->n && !h->failed; i++) {
    les_jinja_value v = folded(h, all->items[i]);
    if (les_jinja_contains(h, seen, v)) continue;
    les_jinja_append(h, seen, v);
    les_jinja_append(h, out, all->items[i]);
  }
  return generator(out);
}

static les_jinja_value extreme(les_jinja_heap *h, les_jinja_value in, int sign) {
  const les_jinja_list *all = les_jinja_items(h, in);
  if (!all || !all->n) return les_jinja_undefined((les_jinja_text){"the extreme of nothing", 22});
  les_jinja_value best = all->items[0];
  for (size_t i = 1; i < all->n && !h->failed; i++)
    if (sign * les_jinja_compare(h, folded(h, all->items[i]), folded(h, best)) > 0) best = all->items[i];
  return best;
}

static les_jinja_value minimum(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return extreme(h, in, -1);
}

static les_jinja_value maximum(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  (void)args;
  return extreme(h, in, 1);
}

static les_jinja_value to_int(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  int64_t missing = les_jinja_take_int(h, args, 0, "default", 0), integer;
  double number;
  if (in.type == LES_JINJA_UNDEFINED) les_jinja_fail(h, "int: the value is undefined");
  if (les_jinja_integer(in, &integer)) return les_jinja_int(integer);
  if (les_jinja_number(in, &number) && fabs(number) < 9e15) return les_jinja_int((int64_t)number);
  if (in.type != LES_JINJA_STRING || in.as.string.n > 15) return les_jinja_int(missing);
  char text[16] = "", *end;
  memcpy(text, in.as.string.text, in.as.string.n);
  if (text[strspn(text, "+-0123456789.eE")]) return les_jinja_int(missing);
  number = strtod(text, &end);
  return les_jinja_int(end > text && !*end && fabs(number) < 9e15 ? (int64_t)number : missing);
}

/* Spaces in front of every line but the first and blank ones. */
static les_jinja_value indent(les_jinja_heap *h, les_jinja_value in, les_jinja_args *args) {
  int64_t width = les_jinja_take_int(h, args, 0, "width", 4);
  bool from_first = les_jinja_true(les_jinja_take(args, 1, "first", les_jinja_bool(false)));
  bool blank = les_jinja_true(les_jinja_take(args, 2, "blank", les_jinja_bool(false)));
  les_jinja_text s = in.as.string;
  les_buffer out = {0};
  if (in.type != LES_JINJA_STRING)
    les_jinja_fail(h, "indent: a string is wanted, not %s", les_jinja_type_name(in.type));
  if (width < 0 || width > 1000) les_jinja_fail(h, "indent: the width has to be a number from 0 to 1000");
  for (bool first_line = true; !h->failed && les_jinja_charge(h, 1 + (size_t)width / 16);
       first_line = false) {
    const char *newline = s.n ? memchr(s.text, '\n', s.n) : NULL;
    size_t n = newline ? (size_t)(newline - s.text) : s.n;
    for (int64_t i = 0; (first_line ? from_first : blank || n) && i < width; i++)
      les_buffer_append_byte(&out, ' ');
    les_buffer_append(&out, s.text, n);
    if (!newline) break;
    les_buffer_append_byte(&out, '\n');
    s = (les_jinja_text){newline + 1, s.n - n - 1};
  }
  return les_jinja_take_buffer(h, &out);
}

static const struct {
  const char *name;
  filter *apply;
} filters[] = {{"trim", trim},
               {"upper", upper},
               {"lower", lower},
               {"capitalize", capitalize},
               {"string", string},
               {"safe", safe},
               {"length", length},
               {"count", length},
               {"replace", replace},
               {"default", fallback},
               {"d", fallback},
               {"tojson", tojson},
               {"list", list},
               {"first", first},
               {"last", last},
               {"reverse", reverse},
               {"items", items},
               {"join", join},
               {"map", map},
               {"select", keep_if},
               {"reject", keep_unless},
               {"selectattr", keep_attr},
               {"rejectattr", drop_attr},
               {"sort", sort},
               {"dictsort", dictsort},
               {"unique", unique},
               {"min", minimum},
               {"max", maximum},
               {"int", to_int},
               {"indent", indent}};

les_jinja_value les_jinja_filter(les_jinja_heap *h, les_jinja_text name, les_jinja_value in,
                                 les_jinja_args *args) {
  for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
    if (!les_jinja_is(name, filters[i].name)) continue;
    if (in.safe && filters[i].apply != safe)
      les_jinja_fail(h, "the filter '%s' of a safe text is not supported", filters[i].name);
    bool open = les_jinja_enter(h);
    les_jinja_value v = open ? filters[i].apply(h, in, args) : LES_JINJA_NOTHING;
    les_jinja_leave(h);
    les_jinja_check_args(h, "the filter", name, args);
    return v;
  }
  les_jinja_fail(h, "the filter '%.*s' is not supported", name.n > 40 ? 40 : (int)name.n, name.text);
  return LES_JINJA_NOTHING;
}
