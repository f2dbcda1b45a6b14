/* Expressions, with Jinja's precedence: choice, or, and, not, comparisons, + and -, ~, * / // %, unary minus,
 * then subscripts, calls, filters and tests. */
#include "token/jinja_ast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static les_jinja_node *parse_unary(les_jinja_parser *p, bool with_filters);
static les_jinja_node *parse_primary(les_jinja_parser *p);

static les_jinja_node *binary(les_jinja_parser *p, les_jinja_kind kind, les_jinja_node *a,
                              les_jinja_text name) {
  les_jinja_node *node = les_jinja_node_new(p, kind);
  if (!node) return NULL;
  node->a = a;
  node->name = name;
  return node;
}

/* Operators of one level of precedence, taken from the left. */
typedef struct level {
  const char *operators[5];
} level;
static const level levels[] = {{{"+", "-"}}, {{"~"}}, {{"*", "//", "/", "%"}}};
enum { N_LEVELS = sizeof levels / sizeof *levels };

static bool at_any(const les_jinja_parser *p, const char *const *names) {
  for (; *names; names++)
    if (les_jinja_at(p, *names)) return true;
  return false;
}

static les_jinja_node *parse_level(les_jinja_parser *p, int depth) {
  if (depth == N_LEVELS) {
    les_jinja_node *node = parse_unary(p, true);
    if (les_jinja_at(p, "**")) les_jinja_fail(p->h, "the operator ** is not supported");
    return node;
  }
  les_jinja_node *left = parse_level(p, depth + 1);
  while (!p->h->failed && at_any(p, levels[depth].operators)) {
    les_jinja_node *node = binary(p, LES_JINJA_BINARY, left, p->at->text);
    p->at++;
    if (node) node->b = parse_level(p, depth + 1);
    left = node;
  }
  return left;
}

/* One more part of a comparison: an operator and what is behind it; NULL: there is none. */
static les_jinja_node *parse_comparison(les_jinja_parser *p) {
  static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">", "in", NULL};
  les_jinja_text name = p->at->text;
  if (at_any(p, operators)) {
    p->at++;
  } else if (les_jinja_at(p, "not") && p->at[1].kind == LES_JINJA_NAME && les_jinja_is(p->at[1].text, "in")) {
    name = (les_jinja_text){"not in", 6};
    p->at += 2;
  } else {
    return NULL;
  }
  les_jinja_node *node = binary(p, LES_JINJA_KEYWORD, NULL, name);
  if (node) node->a = parse_level(p, 0);
  return node;
}

static les_jinja_node *parse_compare(les_jinja_parser *p) {
  les_jinja_node *left = parse_level(p, 0), *part;
  les_jinja_chain parts = {0};
  while (!p->h->failed && (part = parse_comparison(p))) les_jinja_chain_add(&parts, part);
  if (!parts.first) return left;
  les_jinja_node *node = binary(p, LES_JINJA_COMPARISON, left, (les_jinja_text){"", 0});
  if (node) node->items = parts.first;
  return node;
}

static les_jinja_node *parse_not(les_jinja_parser *p) {
  if (!les_jinja_at(p, "not")) return parse_compare(p);
  les_jinja_node *node = les_jinja_node_new(p, LES_JINJA_NOT);
  p->at++;
  if (node && les_jinja_enter(p->h)) node->a = parse_not(p);
  les_jinja_leave(p->h);
  return node;
}

static les_jinja_node *parse_and(les_jinja_parser *p) {
  les_jinja_node *left = parse_not(p);
  while (les_jinja_skip(p, "and")) {
    left = binary(p, LES_JINJA_AND, left, (les_jinja_text){"", 0});
    if (left) left->b = parse_not(p);
  }
  return left;
}

static les_jinja_node *parse_or(les_jinja_parser *p) {
  les_jinja_node *left = parse_and(p);
  while (les_jinja_skip(p, "or")) {
    left = binary(p, LES_JINJA_OR, left, (les_jinja_text){"", 0});
    if (left) left->b = parse_and(p);
  }
  return left;
}

