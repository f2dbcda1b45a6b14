/* Methods of strings and dicts, and the functions that a template can call. */
#include "base/text.h"
#include "token/jinja_run.h"

#include <string.h>
#include <time.h>
#include <utf8proc.h>

typedef les_jinja_value method(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args);

static les_jinja_value strip(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  return les_jinja_strip(h, s, les_jinja_take(args, 0, NULL, LES_JINJA_NOTHING), true, true);
}

static les_jinja_value lstrip(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  return les_jinja_strip(h, s, les_jinja_take(args, 0, NULL, LES_JINJA_NOTHING), true, false);
}

static les_jinja_value rstrip(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  return les_jinja_strip(h, s, les_jinja_take(args, 0, NULL, LES_JINJA_NOTHING), false, true);
}

static les_jinja_value upper(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  (void)args;
  return les_jinja_case(h, s, utf8proc_toupper);
}

static les_jinja_value lower(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  (void)args;
  return les_jinja_case(h, s, utf8proc_tolower);
}

static les_jinja_value capitalize(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  (void)args;
  return les_jinja_capitalize(h, s);
}

static bool has_prefix(les_jinja_text s, les_jinja_text prefix) {
  return s.n >= prefix.n && !memcmp(s.text, prefix.text, prefix.n);
}

static bool has_suffix(les_jinja_text s, les_jinja_text suffix) {
  return s.n >= suffix.n && !memcmp(s.text + s.n - suffix.n, suffix.text, suffix.n);
}

/* A string, or a tuple of strings of which one has to fit. */
static les_jinja_value affix(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args,
                             bool (*fits)(les_jinja_text, les_jinja_text)) {
  les_jinja_value what = les_jinja_take(args, 0, NULL, LES_JINJA_NOTHING);
  if (what.type == LES_JINJA_STRING) return les_jinja_bool(fits(s, what.as.string));
  if (what.type != LES_JINJA_TUPLE)
    les_jinja_fail(h, "a string is wanted, not %s", les_jinja_type_name(what.type));
  for (size_t i = 0; what.type == LES_JINJA_TUPLE && i < what.as.list->n; i++)
    if (what.as.list->items[i].type == LES_JINJA_STRING && fits(s, what.as.list->items[i].as.string))
      return les_jinja_bool(true);
  return les_jinja_bool(false);
}

static les_jinja_value startswith(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  return affix(h, s, args, has_prefix);
}

static les_jinja_value endswith(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  return affix(h, s, args, has_suffix);
}

static les_jinja_value removeprefix(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  les_jinja_text what = les_jinja_take_text(h, args, 0, NULL, NULL);
  return has_prefix(s, what) ? les_jinja_string(s.text + what.n, s.n - what.n)
                             : les_jinja_string(s.text, s.n);
}

static les_jinja_value removesuffix(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  les_jinja_text what = les_jinja_take_text(h, args, 0, NULL, NULL);
  return les_jinja_string(s.text, has_suffix(s, what) ? s.n - what.n : s.n);
}

static les_jinja_value replace(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  les_jinja_text old = les_jinja_take_text(h, args, 0, NULL, NULL);
  les_jinja_text new = les_jinja_take_text(h, args, 1, NULL, NULL);
  return les_jinja_replace(h, s, old, new, les_jinja_take_int(h, args, 2, "count", -1));
}

/* Number of characters before the first hit; -1: none. */
static les_jinja_value find(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  les_jinja_text what = les_jinja_take_text(h, args, 0, NULL, NULL);
  if (!les_jinja_charge(h, s.n / 16)) return LES_JINJA_NOTHING;
  const char *hit = what.n ? memmem(s.text, s.n, what.text, what.n) : s.text;
  return hit ? les_jinja_int(les_jinja_length(h, les_jinja_string(s.text, (size_t)(hit - s.text))))
             : les_jinja_int(-1);
}

static les_jinja_value count(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  les_jinja_text what = les_jinja_take_text(h, args, 0, NULL, NULL);
  int64_t n = 0;
  if (!what.n) les_jinja_fail(h, "count: there is nothing to be counted");
  if (!les_jinja_charge(h, s.n / 4)) return LES_JINJA_NOTHING;
  for (const char *hit; (hit = memmem(s.text, s.n, what.text, what.n)); n++) {
    s.n -= (size_t)(hit - s.text) + what.n;
    s.text = hit + what.n;
  }
  return les_jinja_int(n);
}

static void split_spaces(les_jinja_heap *h, les_jinja_text s, int64_t most, les_jinja_value list) {
  for (int64_t n = 0; !h->failed; n++) {
    size_t lead = les_text_leading(s.text, s.n, les_is_python_space), length = 0;
    s.text += lead;
    s.n -= lead;
    if (!s.n) return;
    if (n == most) { /* with the white space at its end */
      les_jinja_append(h, list, les_jinja_string(s.text, s.n));
      return;
    }
    while (length < s.n && !les_text_leading(s.text + length, s.n - length, les_is_python_space))
      length += les_utf8_next(s.text + length, s.n - length, NULL);
    les_jinja_append(h, list, les_jinja_string(s.text, length));
    s.text += length;
    s.n -= length;
  }
}

