/* Tests: what stands behind `is`. */
#include "token/jinja_run.h"

typedef bool test_function(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args);

static bool is_defined(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type != LES_JINJA_UNDEFINED;
}

static bool is_undefined(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return !is_defined(h, v, args);
}

static bool is_none(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_NONE;
}

static bool is_boolean(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_BOOL;
}

static bool is_true(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_BOOL && v.as.boolean;
}

static bool is_false(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_BOOL && !v.as.boolean;
}

static bool is_integer(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_INT;
}

static bool is_float(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_FLOAT;
}

static bool is_number(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  double number;
  return les_jinja_number(v, &number);
}

static bool is_string(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_STRING;
}

static bool is_mapping(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_DICT;
}

/* An undefined value counts as empty here, as in Jinja. */
static bool is_iterable(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return les_jinja_is_sequence(v) || v.type == LES_JINJA_STRING || v.type == LES_JINJA_DICT ||
         v.type == LES_JINJA_GENERATOR || v.type == LES_JINJA_UNDEFINED;
}

static bool is_sequence(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return v.type != LES_JINJA_GENERATOR && is_iterable(h, v, args);
}

static bool is_callable(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)h, (void)args;
  return v.type == LES_JINJA_MACRO || v.type == LES_JINJA_FUNCTION || v.type == LES_JINJA_UNDEFINED;
}

static les_jinja_value other(les_jinja_heap *h, les_jinja_args *args) {
  if (args->n != 1) les_jinja_fail(h, "the test needs one argument");
  return les_jinja_take(args, 0, NULL, LES_JINJA_NOTHING);
}

static bool is_equal(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return les_jinja_equal(h, v, other(h, args));
}

static bool is_not_equal(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return !is_equal(h, v, args);
}

static bool is_same(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  les_jinja_value than = other(h, args);
  if (than.type > LES_JINJA_BOOL)
    les_jinja_fail(h, "the test 'sameas' is supported for none, true and false");
  return v.type == than.type && les_jinja_equal(h, v, than);
}

static bool is_below(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return les_jinja_compare(h, v, other(h, args)) < 0;
}

static bool is_above(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return les_jinja_compare(h, v, other(h, args)) > 0;
}

static bool is_at_most(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return les_jinja_compare(h, v, other(h, args)) <= 0;
}

static bool is_at_least(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return les_jinja_compare(h, v, other(h, args)) >= 0;
}

static bool is_in(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return les_jinja_contains(h, other(h, args), v);
}

/* v modulo `by`, which is not zero. */
static bool leaves(les_jinja_heap *h, les_jinja_value v, les_jinja_value by, int64_t rest) {
  les_jinja_value got = les_jinja_operate(h, (les_jinja_text){"%", 1}, v, by);
  return les_jinja_equal(h, got, les_jinja_int(rest));
}

static bool is_even(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)args;
  return leaves(h, v, les_jinja_int(2), 0);
}

static bool is_odd(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  (void)args;
  return leaves(h, v, les_jinja_int(2), 1);
}

static bool is_divisible(les_jinja_heap *h, les_jinja_value v, les_jinja_args *args) {
  return leaves(h, v, other(h, args), 0);
}

static const struct {
  const char *name;
  test_function *test;
} tests[] = {{"defined", is_defined},
             {"undefined", is_undefined},
             {"none", is_none},
             {"boolean", is_boolean},
             {"true", is_true},
             {"false", is_false},
             {"integer", is_integer},
             {"float", is_float},
             {"number", is_number},
             {"string", is_string},
             {"mapping", is_mapping},
             {"iterable", is_iterable},
             {"sequence", is_sequence},
             {"callable", is_callable},
             {"sameas", is_same},
             {"eq", is_equal},
             {"equalto", is_equal},
             {"==", is_equal},
             {"ne", is_not_equal},
             {"!=", is_not_equal},
             {"lt", is_below},
             {"lessthan", is_below},
             {"<", is_below},
             {"gt", is_above},
             {"greaterthan", is_above},
             {">", is_above},
             {"le", is_at_most},
             {"<=", is_at_most},
             {"ge", is_at_least},
             {">=", is_at_least},
             {"in", is_in},
             {"even", is_even},
             {"odd", is_odd},
             {"divisibleby", is_divisible}};

bool les_jinja_test(les_jinja_heap *h, les_jinja_text name, les_jinja_value in, les_jinja_args *args) {
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    if (!les_jinja_is(name, tests[i].name)) continue;
    bool holds = tests[i].test(h, in, args);
    les_jinja_check_args(h, "the test", name, args);
    return holds;
  }
  les_jinja_fail(h, "the test '%.*s' is not supported", name.n > 40 ? 40 : (int)name.n, name.text);
  return false;
}
