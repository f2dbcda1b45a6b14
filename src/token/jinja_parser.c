/* Statements. */
#include "token/jinja_ast.h"

#include <string.h>

void les_jinja_chain_add(les_jinja_chain *chain, les_jinja_node *node) {
  if (!chain->end) chain->end = &chain->first;
  *chain->end = node;
  if (node) chain->end = &node->next;
}

les_jinja_node *les_jinja_node_new(les_jinja_parser *p, les_jinja_kind kind) {
  les_jinja_node *node = les_jinja_alloc(p->h, 1, sizeof *node);
  if (node) *node = (les_jinja_node){.kind = kind, .line = p->at->line};
  return node;
}

bool les_jinja_at(const les_jinja_parser *p, const char *text) {
  return (p->at->kind == LES_JINJA_NAME || p->at->kind == LES_JINJA_OPERATOR) &&
         les_jinja_is(p->at->text, text);
}

bool les_jinja_skip(les_jinja_parser *p, const char *text) {
  if (p->h->failed || !les_jinja_at(p, text)) return false;
  p->at++;
  return true;
}

void les_jinja_unexpected(les_jinja_parser *p) {
  p->h->line = p->at->line;
  switch (p->at->kind) {
  case LES_JINJA_END:
    les_jinja_fail(p->h, "it ends too early");
    break;
  case LES_JINJA_TAG_END:
  case LES_JINJA_PRINT_END:
    les_jinja_fail(p->h, "the tag ends too early");
    break;
  default:
    les_jinja_fail(p->h, "'%.*s' is not expected here", p->at->text.n > 40 ? 40 : (int)p->at->text.n,
                   p->at->text.text);
  }
}

void les_jinja_expect(les_jinja_parser *p, const char *text) {
  if (!les_jinja_skip(p, text)) les_jinja_unexpected(p);
}

les_jinja_text les_jinja_expect_name(les_jinja_parser *p) {
  if (p->at->kind != LES_JINJA_NAME) les_jinja_unexpected(p);
  return p->h->failed ? (les_jinja_text){"", 0} : (p->at++)->text;
}

static void expect_kind(les_jinja_parser *p, les_jinja_token_kind kind) {
  if (p->at->kind != kind)
    les_jinja_unexpected(p);
  else if (!p->h->failed)
    p->at++;
}

/* Whether the next tag is one of these, which end a body. */
static bool at_tag(const les_jinja_parser *p, const char *const *names) {
  if (p->at->kind != LES_JINJA_TAG || p->at[1].kind != LES_JINJA_NAME) return false;
  for (; *names; names++)
    if (les_jinja_is(p->at[1].text, *names)) return true;
  return false;
}

static les_jinja_node *parse_statement(les_jinja_parser *p);

/* Statements up to a tag of one of these names, which is left at its name; NULL: up to the end. */
static les_jinja_node *parse_body(les_jinja_parser *p, const char *const *names) {
  les_jinja_chain body = {0};
  if (les_jinja_enter(p->h)) {
    while (!p->h->failed && !(names && at_tag(p, names))) {
      if (p->at->kind == LES_JINJA_END) {
        if (names) les_jinja_fail(p->h, "%s is missing", names[0]);
        break;
      }
      les_jinja_chain_add(&body, parse_statement(p));
    }
    if (names && !p->h->failed) p->at++; /* the tag's start */
  }
  les_jinja_leave(p->h);
  return body.first;
}

/* A body after a tag, and the tag that ends it. */
static les_jinja_node *parse_block(les_jinja_parser *p, const char *end) {
  expect_kind(p, LES_JINJA_TAG_END);
  les_jinja_node *body = parse_body(p, (const char *const[]){end, NULL});
  les_jinja_expect(p, end);
  return body;
}

static void parse_if(les_jinja_parser *p, les_jinja_node *node) {
  static const char *const ends[] = {"endif", "elif", "else", NULL};
  node->a = les_jinja_parse_tuple(p, true);
  expect_kind(p, LES_JINJA_TAG_END);
  node->body = parse_body(p, ends);
  if (les_jinja_skip(p, "elif")) {
    node->other = les_jinja_node_new(p, LES_JINJA_IF);
    if (node->other && les_jinja_enter(p->h)) parse_if(p, node->other);
    les_jinja_leave(p->h);
  } else if (les_jinja_skip(p, "else")) {
    node->other = parse_block(p, "endif");
  } else {
    les_jinja_expect(p, "endif");
  }
}

