/* Values of a template, as Python has them, and the memory that they live in. Not for users of templates:
 * they include jinja.h. */
#ifndef LES_TOKEN_JINJA_VALUE_H
#define LES_TOKEN_JINJA_VALUE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one parsing or rendering has used up. After a failure `failed` is set, the first message is the one
 * that counts, and everything that is still called does nothing: callers check when they are done. */
typedef struct les_jinja_heap {
  struct les_jinja_block *blocks;
  size_t bytes;
  int64_t steps;
  int depth; /* of calls that call themselves */
  int line;  /* of the template, for messages */
  bool failed;
} les_jinja_heap;

/* Zeroed memory that lives as long as the heap; NULL if that fails or is more than a template may have. */
void *les_jinja_alloc(les_jinja_heap *h, size_t n, size_t size);
void les_jinja_heap_free(les_jinja_heap *h);

void les_jinja_fail(les_jinja_heap *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts n steps; false if that is more than a template may take, or after a failure. */
bool les_jinja_charge(les_jinja_heap *h, size_t n);

/* Around every function that calls itself: false if it is nested too deep, or after a failure. A leave
 * belongs to each enter, also to one that gave false. */
bool les_jinja_enter(les_jinja_heap *h);
void les_jinja_leave(les_jinja_heap *h);

typedef enum les_jinja_type {
  LES_JINJA_UNDEFINED, /* `string` is the name of what is not there */
  LES_JINJA_NONE,
  LES_JINJA_BOOL,
  LES_JINJA_INT,
  LES_JINJA_FLOAT,
  LES_JINJA_STRING,
  LES_JINJA_LIST,
  LES_JINJA_TUPLE,
  LES_JINJA_GENERATOR, /* what map, select and their like give: items to go through once, and nothing else */
  LES_JINJA_DICT,
  LES_JINJA_NAMESPACE, /* a dict whose entries `set` may change */
  LES_JINJA_LOOP,
  LES_JINJA_MACRO,
  LES_JINJA_FUNCTION, /* `string` is its name */
} les_jinja_type;

typedef struct les_jinja_text {
  const char *text; /* (n) not null-terminated */
  size_t n;
} les_jinja_text;

typedef struct les_jinja_value {
  les_jinja_type type;
  bool safe; /* a string that went through the filter `safe`: what else Jinja does with one escapes HTML */
  union {
    bool boolean;
    int64_t integer;
    double number;
    les_jinja_text string;
    struct les_jinja_list *list; /* LIST, TUPLE, GENERATOR */
    struct les_jinja_dict *dict; /* DICT, NAMESPACE */
    struct les_jinja_loop *loop;
    struct les_jinja_macro *macro;
  } as;
} les_jinja_value;

typedef struct les_jinja_list {
  les_jinja_value *items; /* (n) */
  size_t n, capacity;
  bool used; /* a generator's: its items have been gone through */
} les_jinja_list;

typedef struct les_jinja_pair {
  les_jinja_value key, value;
} les_jinja_pair;

typedef struct les_jinja_dict {
  les_jinja_pair *items; /* (n) in the order of insertion */
  size_t n, capacity;
} les_jinja_dict;

/* Where a `for` is. */
typedef struct les_jinja_loop {
  const les_jinja_list *items;
  size_t at;
} les_jinja_loop;

#define LES_JINJA_NOTHING ((les_jinja_value){.type = LES_JINJA_NONE})

les_jinja_value les_jinja_undefined(les_jinja_text name);
les_jinja_value les_jinja_bool(bool value);
les_jinja_value les_jinja_int(int64_t value);
les_jinja_value les_jinja_float(double value);
les_jinja_value les_jinja_string(const char *text, size_t n); /* borrows `text` */
les_jinja_value les_jinja_copy(les_jinja_heap *h, const char *text, size_t n);
/* Takes over the buffer's bytes, which are copied to the heap and freed. */
les_jinja_value les_jinja_take_buffer(les_jinja_heap *h, les_buffer *buffer);
les_jinja_value les_jinja_new_list(les_jinja_heap *h);
les_jinja_value les_jinja_new_dict(les_jinja_heap *h, les_jinja_type type);

void les_jinja_append(les_jinja_heap *h, les_jinja_value list, les_jinja_value item);
void les_jinja_put(les_jinja_heap *h, les_jinja_value dict, les_jinja_value key, les_jinja_value value);
/* NULL: the key is not there. */
const les_jinja_value *les_jinja_find(les_jinja_heap *h, const les_jinja_dict *dict, les_jinja_value key);

bool les_jinja_is(les_jinja_text text, const char *other);
bool les_jinja_same_text(les_jinja_text a, les_jinja_text b);
bool les_jinja_is_dict(les_jinja_value v);     /* DICT */
bool les_jinja_is_sequence(les_jinja_value v); /* LIST, TUPLE */

/* "a string", "none", ...: for messages. */
const char *les_jinja_type_name(les_jinja_type type);

bool les_jinja_true(les_jinja_value v);
bool les_jinja_equal(les_jinja_heap *h, les_jinja_value a, les_jinja_value b);
/* Below, at or above zero; other things than two numbers or two strings are a failure. */
int les_jinja_compare(les_jinja_heap *h, les_jinja_value a, les_jinja_value b);
/* Python's `item in container`. */
bool les_jinja_contains(les_jinja_heap *h, les_jinja_value container, les_jinja_value item);

/* The items of a list, the characters of a string, the keys of a dict; failure: cannot be gone through. */
const les_jinja_list *les_jinja_items(les_jinja_heap *h, les_jinja_value v);
/* Number of items, characters or keys. */
int64_t les_jinja_length(les_jinja_heap *h, les_jinja_value v);

/* A bool, an int or a float as a number. */
bool les_jinja_number(les_jinja_value v, double *number);
/* A bool or an int. */
bool les_jinja_integer(les_jinja_value v, int64_t *integer);

/* Appends str(v) and repr(v) of Python, and json.dumps(v). */
void les_jinja_print(les_jinja_heap *h, les_jinja_value v, les_buffer *out);
void les_jinja_repr(les_jinja_heap *h, les_jinja_value v, les_buffer *out);
typedef struct les_jinja_json {
  int64_t indent; /* -1: all on one line */
  bool sort_keys;
  bool ascii;               /* other characters as escapes */
  les_jinja_text item, key; /* separators */
} les_jinja_json;
void les_jinja_print_json(les_jinja_heap *h, les_jinja_value v, const les_jinja_json *how, int level,
                          les_buffer *out);

#endif
