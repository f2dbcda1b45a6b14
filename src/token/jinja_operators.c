/* Operators, slices and the operations on text that filters and methods share; as Python has them. */
#include "base/text.h"
#include "token/jinja_run.h"

#include <math.h>
#include <string.h>
#include <utf8proc.h>

static les_jinja_value unsupported(les_jinja_heap *h, les_jinja_text op, les_jinja_value a,
                                   les_jinja_value b) {
  if (a.type == LES_JINJA_UNDEFINED || b.type == LES_JINJA_UNDEFINED) {
    les_jinja_text name = a.type == LES_JINJA_UNDEFINED ? a.as.string : b.as.string;
    les_jinja_fail(h, "'%.*s' is undefined", name.n > 80 ? 80 : (int)name.n, name.text);
  }
  les_jinja_fail(h, "%s %.*s %s is not supported", les_jinja_type_name(a.type), (int)op.n, op.text,
                 les_jinja_type_name(b.type));
  return LES_JINJA_NOTHING;
}

les_jinja_value les_jinja_text_of(les_jinja_heap *h, les_jinja_value v) {
  les_buffer text = {0};
  if (v.type == LES_JINJA_STRING) return v;
  les_jinja_print(h, v, &text);
  return les_jinja_take_buffer(h, &text);
}

static les_jinja_value join_texts(les_jinja_heap *h, les_jinja_value a, les_jinja_value b) {
  les_buffer text = {0};
  les_jinja_print(h, a, &text);
  les_jinja_print(h, b, &text);
  return les_jinja_take_buffer(h, &text);
}

static les_jinja_value join_lists(les_jinja_heap *h, les_jinja_value a, les_jinja_value b) {
  les_jinja_value list = les_jinja_new_list(h);
  for (size_t i = 0; i < a.as.list->n && !h->failed; i++) les_jinja_append(h, list, a.as.list->items[i]);
  for (size_t i = 0; i < b.as.list->n && !h->failed; i++) les_jinja_append(h, list, b.as.list->items[i]);
  if (list.type == LES_JINJA_LIST) list.type = a.type;
  return list;
}

static les_jinja_value repeat(les_jinja_heap *h, les_jinja_value v, int64_t times) {
  les_buffer text = {0};
  for (int64_t i = 0; i < times && !h->failed; i++) les_jinja_print(h, v, &text);
  return les_jinja_take_buffer(h, &text);
}

/* Python rounds quotients down, and a remainder has the divisor's sign. */
static les_jinja_value divide(les_jinja_heap *h, char op, int64_t a, int64_t b) {
  if (b == 0 || (b == -1 && a == INT64_MIN)) {
    les_jinja_fail(h, "division by zero, or out of range");
    return LES_JINJA_NOTHING;
  }
  int64_t quotient = a / b, rest = a % b;
  bool down = rest && (rest < 0) != (b < 0);
  if (op == '%') return les_jinja_int(down ? rest + b : rest);
  return les_jinja_int(down ? quotient - 1 : quotient);
}

static les_jinja_value on_integers(les_jinja_heap *h, les_jinja_text op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflow;
  switch (op.text[0]) {
  case '+':
    overflow = __builtin_add_overflow(a, b, &out);
    break;
  case '-':
    overflow = __builtin_sub_overflow(a, b, &out);
    break;
  case '*':
    overflow = __builtin_mul_overflow(a, b, &out);
    break;
  default:
    return divide(h, op.text[0], a, b);
  }
  if (overflow) les_jinja_fail(h, "an integer is out of range");
  return les_jinja_int(out);
}