static les_jinja_value split(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  les_jinja_value by = les_jinja_take(args, 0, "sep", LES_JINJA_NOTHING), list = les_jinja_new_list(h);
  int64_t most = les_jinja_take_int(h, args, 1, "maxsplit", -1);
  if (!les_jinja_charge(h, s.n / 4)) return LES_JINJA_NOTHING;
  if (by.type == LES_JINJA_NONE) {
    split_spaces(h, s, most, list);
    return list;
  }
  if (by.type != LES_JINJA_STRING || !by.as.string.n) {
    les_jinja_fail(h, "split: the separator has to be a string that is not empty");
    return LES_JINJA_NOTHING;
  }
  les_jinja_text sep = by.as.string;
  for (const char *hit; most != 0 && !h->failed && (hit = memmem(s.text, s.n, sep.text, sep.n)); most--) {
    les_jinja_append(h, list, les_jinja_string(s.text, (size_t)(hit - s.text)));
    s.n -= (size_t)(hit - s.text) + sep.n;
    s.text = hit + sep.n;
  }
  les_jinja_append(h, list, les_jinja_string(s.text, s.n));
  return list;
}

static les_jinja_value join(les_jinja_heap *h, les_jinja_text s, les_jinja_args *args) {
  const les_jinja_list *items = les_jinja_items(h, les_jinja_take(args, 0, NULL, LES_JINJA_NOTHING));
  les_buffer out = {0};
  for (size_t i = 0; items && i < items->n && !h->failed; i++) {
    if (items->items[i].type != LES_JINJA_STRING)
      les_jinja_fail(h, "join: an item is %s", les_jinja_type_name(items->items[i].type));
    if (i && les_jinja_charge(h, 1 + s.n / 64)) les_buffer_append(&out, s.text, s.n);
    les_jinja_print(h, items->items[i], &out);
  }
  return les_jinja_take_buffer(h, &out);
}

static const struct {
  const char *name;
  method *call;
} string_methods[] = {{"strip", strip},
                      {"lstrip", lstrip},
                      {"rstrip", rstrip},
                      {"upper", upper},
                      {"lower", lower},
                      {"capitalize", capitalize},
                      {"startswith", startswith},
                      {"endswith", endswith},
                      {"removeprefix", removeprefix},
                      {"removesuffix", removesuffix},
                      {"replace", replace},
                      {"find", find},
                      {"count", count},
                      {"split", split},
                      {"join", join}};
enum { N_STRING_METHODS = sizeof string_methods / sizeof *string_methods };

static les_jinja_value column(les_jinja_heap *h, const les_jinja_dict *dict, bool keys) {
  les_jinja_value list = les_jinja_new_list(h);
  for (size_t i = 0; i < dict->n && !h->failed; i++)
    les_jinja_append(h, list, keys ? dict->items[i].key : dict->items[i].value);
  return list;
}

static les_jinja_value get(les_jinja_heap *h, const les_jinja_dict *dict, les_jinja_args *args) {
  les_jinja_value key = les_jinja_take(args, 0, NULL, LES_JINJA_NOTHING);
  les_jinja_value fallback = les_jinja_take(args, 1, NULL, LES_JINJA_NOTHING);
  const les_jinja_value *found = les_jinja_find(h, dict, key);
  return found ? *found : fallback;
}

/* What Python's dicts have; those that change one are refused, as in transformers. */
static const char *const dict_methods[] = {"get",   "items",      "keys",    "values", "pop",     "update",
                                           "clear", "setdefault", "popitem", "copy",   "fromkeys"};
enum { N_DICT_METHODS = sizeof dict_methods / sizeof *dict_methods };

bool les_jinja_is_method(les_jinja_value object, les_jinja_text name) {
  for (size_t i = 0; object.type == LES_JINJA_DICT && i < N_DICT_METHODS; i++)
    if (les_jinja_is(name, dict_methods[i])) return true;
  for (size_t i = 0; object.type == LES_JINJA_STRING && i < N_STRING_METHODS; i++)
    if (les_jinja_is(name, string_methods[i].name)) return true;
  return false;
}

static les_jinja_value call_method(les_jinja_heap *h, les_jinja_value object, les_jinja_text name,
                                   les_jinja_args *args) {
  if (object.safe) les_jinja_fail(h, "methods of a safe text are not supported");
  for (size_t i = 0; object.type == LES_JINJA_STRING && i < N_STRING_METHODS; i++)
    if (les_jinja_is(name, string_methods[i].name)) return string_methods[i].call(h, object.as.string, args);
  if (object.type == LES_JINJA_DICT) {
    if (les_jinja_is(name, "get")) return get(h, object.as.dict, args);
    if (les_jinja_is(name, "items")) return les_jinja_pairs(h, object.as.dict);
    if (les_jinja_is(name, "keys")) return column(h, object.as.dict, true);
    if (les_jinja_is(name, "values")) return column(h, object.as.dict, false);
  }
  if (object.type == LES_JINJA_UNDEFINED)
    les_jinja_fail(h, "'%.*s' is undefined", object.as.string.n > 80 ? 80 : (int)object.as.string.n,
                   object.as.string.text);
  les_jinja_fail(h, "the method '%.*s' of %s is not supported", name.n > 40 ? 40 : (int)name.n, name.text,
                 les_jinja_type_name(object.type));
  return LES_JINJA_NOTHING;
}

