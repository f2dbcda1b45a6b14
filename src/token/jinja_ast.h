/* The tree of a template. Not for users of templates: they include jinja.h. */
#ifndef LES_TOKEN_JINJA_AST_H
#define LES_TOKEN_JINJA_AST_H

#include "token/jinja_lexer.h"

typedef enum les_jinja_kind {
  /* expressions */
  LES_JINJA_CONSTANT,   /* value */
  LES_JINJA_VARIABLE,   /* name */
  LES_JINJA_MAKE_LIST,  /* items */
  LES_JINJA_MAKE_TUPLE, /* items */
  LES_JINJA_MAKE_DICT,  /* items: keys and values in turn */
  LES_JINJA_ATTRIBUTE,  /* a.name */
  LES_JINJA_ITEM,       /* a[b] */
  LES_JINJA_SLICE,      /* a[b:c:d], each of which may be NULL */
  LES_JINJA_CALL,       /* a(items) */
  LES_JINJA_FILTER,     /* a|name(items); a is NULL in a block of text that is filtered */
  LES_JINJA_TEST,       /* a is name(items) */
  LES_JINJA_KEYWORD,    /* name=a, among the items of a call */
  LES_JINJA_NOT,        /* not a */
  LES_JINJA_MINUS,      /* -a */
  LES_JINJA_PLUS,       /* +a */
  LES_JINJA_AND,        /* a and b */
  LES_JINJA_OR,         /* a or b */
  LES_JINJA_BINARY,     /* a name b, with name an operator */
  LES_JINJA_COMPARISON, /* a, then items, each a name (the operator) and an a */
  LES_JINJA_CHOICE,     /* b if a else c (may be NULL) */
  /* statements */
  LES_JINJA_OUTPUT,       /* a */
  LES_JINJA_IF,           /* a, body, other */
  LES_JINJA_FOR,          /* a in b, if c; body; other: nothing to go through */
  LES_JINJA_SET,          /* a = b */
  LES_JINJA_SET_BLOCK,    /* a = body, through the filters b */
  LES_JINJA_DEFINE,       /* macro name(items), the items being name and default a; body */
  LES_JINJA_FILTER_BLOCK, /* body through the filters a */
  LES_JINJA_GENERATION,   /* body */
  LES_JINJA_BREAK,
  LES_JINJA_CONTINUE,
} les_jinja_kind;

typedef struct les_jinja_node {
  les_jinja_kind kind;
  int line;
  les_jinja_text name;
  les_jinja_value value;
  struct les_jinja_node *a, *b, *c, *d;
  struct les_jinja_node *items, *body, *other; /* the first of a list */
  struct les_jinja_node *next;                 /* in the list that this node is in */
} les_jinja_node;

typedef struct les_jinja_parser {
  les_jinja_heap *h;
  const les_jinja_token *at; /* the list ends with LES_JINJA_END, which is not passed */
  int loops;                 /* that are open here */
} les_jinja_parser;

/* A list under construction: where the next node goes. */
typedef struct les_jinja_chain {
  les_jinja_node *first, **end;
} les_jinja_chain;
void les_jinja_chain_add(les_jinja_chain *chain, les_jinja_node *node);

/* NULL after a failure; the parsers below then return NULL too. */
les_jinja_node *les_jinja_node_new(les_jinja_parser *p, les_jinja_kind kind);

/* Looking at the next token, which is a keyword or an operator of that text; and taking it. */
bool les_jinja_at(const les_jinja_parser *p, const char *text);
bool les_jinja_skip(les_jinja_parser *p, const char *text);
void les_jinja_expect(les_jinja_parser *p, const char *text);
les_jinja_text les_jinja_expect_name(les_jinja_parser *p);
/* "unexpected TOKEN" as the failure. */
void les_jinja_unexpected(les_jinja_parser *p);

les_jinja_node *les_jinja_parse_expression(les_jinja_parser *p);
/* An expression, or several with commas as a tuple; without a choice (`x if y`) at the end unless asked. */
les_jinja_node *les_jinja_parse_tuple(les_jinja_parser *p, bool choice);
/* Where `set` and `for` put something: a name, names with commas, or ns.name. */
les_jinja_node *les_jinja_parse_target(les_jinja_parser *p);
/* Filters behind `node`: |a|b(c). */
les_jinja_node *les_jinja_parse_filters(les_jinja_parser *p, les_jinja_node *node);
/* name or name(arguments), as a FILTER of `node`. */
les_jinja_node *les_jinja_parse_filter(les_jinja_parser *p, les_jinja_node *node);

/* A whole template as a list of statements; NULL if it has none or on failure. */
les_jinja_node *les_jinja_parse(les_jinja_heap *h, const les_jinja_tokens *tokens);

#endif