static les_jinja_value on_floats(les_jinja_heap *h, les_jinja_text op, double a, double b) {
  bool division = op.text[0] == '/' || op.text[0] == '%';
  if (division && b == 0) les_jinja_fail(h, "division by zero");
  if (les_jinja_is(op, "//")) return les_jinja_float(floor(a / b));
  double rest;
  switch (op.text[0]) {
  case '+':
    return les_jinja_float(a + b);
  case '-':
    return les_jinja_float(a - b);
  case '*':
    return les_jinja_float(a * b);
  case '/':
    return les_jinja_float(a / b);
  default:
    rest = fmod(a, b);
    return les_jinja_float(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
  }
}

les_jinja_value les_jinja_operate(les_jinja_heap *h, les_jinja_text op, les_jinja_value a,
                                  les_jinja_value b) {
  int64_t x, y;
  double u, v;
  bool plus = les_jinja_is(op, "+"), times = les_jinja_is(op, "*");
  if (les_jinja_is(op, "~")) return join_texts(h, a, b);
  if (a.safe || b.safe)
    les_jinja_fail(h, "%.*s with a safe text, which escapes the other one, is not supported", (int)op.n,
                   op.text);
  if (les_jinja_integer(a, &x) && les_jinja_integer(b, &y) && !les_jinja_is(op, "/"))
    return on_integers(h, op, x, y);
  if (les_jinja_number(a, &u) && les_jinja_number(b, &v)) return on_floats(h, op, u, v);
  if (plus && a.type == LES_JINJA_STRING && b.type == LES_JINJA_STRING) return join_texts(h, a, b);
  if (plus && les_jinja_is_sequence(a) && a.type == b.type) return join_lists(h, a, b);
  if (times && a.type == LES_JINJA_STRING && les_jinja_integer(b, &y)) return repeat(h, a, y);
  if (times && b.type == LES_JINJA_STRING && les_jinja_integer(a, &x)) return repeat(h, b, x);
  return unsupported(h, op, a, b);
}

/* ---- slices ---- */

/* A bound within [low, high], counted from the end if negative; none: `fallback`. */
static int64_t bound(les_jinja_heap *h, les_jinja_value v, int64_t n, int64_t low, int64_t high,
                     int64_t fallback) {
  int64_t at;
  if (v.type == LES_JINJA_NONE) return fallback;
  if (!les_jinja_integer(v, &at)) {
    les_jinja_fail(h, "a slice is bounded by %s", les_jinja_type_name(v.type));
    return fallback;
  }
  if (at < 0) at = at < -n ? low : at + n;
  return at < low ? low : at > high ? high : at;
}

les_jinja_value les_jinja_slice(les_jinja_heap *h, les_jinja_value value, les_jinja_value start,
                                les_jinja_value stop, les_jinja_value step) {
  int64_t by = 1;
  if (value.safe) les_jinja_fail(h, "a slice of a safe text is not supported");
  if (value.type == LES_JINJA_UNDEFINED ||
      !(les_jinja_is_sequence(value) || value.type == LES_JINJA_STRING)) {
    les_jinja_fail(h, "%s cannot be sliced", les_jinja_type_name(value.type));
    return LES_JINJA_NOTHING;
  }
  if (step.type != LES_JINJA_NONE &&
      (!les_jinja_integer(step, &by) || by == 0 || by < -(1 << 30) || by > 1 << 30))
    les_jinja_fail(h, "the step of a slice is no integer that it can have");
  const les_jinja_list *all = les_jinja_items(h, value);
  if (!all) return LES_JINJA_NOTHING;
  int64_t n = (int64_t)all->n, low = by > 0 ? 0 : -1, high = by > 0 ? n : n - 1;
  int64_t from = bound(h, start, n, low, high, by > 0 ? low : high),
          to = bound(h, stop, n, low, high, by > 0 ? high : low);
  les_jinja_value list = les_jinja_new_list(h);
  les_buffer text = {0};
  for (int64_t i = from; (by > 0 ? i < to : i > to) && !h->failed; i += by) {
    if (value.type == LES_JINJA_STRING)
      les_jinja_print(h, all->items[i], &text);
    else
      les_jinja_append(h, list, all->items[i]);
  }
  if (value.type == LES_JINJA_STRING) return les_jinja_take_buffer(h, &text);
  if (list.type == LES_JINJA_LIST) list.type = value.type;
  return list;
}

/* ---- text ---- */

static bool among(les_jinja_text chars, const char *c, size_t n) {
  return memmem(chars.text, chars.n, c, n) != NULL;
}

les_jinja_value les_jinja_strip(les_jinja_heap *h, les_jinja_text s, les_jinja_value chars, bool left,
                                bool right) {
  if (!les_jinja_charge(h, s.n / 16)) return LES_JINJA_NOTHING;
  if (chars.type == LES_JINJA_NONE) {
    size_t lead = left ? les_text_leading(s.text, s.n, les_is_python_space) : 0;
    s.n -= lead;
    s.text += lead;
    if (right) s.n -= les_text_trailing(s.text, s.n, les_is_python_space);
    return les_jinja_string(s.text, s.n);
  }
  if (chars.type != LES_JINJA_STRING) {
    les_jinja_fail(h, "the characters to strip are %s", les_jinja_type_name(chars.type));
    return LES_JINJA_NOTHING;
  }
  while (left && s.n) {
    size_t n = les_utf8_next(s.text, s.n, NULL);
    if (!among(chars.as.string, s.text, n) || !les_jinja_charge(h, 1)) break;
    s.text += n;
    s.n -= n;
  }
  while (right && s.n) {
    size_t at = les_utf8_back(s.text, s.n);
    if (!among(chars.as.string, s.text + at, s.n - at) || !les_jinja_charge(h, 1)) break;
    s.n = at;
  }
  return les_jinja_string(s.text, s.n);
}

les_jinja_value les_jinja_replace(les_jinja_heap *h, les_jinja_text s, les_jinja_text old, les_jinja_text new,
                                  int64_t most) {
  les_buffer out = {0};
  if (!old.n) les_jinja_fail(h, "replace: there is nothing to be replaced");
  if (!les_jinja_charge(h, s.n / 16)) return LES_JINJA_NOTHING;
  for (const char *hit; most != 0 && (hit = memmem(s.text, s.n, old.text, old.n)); most--) {
    if (!les_jinja_charge(h, 1 + new.n / 64)) break;
    les_buffer_append(&out, s.text, (size_t)(hit - s.text));
    les_buffer_append(&out, new.text, new.n);
    s.n -= (size_t)(hit - s.text) + old.n;
    s.text = hit + old.n;
  }
  les_buffer_append(&out, s.text, s.n);
  return les_jinja_take_buffer(h, &out);
}

/* By Unicode's simple mapping, but the sharp s, which has no single capital letter in use. */
les_jinja_value les_jinja_case(les_jinja_heap *h, les_jinja_text s, int32_t (*map)(int32_t)) {
  les_buffer out = {0};
  if (!les_jinja_charge(h, s.n / 4)) return LES_JINJA_NOTHING;
  for (size_t at = 0; at < s.n;) {
    int32_t c;
    at += les_utf8_next(s.text + at, s.n - at, &c);
    if (c == 0xdf && map == utf8proc_toupper)
      les_buffer_append(&out, "SS", 2);
    else
      les_buffer_append_codepoint(&out, map(c));
  }
  return les_jinja_take_buffer(h, &out);
}

les_jinja_value les_jinja_capitalize(les_jinja_heap *h, les_jinja_text s) {
  size_t n = s.n ? les_utf8_next(s.text, s.n, NULL) : 0;
  return join_texts(h, les_jinja_case(h, (les_jinja_text){s.text, n}, utf8proc_totitle),
                    les_jinja_case(h, (les_jinja_text){s.text + n, s.n - n}, utf8proc_tolower));
}

les_jinja_value les_jinja_pairs(les_jinja_heap *h, const les_jinja_dict *dict) {
  les_jinja_value list = les_jinja_new_list(h);
  for (size_t i = 0; i < dict->n && !h->failed; i++) {
    les_jinja_value pair = les_jinja_new_list(h);
    les_jinja_append(h, pair, dict->items[i].key);
    les_jinja_append(h, pair, dict->items[i].value);
    if (pair.type == LES_JINJA_LIST) pair.type = LES_JINJA_TUPLE;
    les_jinja_append(h, list, pair);
  }
  return list;
}