static void parse_for(les_jinja_parser *p, les_jinja_node *node) {
  static const char *const ends[] = {"endfor", "else", NULL};
  node->a = les_jinja_parse_target(p);
  les_jinja_expect(p, "in");
  node->b = les_jinja_parse_tuple(p, false);
  if (les_jinja_skip(p, "if")) node->c = les_jinja_parse_expression(p);
  if (les_jinja_at(p, "recursive")) les_jinja_fail(p->h, "for ... recursive is not supported");
  expect_kind(p, LES_JINJA_TAG_END);
  p->loops++;
  node->body = parse_body(p, ends);
  p->loops--;
  if (les_jinja_skip(p, "else"))
    node->other = parse_block(p, "endfor");
  else
    les_jinja_expect(p, "endfor");
}

static void parse_set(les_jinja_parser *p, les_jinja_node *node) {
  node->a = les_jinja_parse_target(p);
  if (les_jinja_skip(p, "=")) {
    node->b = les_jinja_parse_tuple(p, true);
    return;
  }
  node->kind = LES_JINJA_SET_BLOCK;
  node->b = les_jinja_parse_filters(p, NULL);
  node->body = parse_block(p, "endset");
}

static void parse_macro(les_jinja_parser *p, les_jinja_node *node) {
  les_jinja_chain items = {0};
  node->name = les_jinja_expect_name(p);
  les_jinja_expect(p, "(");
  while (!p->h->failed && !les_jinja_at(p, ")")) {
    if (items.first) les_jinja_expect(p, ",");
    les_jinja_node *item = les_jinja_node_new(p, LES_JINJA_KEYWORD);
    if (!item) return;
    item->name = les_jinja_expect_name(p);
    if (les_jinja_skip(p, "=")) item->a = les_jinja_parse_expression(p);
    les_jinja_chain_add(&items, item);
  }
  les_jinja_expect(p, ")");
  node->items = items.first;
  int loops = p->loops;
  p->loops = 0;
  node->body = parse_block(p, "endmacro");
  p->loops = loops;
}

static void parse_filter_block(les_jinja_parser *p, les_jinja_node *node) {
  node->a = les_jinja_parse_filters(p, les_jinja_parse_filter(p, NULL));
  node->body = parse_block(p, "endfilter");
}

static void parse_jump(les_jinja_parser *p, les_jinja_node *node) {
  if (!p->loops)
    les_jinja_fail(p->h, "%s is outside of a loop", node->kind == LES_JINJA_BREAK ? "break" : "continue");
}

static void parse_generation(les_jinja_parser *p, les_jinja_node *node) {
  node->body = parse_block(p, "endgeneration");
}

static les_jinja_node *parse_tag(les_jinja_parser *p) {
  static const struct {
    const char *name;
    les_jinja_kind kind;
    void (*parse)(les_jinja_parser *, les_jinja_node *);
  } tags[] = {
      {"if", LES_JINJA_IF, parse_if},
      {"for", LES_JINJA_FOR, parse_for},
      {"set", LES_JINJA_SET, parse_set},
      {"macro", LES_JINJA_DEFINE, parse_macro},
      {"filter", LES_JINJA_FILTER_BLOCK, parse_filter_block},
      {"generation", LES_JINJA_GENERATION, parse_generation},
      {"break", LES_JINJA_BREAK, parse_jump},
      {"continue", LES_JINJA_CONTINUE, parse_jump},
  };
  for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
    if (!les_jinja_at(p, tags[i].name)) continue;
    les_jinja_node *node = les_jinja_node_new(p, tags[i].kind);
    if (!node) return NULL;
    p->at++;
    tags[i].parse(p, node);
    expect_kind(p, LES_JINJA_TAG_END);
    return node;
  }
  les_jinja_fail(p->h, "the tag '%.*s' is not supported", p->at->text.n > 40 ? 40 : (int)p->at->text.n,
                 p->at->text.text);
  return NULL;
}

static les_jinja_node *parse_statement(les_jinja_parser *p) {
  const les_jinja_token *token = p->at;
  p->h->line = token->line;
  if (token->kind == LES_JINJA_TAG) {
    p->at++;
    return parse_tag(p);
  }
  les_jinja_node *node = les_jinja_node_new(p, LES_JINJA_OUTPUT);
  if (!node) return NULL;
  p->at++;
  if (token->kind == LES_JINJA_PRINT) {
    node->a = les_jinja_parse_tuple(p, true);
    expect_kind(p, LES_JINJA_PRINT_END);
  } else { /* the lexer gives nothing else between tags */
    node->a = les_jinja_node_new(p, LES_JINJA_CONSTANT);
    if (node->a) node->a->value = les_jinja_string(token->text.text, token->text.n);
  }
  return node;
}

les_jinja_node *les_jinja_parse(les_jinja_heap *h, const les_jinja_tokens *tokens) {
  les_jinja_parser p = {.h = h, .at = tokens->items};
  return h->failed ? NULL : parse_body(&p, NULL);
}