static les_jinja_node *parse_choice(les_jinja_parser *p) {
  les_jinja_node *value = parse_or(p);
  while (les_jinja_skip(p, "if")) {
    les_jinja_node *node = les_jinja_node_new(p, LES_JINJA_CHOICE);
    if (!node) return NULL;
    node->b = value;
    node->a = parse_or(p);
    if (les_jinja_skip(p, "else")) node->c = les_jinja_parse_expression(p);
    value = node;
  }
  return value;
}

static les_jinja_node *nested(les_jinja_parser *p, les_jinja_node *(*parse)(les_jinja_parser *)) {
  les_jinja_node *node = les_jinja_enter(p->h) ? parse(p) : NULL;
  les_jinja_leave(p->h);
  return p->h->failed ? NULL : node;
}

les_jinja_node *les_jinja_parse_expression(les_jinja_parser *p) {
  return nested(p, parse_choice);
}

/* Whether a list with commas ends here. */
static bool at_tuple_end(const les_jinja_parser *p) {
  return p->at->kind == LES_JINJA_TAG_END || p->at->kind == LES_JINJA_PRINT_END || les_jinja_at(p, ")") ||
         les_jinja_at(p, "in") || les_jinja_at(p, "=");
}

static les_jinja_node *parse_tuple_of(les_jinja_parser *p, les_jinja_node *(*parse)(les_jinja_parser *),
                                      bool may_be_empty) {
  les_jinja_chain items = {0};
  bool tuple = may_be_empty && at_tuple_end(p);
  if (!tuple) les_jinja_chain_add(&items, nested(p, parse));
  while (les_jinja_skip(p, ",")) {
    tuple = true;
    if (at_tuple_end(p)) break;
    les_jinja_chain_add(&items, nested(p, parse));
  }
  if (!tuple) return items.first;
  les_jinja_node *node = les_jinja_node_new(p, LES_JINJA_MAKE_TUPLE);
  if (node) node->items = items.first;
  return node;
}

les_jinja_node *les_jinja_parse_tuple(les_jinja_parser *p, bool choice) {
  return parse_tuple_of(p, choice ? parse_choice : parse_or, false);
}

static les_jinja_node *parse_target_name(les_jinja_parser *p) {
  les_jinja_node *node = les_jinja_node_new(p, LES_JINJA_VARIABLE);
  if (node) node->name = les_jinja_expect_name(p);
  if (!node || !les_jinja_skip(p, ".")) return node;
  les_jinja_node *attribute = binary(p, LES_JINJA_ATTRIBUTE, node, les_jinja_expect_name(p));
  return attribute;
}

les_jinja_node *les_jinja_parse_target(les_jinja_parser *p) {
  if (!les_jinja_skip(p, "(")) return parse_tuple_of(p, parse_target_name, false);
  les_jinja_node *node = parse_tuple_of(p, parse_target_name, false);
  les_jinja_expect(p, ")");
  return node;
}

/* The arguments of a call, from its "(" on. */
static les_jinja_node *parse_arguments(les_jinja_parser *p) {
  les_jinja_chain items = {0};
  les_jinja_expect(p, "(");
  while (!p->h->failed && !les_jinja_at(p, ")")) {
    if (items.first) les_jinja_expect(p, ",");
    if (les_jinja_at(p, ")")) break;
    if (les_jinja_at(p, "*") || les_jinja_at(p, "**"))
      les_jinja_fail(p->h, "arguments with * are not supported");
    les_jinja_node *item;
    if (p->at->kind == LES_JINJA_NAME && p->at[1].kind == LES_JINJA_OPERATOR &&
        les_jinja_is(p->at[1].text, "=")) {
      item = binary(p, LES_JINJA_KEYWORD, NULL, p->at->text);
      p->at += 2;
      if (item) item->a = les_jinja_parse_expression(p);
    } else {
      item = les_jinja_parse_expression(p);
    }
    les_jinja_chain_add(&items, item);
  }
  les_jinja_expect(p, ")");
  return items.first;
}

