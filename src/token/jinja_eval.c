/* The value of an expression. */
#include "token/jinja_run.h"

#include <string.h>

les_jinja_value les_jinja_take(les_jinja_args *args, size_t position, const char *name,
                               les_jinja_value fallback) {
  if (position < args->n) {
    args->n_taken++;
    return args->items[position];
  }
  for (size_t i = 0; name && i < args->n_keywords; i++)
    if (les_jinja_is(args->keywords[i].key.as.string, name)) {
      args->n_taken++;
      return args->keywords[i].value;
    }
  return fallback;
}

int64_t les_jinja_take_int(les_jinja_heap *h, les_jinja_args *args, size_t position, const char *name,
                           int64_t fallback) {
  les_jinja_value v = les_jinja_take(args, position, name, les_jinja_int(fallback));
  int64_t integer = fallback;
  if (!les_jinja_integer(v, &integer))
    les_jinja_fail(h, "an integer is wanted, not %s", les_jinja_type_name(v.type));
  return integer;
}

les_jinja_text les_jinja_take_text(les_jinja_heap *h, les_jinja_args *args, size_t position, const char *name,
                                   const char *fallback) {
  les_jinja_value missing = fallback ? les_jinja_string(fallback, strlen(fallback)) : LES_JINJA_NOTHING;
  les_jinja_value v = les_jinja_take(args, position, name, missing);
  if (v.type == LES_JINJA_STRING) return v.as.string;
  les_jinja_fail(h, "a string is wanted, not %s", les_jinja_type_name(v.type));
  return (les_jinja_text){"", 0};
}

void les_jinja_check_args(les_jinja_heap *h, const char *what, les_jinja_text name,
                          const les_jinja_args *args) {
  if (args->n_taken != args->n + args->n_keywords)
    les_jinja_fail(h, "%s '%.*s' has an argument that is not supported", what, name.n > 40 ? 40 : (int)name.n,
                   name.text);
}

static les_jinja_args eval_args(les_jinja_run *r, const les_jinja_node *items) {
  les_jinja_args args = {0};
  size_t n = 0;
  for (const les_jinja_node *i = items; i; i = i->next) n++;
  args.items = les_jinja_alloc(&r->heap, n, sizeof *args.items);
  args.keywords = les_jinja_alloc(&r->heap, n, sizeof *args.keywords);
  for (const les_jinja_node *i = items; i && !r->heap.failed; i = i->next) {
    if (i->kind == LES_JINJA_KEYWORD)
      args.keywords[args.n_keywords++] =
          (les_jinja_pair){les_jinja_string(i->name.text, i->name.n), les_jinja_eval(r, i->a)};
    else if (args.n_keywords)
      les_jinja_fail(&r->heap, "an argument without a name follows one with a name");
    else
      args.items[args.n++] = les_jinja_eval(r, i);
  }
  return args;
}

static les_jinja_value lookup(les_jinja_run *r, les_jinja_text name) {
  les_jinja_value key = les_jinja_string(name.text, name.n);
  const les_jinja_value *found = NULL;
  for (const les_jinja_scope *s = r->scope; s && !found && les_jinja_charge(&r->heap, 1); s = s->outer)
    found = les_jinja_find(&r->heap, s->names.as.dict, key);
  if (!found && !r->heap.failed) found = les_jinja_find(&r->heap, r->variables.as.dict, key);
  if (found) return *found;
  if (les_jinja_function_exists(name))
    return (les_jinja_value){.type = LES_JINJA_FUNCTION, .as = {.string = name}};
  static const char *const unsupported[] = {"caller", "varargs", "kwargs", "self",
                                            "lipsum", "cycler",  "joiner"};
  for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
    if (les_jinja_is(name, unsupported[i])) les_jinja_fail(&r->heap, "'%s' is not supported", unsupported[i]);
  return les_jinja_undefined(name);
}

static les_jinja_value make_list(les_jinja_run *r, const les_jinja_node *node) {
  les_jinja_value list = les_jinja_new_list(&r->heap);
  for (const les_jinja_node *i = node->items; i && !r->heap.failed; i = i->next)
    les_jinja_append(&r->heap, list, les_jinja_eval(r, i));
  if (node->kind == LES_JINJA_MAKE_TUPLE && list.type == LES_JINJA_LIST) list.type = LES_JINJA_TUPLE;
  return list;
}