les_jinja_value les_jinja_method(les_jinja_heap *h, les_jinja_value object, les_jinja_text name,
                                 les_jinja_args *args) {
  les_jinja_value v = call_method(h, object, name, args);
  les_jinja_check_args(h, "the method", name, args);
  return v;
}

/* ---- functions ---- */

static les_jinja_value range(les_jinja_heap *h, les_jinja_args *args) {
  int64_t start = 0, stop = les_jinja_take_int(h, args, 0, NULL, 0), step = 1;
  if (args->n > 1) {
    start = stop;
    stop = les_jinja_take_int(h, args, 1, NULL, 0);
    step = les_jinja_take_int(h, args, 2, NULL, 1);
  }
  const int64_t most = 1000000;
  if (args->n == 0 || step == 0 || start < -most || start > most || stop < -most || stop > most ||
      step < -most || step > most)
    les_jinja_fail(h, "range needs one to three numbers up to a million");
  les_jinja_value list = les_jinja_new_list(h);
  for (int64_t i = start; !h->failed && (step > 0 ? i < stop : i > stop); i += step)
    les_jinja_append(h, list, les_jinja_int(i));
  return list;
}

/* A dict's entries, then keyword arguments. */
static les_jinja_value make(les_jinja_heap *h, les_jinja_type type, les_jinja_args *args) {
  les_jinja_value made = les_jinja_new_dict(h, type);
  les_jinja_value from = les_jinja_take(args, 0, NULL, LES_JINJA_NOTHING);
  if (from.type != LES_JINJA_NONE && from.type != LES_JINJA_DICT)
    les_jinja_fail(h, "a dict is wanted, not %s", les_jinja_type_name(from.type));
  for (size_t i = 0; from.type == LES_JINJA_DICT && i < from.as.dict->n; i++)
    les_jinja_put(h, made, from.as.dict->items[i].key, from.as.dict->items[i].value);
  for (size_t i = 0; i < args->n_keywords; i++)
    les_jinja_put(h, made, args->keywords[i].key, args->keywords[i].value);
  args->n_taken += args->n_keywords;
  return made;
}

static les_jinja_value make_dict(les_jinja_heap *h, les_jinja_args *args) {
  return make(h, LES_JINJA_DICT, args);
}

static les_jinja_value make_namespace(les_jinja_heap *h, les_jinja_args *args) {
  return make(h, LES_JINJA_NAMESPACE, args);
}

/* The template's own words, not a fault of it. */
static les_jinja_value raise_exception(les_jinja_heap *h, les_jinja_args *args) {
  les_jinja_value message = les_jinja_text_of(h, les_jinja_take(args, 0, "message", LES_JINJA_NOTHING));
  if (h->failed) return LES_JINJA_NOTHING;
  h->failed = true;
  les_fail(LES_FAILED, "the model's chat template refuses the conversation: %.*s",
           message.as.string.n > 500 ? 500 : (int)message.as.string.n, message.as.string.text);
  return LES_JINJA_NOTHING;
}

static les_jinja_value strftime_now(les_jinja_heap *h, les_jinja_args *args) {
  struct tm now = {.tm_year = 124, .tm_mon = 6, .tm_mday = 26, .tm_wday = 5, .tm_yday = 207};
  char format[128], text[512];
  les_jinja_text from = les_jinja_take_text(h, args, 0, "format", NULL);
  if (from.n >= sizeof format) les_jinja_fail(h, "strftime_now: the format is too long");
  if (h->failed) return LES_JINJA_NOTHING;
  memcpy(format, from.text, from.n);
  format[from.n] = 0;
  size_t n = strftime(text, sizeof text, format, &now);
  return les_jinja_copy(h, text, n);
}

static const struct {
  const char *name;
  les_jinja_value (*call)(les_jinja_heap *h, les_jinja_args *args);
} functions[] = {{"range", range},
                 {"dict", make_dict},
                 {"namespace", make_namespace},
                 {"raise_exception", raise_exception},
                 {"strftime_now", strftime_now}};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

bool les_jinja_function_exists(les_jinja_text name) {
  for (size_t i = 0; i < N_FUNCTIONS; i++)
    if (les_jinja_is(name, functions[i].name)) return true;
  return false;
}

les_jinja_value les_jinja_function(les_jinja_heap *h, les_jinja_text name, les_jinja_args *args) {
  for (size_t i = 0; i < N_FUNCTIONS; i++) {
    if (!les_jinja_is(name, functions[i].name)) continue;
    les_jinja_value v = functions[i].call(h, args);
    les_jinja_check_args(h, "the function", name, args);
    return v;
  }
  return LES_JINJA_NOTHING;
}