/* From behind "[" to behind "]". */
static les_jinja_node *parse_subscript(les_jinja_parser *p, les_jinja_node *of) {
  les_jinja_node *node = binary(p, LES_JINJA_ITEM, of, (les_jinja_text){"", 0});
  if (!node) return NULL;
  if (!les_jinja_at(p, ":")) node->b = les_jinja_parse_expression(p);
  if (les_jinja_skip(p, ":")) {
    node->kind = LES_JINJA_SLICE;
    if (!les_jinja_at(p, "]") && !les_jinja_at(p, ":")) node->c = les_jinja_parse_expression(p);
    if (les_jinja_skip(p, ":") && !les_jinja_at(p, "]")) node->d = les_jinja_parse_expression(p);
  }
  les_jinja_expect(p, "]");
  return node;
}

static les_jinja_node *number(les_jinja_parser *p) {
  char text[64];
  les_jinja_text from = p->at->text;
  les_jinja_node *node = les_jinja_node_new(p, LES_JINJA_CONSTANT);
  if (!node) return NULL;
  if (from.n >= sizeof text) {
    les_jinja_fail(p->h, "a number is too long");
    return NULL;
  }
  memcpy(text, from.text, from.n);
  text[from.n] = 0;
  errno = 0;
  node->value =
      strchr(text, '.') ? les_jinja_float(strtod(text, NULL)) : les_jinja_int(strtoll(text, NULL, 10));
  if (errno) les_jinja_fail(p->h, "the number %s is too large", text);
  p->at++;
  return node;
}

static les_jinja_node *call(les_jinja_parser *p, les_jinja_node *node) {
  node = binary(p, LES_JINJA_CALL, node, (les_jinja_text){"", 0});
  if (node) node->items = parse_arguments(p);
  return node;
}

static les_jinja_node *parse_postfix(les_jinja_parser *p, les_jinja_node *node) {
  while (!p->h->failed) {
    if (les_jinja_at(p, "(")) {
      node = call(p, node);
    } else if (les_jinja_skip(p, "[")) {
      node = parse_subscript(p, node);
    } else if (les_jinja_skip(p, ".")) {
      bool index = p->at->kind == LES_JINJA_NUMBER;
      node = binary(p, index ? LES_JINJA_ITEM : LES_JINJA_ATTRIBUTE, node, p->at->text);
      if (node && index) node->b = number(p);
      if (!index) les_jinja_expect_name(p);
    } else {
      break;
    }
  }
  return node;
}

les_jinja_node *les_jinja_parse_filter(les_jinja_parser *p, les_jinja_node *of) {
  les_jinja_node *node = binary(p, LES_JINJA_FILTER, of, les_jinja_expect_name(p));
  if (node && les_jinja_at(p, "(")) node->items = parse_arguments(p);
  return node;
}

les_jinja_node *les_jinja_parse_filters(les_jinja_parser *p, les_jinja_node *node) {
  while (les_jinja_skip(p, "|")) node = les_jinja_parse_filter(p, node);
  return node;
}

/* Behind `is`. One argument may stand there without brackets. */
static les_jinja_node *parse_test(les_jinja_parser *p, les_jinja_node *of) {
  static const char *const ends[] = {"else", "or", "and", NULL};
  bool negated = les_jinja_skip(p, "not");
  les_jinja_node *node = binary(p, LES_JINJA_TEST, of, les_jinja_expect_name(p));
  if (!node) return NULL;
  bool starts = p->at->kind == LES_JINJA_NAME || p->at->kind == LES_JINJA_STRING_TEXT ||
                p->at->kind == LES_JINJA_NUMBER || les_jinja_at(p, "[") || les_jinja_at(p, "{");
  if (les_jinja_at(p, "is")) les_jinja_fail(p->h, "two tests with 'is' cannot be chained");
  if (les_jinja_at(p, "("))
    node->items = parse_arguments(p);
  else if (starts && !at_any(p, ends) && !p->h->failed)
    node->items = parse_postfix(p, nested(p, parse_primary));
  if (!negated) return node;
  return binary(p, LES_JINJA_NOT, node, (les_jinja_text){"", 0});
}

