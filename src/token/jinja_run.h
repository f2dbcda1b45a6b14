/* A template at work. Not for users of templates: they include jinja.h. */
#ifndef LES_TOKEN_JINJA_RUN_H
#define LES_TOKEN_JINJA_RUN_H

#include "token/jinja_ast.h"

/* Names that `set`, `for` and `macro` have given a value. A loop's turn and a macro's call have a scope of
 * their own; what is set there is gone afterwards. */
typedef struct les_jinja_scope {
  struct les_jinja_scope *outer; /* NULL: the template's own */
  les_jinja_value names;         /* dict */
} les_jinja_scope;

typedef struct les_jinja_macro {
  const les_jinja_node *node;
  les_jinja_scope *scope; /* where it was defined */
} les_jinja_macro;

typedef struct les_jinja_run {
  les_jinja_heap heap;
  les_jinja_value variables; /* what the caller gives: dict */
  les_jinja_scope *scope;
  les_buffer *out;
  enum { LES_JINJA_GO_ON, LES_JINJA_BREAKS, LES_JINJA_CONTINUES } jump; /* on the way out of a loop's body */
} les_jinja_run;

/* Arguments of a call. */
typedef struct les_jinja_args {
  les_jinja_value *items; /* (n) by position */
  size_t n;
  les_jinja_pair *keywords; /* (n_keywords) */
  size_t n_keywords;
  size_t n_taken;
} les_jinja_args;

/* The argument at this position or of this name (NULL: it has none); `fallback` if it is not given. */
les_jinja_value les_jinja_take(les_jinja_args *args, size_t position, const char *name,
                               les_jinja_value fallback);
/* The same for a number; not given: `fallback`. */
int64_t les_jinja_take_int(les_jinja_heap *h, les_jinja_args *args, size_t position, const char *name,
                           int64_t fallback);
/* The same for a string; not given and no fallback: a failure. */
les_jinja_text les_jinja_take_text(les_jinja_heap *h, les_jinja_args *args, size_t position, const char *name,
                                   const char *fallback);

les_jinja_value les_jinja_eval(les_jinja_run *r, const les_jinja_node *node);
void les_jinja_execute(les_jinja_run *r, const les_jinja_node *body);
/* What a body gives, as a string; in a scope of its own if there is one. */
les_jinja_value les_jinja_capture(les_jinja_run *r, const les_jinja_node *body, les_jinja_scope *scope);
les_jinja_scope *les_jinja_scope_new(les_jinja_run *r, les_jinja_scope *outer);
/* Gives the names of a target of `set` or `for` a value. */
void les_jinja_assign(les_jinja_run *r, const les_jinja_node *target, les_jinja_value value);
/* Puts `value` through a node's filter, and those inside of it first. */
les_jinja_value les_jinja_apply_filters(les_jinja_run *r, const les_jinja_node *filter,
                                        les_jinja_value value);

/* value.name or value[key], undefined if it is not there. */
les_jinja_value les_jinja_attribute(les_jinja_heap *h, les_jinja_value value, les_jinja_text name);
les_jinja_value les_jinja_item(les_jinja_heap *h, les_jinja_value value, les_jinja_value key);

/* What is called by name: a name that is not known, and an argument that it does not take, are failures. */
les_jinja_value les_jinja_filter(les_jinja_heap *h, les_jinja_text name, les_jinja_value in,
                                 les_jinja_args *args);
bool les_jinja_test(les_jinja_heap *h, les_jinja_text name, les_jinja_value in, les_jinja_args *args);
les_jinja_value les_jinja_method(les_jinja_heap *h, les_jinja_value object, les_jinja_text name,
                                 les_jinja_args *args);
les_jinja_value les_jinja_function(les_jinja_heap *h, les_jinja_text name, les_jinja_args *args);
bool les_jinja_function_exists(les_jinja_text name);
/* Whether `object` has a method of this name that Python's type has too: an attribute finds it before an
 * item. */
bool les_jinja_is_method(les_jinja_value object, les_jinja_text name);
/* Fails if not all arguments of `what` ("the filter") have been taken. */
void les_jinja_check_args(les_jinja_heap *h, const char *what, les_jinja_text name,
                          const les_jinja_args *args);

/* Slices: value[start:stop:step], with none for what is left out. */
les_jinja_value les_jinja_slice(les_jinja_heap *h, les_jinja_value value, les_jinja_value start,
                                les_jinja_value stop, les_jinja_value step);
/* a OP b for + - * / // % and ~. */
les_jinja_value les_jinja_operate(les_jinja_heap *h, les_jinja_text op, les_jinja_value a, les_jinja_value b);

/* Text operations that filters and methods share. */
les_jinja_value les_jinja_strip(les_jinja_heap *h, les_jinja_text s, les_jinja_value chars, bool left,
                                bool right);
les_jinja_value les_jinja_replace(les_jinja_heap *h, les_jinja_text s, les_jinja_text old, les_jinja_text new,
                                  int64_t most);
les_jinja_value les_jinja_case(les_jinja_heap *h, les_jinja_text s, int32_t (*map)(int32_t));
les_jinja_value les_jinja_capitalize(les_jinja_heap *h, les_jinja_text s);
les_jinja_value les_jinja_pairs(les_jinja_heap *h, const les_jinja_dict *dict);
les_jinja_value les_jinja_text_of(les_jinja_heap *h, les_jinja_value v);

#endif