static les_jinja_value make_dict(les_jinja_run *r, const les_jinja_node *node) {
  les_jinja_value dict = les_jinja_new_dict(&r->heap, LES_JINJA_DICT);
  for (const les_jinja_node *i = node->items; i && i->next && !r->heap.failed; i = i->next->next) {
    les_jinja_value key = les_jinja_eval(r, i);
    les_jinja_put(&r->heap, dict, key, les_jinja_eval(r, i->next));
  }
  return dict;
}

static les_jinja_value loop_attribute(les_jinja_heap *h, const les_jinja_loop *loop, les_jinja_text name) {
  int64_t at = (int64_t)loop->at, n = (int64_t)loop->items->n;
  const struct {
    const char *name;
    les_jinja_value value;
  } known[] = {
      {"index", les_jinja_int(at + 1)},    {"index0", les_jinja_int(at)},
      {"revindex", les_jinja_int(n - at)}, {"revindex0", les_jinja_int(n - at - 1)},
      {"first", les_jinja_bool(at == 0)},  {"last", les_jinja_bool(at == n - 1)},
      {"length", les_jinja_int(n)},        {"depth", les_jinja_int(1)},
      {"depth0", les_jinja_int(0)},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (les_jinja_is(name, known[i].name)) return known[i].value;
  if (les_jinja_is(name, "previtem")) return at > 0 ? loop->items->items[at - 1] : les_jinja_undefined(name);
  if (les_jinja_is(name, "nextitem"))
    return at < n - 1 ? loop->items->items[at + 1] : les_jinja_undefined(name);
  les_jinja_fail(h, "'loop.%.*s' is not supported", name.n > 40 ? 40 : (int)name.n, name.text);
  return LES_JINJA_NOTHING;
}

static void fail_undefined(les_jinja_heap *h, les_jinja_value v) {
  les_jinja_fail(h, "'%.*s' is undefined", v.as.string.n > 80 ? 80 : (int)v.as.string.n, v.as.string.text);
}

les_jinja_value les_jinja_attribute(les_jinja_heap *h, les_jinja_value value, les_jinja_text name) {
  if (value.type == LES_JINJA_UNDEFINED) fail_undefined(h, value);
  if (value.type == LES_JINJA_LOOP) return loop_attribute(h, value.as.loop, name);
  if (les_jinja_is_method(value, name))
    les_jinja_fail(h, "the method '%.*s' can only be called", (int)name.n, name.text);
  if (value.type != LES_JINJA_DICT && value.type != LES_JINJA_NAMESPACE) return les_jinja_undefined(name);
  const les_jinja_value *found = les_jinja_find(h, value.as.dict, les_jinja_string(name.text, name.n));
  return found ? *found : les_jinja_undefined(name);
}

les_jinja_value les_jinja_item(les_jinja_heap *h, les_jinja_value value, les_jinja_value key) {
  static const les_jinja_text item = {"an item", 7};
  les_jinja_text name = key.type == LES_JINJA_STRING ? key.as.string : item;
  int64_t at;
  if (value.type == LES_JINJA_UNDEFINED) fail_undefined(h, value);
  if (value.type == LES_JINJA_DICT || value.type == LES_JINJA_NAMESPACE) {
    const les_jinja_value *found = les_jinja_find(h, value.as.dict, key);
    return found ? *found : les_jinja_undefined(name);
  }
  if (!les_jinja_integer(key, &at) || !(les_jinja_is_sequence(value) || value.type == LES_JINJA_STRING))
    return key.type == LES_JINJA_STRING ? les_jinja_attribute(h, value, name) : les_jinja_undefined(name);
  const les_jinja_list *items = les_jinja_items(h, value);
  if (items && at < 0) at += (int64_t)items->n;
  return items && at >= 0 && at < (int64_t)items->n ? items->items[at] : les_jinja_undefined(name);
}

/* The scope of a macro's call: its parameters with arguments or defaults. */
static les_jinja_scope *bind(les_jinja_run *r, const les_jinja_macro *macro, les_jinja_args *args) {
  les_jinja_scope *scope = les_jinja_scope_new(r, macro->scope), *caller = r->scope;
  size_t position = 0;
  for (const les_jinja_node *i = macro->node->items; i && scope && !r->heap.failed; i = i->next, position++) {
    char name[64];
    if (i->name.n >= sizeof name) les_jinja_fail(&r->heap, "the name of a macro's parameter is too long");
    if (r->heap.failed) break;
    memcpy(name, i->name.text, i->name.n);
    name[i->name.n] = 0;
    size_t taken = args->n_taken;
    les_jinja_value v = les_jinja_take(args, position, name, les_jinja_undefined(i->name));
    r->scope = scope;
    if (args->n_taken == taken && i->a) v = les_jinja_eval(r, i->a);
    r->scope = caller;
    les_jinja_put(&r->heap, scope->names, les_jinja_string(i->name.text, i->name.n), v);
  }
  les_jinja_check_args(&r->heap, "the macro", macro->node->name, args);
  return scope;
}

static les_jinja_value call_macro(les_jinja_run *r, const les_jinja_macro *macro, les_jinja_args *args) {
  les_jinja_scope *scope = bind(r, macro, args);
  les_jinja_value text = r->heap.failed ? LES_JINJA_NOTHING : les_jinja_capture(r, macro->node->body, scope);
  return text;
}

static les_jinja_value call(les_jinja_run *r, const les_jinja_node *node) {
  const les_jinja_node *what = node->a;
  les_jinja_value callee;
  if (what->kind == LES_JINJA_ATTRIBUTE) {
    les_jinja_value object = les_jinja_eval(r, what->a);
    les_jinja_args args = eval_args(r, node->items);
    r->heap.line = node->line;
    if (r->heap.failed) return LES_JINJA_NOTHING;
    if (object.type != LES_JINJA_NAMESPACE) return les_jinja_method(&r->heap, object, what->name, &args);
    callee = les_jinja_attribute(&r->heap, object, what->name);
  } else {
    callee = les_jinja_eval(r, what);
  }
  les_jinja_args args = eval_args(r, node->items);
  r->heap.line = node->line;
  if (r->heap.failed) return LES_JINJA_NOTHING;
  if (callee.type == LES_JINJA_FUNCTION) return les_jinja_function(&r->heap, callee.as.string, &args);
  if (callee.type == LES_JINJA_MACRO) return call_macro(r, callee.as.macro, &args);
  if (callee.type == LES_JINJA_UNDEFINED) fail_undefined(&r->heap, callee);
  les_jinja_fail(&r->heap, "%s cannot be called", les_jinja_type_name(callee.type));
  return LES_JINJA_NOTHING;
}

les_jinja_value les_jinja_apply_filters(les_jinja_run *r, const les_jinja_node *filter,
                                        les_jinja_value value) {
  if (!filter) return value;
  if (filter->kind != LES_JINJA_FILTER) return les_jinja_eval(r, filter);
  les_jinja_value in = les_jinja_enter(&r->heap) ? les_jinja_apply_filters(r, filter->a, value) : value;
  les_jinja_leave(&r->heap);
  les_jinja_args args = eval_args(r, filter->items);
  r->heap.line = filter->line;
  return r->heap.failed ? LES_JINJA_NOTHING : les_jinja_filter(&r->heap, filter->name, in, &args);
}

static bool holds(les_jinja_heap *h, les_jinja_text op, les_jinja_value a, les_jinja_value b) {
  if (les_jinja_is(op, "==")) return les_jinja_equal(h, a, b);
  if (les_jinja_is(op, "!=")) return !les_jinja_equal(h, a, b);
  if (les_jinja_is(op, "in")) return les_jinja_contains(h, b, a);
  if (les_jinja_is(op, "not in")) return !les_jinja_contains(h, b, a);
  int order = les_jinja_compare(h, a, b);
  if (les_jinja_is(op, "<")) return order < 0;
  if (les_jinja_is(op, "<=")) return order <= 0;
  return les_jinja_is(op, ">") ? order > 0 : order >= 0;
}

static les_jinja_value compare(les_jinja_run *r, const les_jinja_node *node) {
  les_jinja_value left = les_jinja_eval(r, node->a);
  for (const les_jinja_node *i = node->items; i && !r->heap.failed; i = i->next) {
    les_jinja_value right = les_jinja_eval(r, i->a);
    if (!holds(&r->heap, i->name, left, right)) return les_jinja_bool(false);
    left = right;
  }
  return les_jinja_bool(true);
}

static les_jinja_value negative(les_jinja_heap *h, les_jinja_value v, bool minus) {
  int64_t integer;
  if (les_jinja_integer(v, &integer) && integer != INT64_MIN)
    return les_jinja_int(minus ? -integer : integer);
  if (v.type == LES_JINJA_FLOAT) return les_jinja_float(minus ? -v.as.number : v.as.number);
  les_jinja_fail(h, "a sign stands before %s", les_jinja_type_name(v.type));
  return v;
}

static les_jinja_value optional(les_jinja_run *r, const les_jinja_node *node) {
  return node ? les_jinja_eval(r, node) : LES_JINJA_NOTHING;
}

static les_jinja_value eval_test(les_jinja_run *r, const les_jinja_node *node) {
  les_jinja_value in = les_jinja_eval(r, node->a);
  les_jinja_args args = eval_args(r, node->items);
  r->heap.line = node->line;
  return les_jinja_bool(!r->heap.failed && les_jinja_test(&r->heap, node->name, in, &args));
}

/* One side decides, or the other is the value. */
static les_jinja_value either(les_jinja_run *r, const les_jinja_node *node) {
  les_jinja_value left = les_jinja_eval(r, node->a);
  return les_jinja_true(left) == (node->kind == LES_JINJA_OR) ? left : les_jinja_eval(r, node->b);
}

static les_jinja_value choose(les_jinja_run *r, const les_jinja_node *node) {
  const les_jinja_node *chosen = les_jinja_true(les_jinja_eval(r, node->a)) ? node->b : node->c;
  return chosen ? les_jinja_eval(r, chosen) : les_jinja_undefined((les_jinja_text){"", 0});
}

/* Nodes of which all parts are evaluated first. */
static les_jinja_value eval_parts(les_jinja_run *r, const les_jinja_node *node) {
  les_jinja_heap *h = &r->heap;
  les_jinja_value a = les_jinja_eval(r, node->a), b = optional(r, node->b), c = optional(r, node->c),
                  d = optional(r, node->d);
  h->line = node->line;
  if (h->failed) return LES_JINJA_NOTHING;
  switch (node->kind) {
  case LES_JINJA_ATTRIBUTE:
    return les_jinja_attribute(h, a, node->name);
  case LES_JINJA_ITEM:
    return les_jinja_item(h, a, b);
  case LES_JINJA_SLICE:
    return les_jinja_slice(h, a, b, c, d);
  case LES_JINJA_NOT:
    return les_jinja_bool(!les_jinja_true(a));
  case LES_JINJA_MINUS:
  case LES_JINJA_PLUS:
    return negative(h, a, node->kind == LES_JINJA_MINUS);
  default:
    return les_jinja_operate(h, node->name, a, b);
  }
}

static les_jinja_value eval(les_jinja_run *r, const les_jinja_node *node) {
  r->heap.line = node->line;
  switch (node->kind) {
  case LES_JINJA_CONSTANT:
    return node->value;
  case LES_JINJA_VARIABLE:
    return lookup(r, node->name);
  case LES_JINJA_MAKE_LIST:
  case LES_JINJA_MAKE_TUPLE:
    return make_list(r, node);
  case LES_JINJA_MAKE_DICT:
    return make_dict(r, node);
  case LES_JINJA_CALL:
    return call(r, node);
  case LES_JINJA_FILTER:
    return les_jinja_apply_filters(r, node, LES_JINJA_NOTHING);
  case LES_JINJA_TEST:
    return eval_test(r, node);
  case LES_JINJA_AND:
  case LES_JINJA_OR:
    return either(r, node);
  case LES_JINJA_COMPARISON:
    return compare(r, node);
  case LES_JINJA_CHOICE:
    return choose(r, node);
  default:
    return eval_parts(r, node);
  }
}

les_jinja_value les_jinja_eval(les_jinja_run *r, const les_jinja_node *node) {
  les_jinja_value v = node && les_jinja_enter(&r->heap) ? eval(r, node) : LES_JINJA_NOTHING;
  if (node) les_jinja_leave(&r->heap);
  return v;
}