static les_jinja_node *parse_unary(les_jinja_parser *p, bool with_filters) {
  les_jinja_node *node;
  if (les_jinja_at(p, "-") || les_jinja_at(p, "+")) {
    node = les_jinja_node_new(p, les_jinja_at(p, "-") ? LES_JINJA_MINUS : LES_JINJA_PLUS);
    p->at++;
    if (node && les_jinja_enter(p->h)) node->a = parse_unary(p, false);
    les_jinja_leave(p->h);
  } else {
    node = parse_primary(p);
  }
  node = parse_postfix(p, node);
  while (with_filters && !p->h->failed) {
    if (les_jinja_at(p, "|"))
      node = les_jinja_parse_filters(p, node);
    else if (les_jinja_skip(p, "is"))
      node = parse_test(p, node);
    else if (les_jinja_at(p, "("))
      node = call(p, node);
    else
      break;
  }
  return node;
}

/* Literals that stand side by side are one string. */
static les_jinja_node *string(les_jinja_parser *p) {
  les_jinja_node *node = les_jinja_node_new(p, LES_JINJA_CONSTANT);
  if (!node) return NULL;
  node->value = les_jinja_string(p->at->text.text, p->at->text.n);
  for (p->at++; p->at->kind == LES_JINJA_STRING_TEXT && !p->h->failed; p->at++) {
    les_buffer both = {0};
    les_buffer_append(&both, node->value.as.string.text, node->value.as.string.n);
    les_buffer_append(&both, p->at->text.text, p->at->text.n);
    node->value = les_jinja_take_buffer(p->h, &both);
  }
  return node;
}

static les_jinja_node *word(les_jinja_parser *p) {
  static const struct {
    const char *name;
    les_jinja_value value;
  } constants[] = {{"true", {.type = LES_JINJA_BOOL, .as = {.boolean = true}}},
                   {"True", {.type = LES_JINJA_BOOL, .as = {.boolean = true}}},
                   {"false", {.type = LES_JINJA_BOOL, .as = {.boolean = false}}},
                   {"False", {.type = LES_JINJA_BOOL, .as = {.boolean = false}}},
                   {"none", {.type = LES_JINJA_NONE}},
                   {"None", {.type = LES_JINJA_NONE}}};
  les_jinja_node *node = les_jinja_node_new(p, LES_JINJA_VARIABLE);
  if (!node) return NULL;
  node->name = p->at->text;
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
    if (!les_jinja_is(node->name, constants[i].name)) continue;
    node->kind = LES_JINJA_CONSTANT;
    node->value = constants[i].value;
  }
  p->at++;
  return node;
}

/* From behind "[" or "{" on. */
static les_jinja_node *parse_items(les_jinja_parser *p, les_jinja_kind kind, const char *end) {
  les_jinja_chain items = {0};
  les_jinja_node *node = les_jinja_node_new(p, kind);
  while (!p->h->failed && !les_jinja_at(p, end)) {
    if (items.first) les_jinja_expect(p, ",");
    if (les_jinja_at(p, end)) break;
    les_jinja_chain_add(&items, les_jinja_parse_expression(p));
    if (kind != LES_JINJA_MAKE_DICT) continue;
    les_jinja_expect(p, ":");
    les_jinja_chain_add(&items, les_jinja_parse_expression(p));
  }
  les_jinja_expect(p, end);
  if (node) node->items = items.first;
  return node;
}

static les_jinja_node *parse_primary(les_jinja_parser *p) {
  if (p->h->failed) return NULL;
  p->h->line = p->at->line;
  if (p->at->kind == LES_JINJA_STRING_TEXT) return string(p);
  if (p->at->kind == LES_JINJA_NUMBER) return number(p);
  if (p->at->kind == LES_JINJA_NAME) return word(p);
  if (les_jinja_skip(p, "[")) return parse_items(p, LES_JINJA_MAKE_LIST, "]");
  if (les_jinja_skip(p, "{")) return parse_items(p, LES_JINJA_MAKE_DICT, "}");
  if (les_jinja_skip(p, "(")) {
    les_jinja_node *node = parse_tuple_of(p, parse_choice, true);
    les_jinja_expect(p, ")");
    return node;
  }
  les_jinja_unexpected(p);
  return NULL;
}
