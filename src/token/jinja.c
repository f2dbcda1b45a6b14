#include "token/jinja.h"

#include "base/text.h"
#include "token/jinja_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct les_jinja {
  les_jinja_heap heap;  /* of the tree and the texts in it */
  les_jinja_node *body; /* NULL: an empty template */
  char *text;           /* with line breaks as \n, without the last one */
};

/* ---- statements ---- */

les_jinja_scope *les_jinja_scope_new(les_jinja_run *r, les_jinja_scope *outer) {
  les_jinja_scope *scope = les_jinja_alloc(&r->heap, 1, sizeof *scope);
  les_jinja_value names = les_jinja_new_dict(&r->heap, LES_JINJA_DICT);
  if (!scope || names.type != LES_JINJA_DICT) return NULL;
  *scope = (les_jinja_scope){outer, names};
  return scope;
}

static void assign_all(les_jinja_run *r, const les_jinja_node *targets, les_jinja_value value) {
  const les_jinja_list *items = les_jinja_items(&r->heap, value);
  size_t n = 0, i = 0;
  for (const les_jinja_node *t = targets; t; t = t->next) n++;
  if (items && items->n != n) les_jinja_fail(&r->heap, "%zu names are to take %zu values", n, items->n);
  for (const les_jinja_node *t = targets; t && !r->heap.failed; t = t->next)
    les_jinja_assign(r, t, items->items[i++]);
}

void les_jinja_assign(les_jinja_run *r, const les_jinja_node *target, les_jinja_value value) {
  les_jinja_value key = les_jinja_string(target->name.text, target->name.n);
  if (target->kind == LES_JINJA_MAKE_TUPLE) {
    assign_all(r, target->items, value);
  } else if (target->kind == LES_JINJA_VARIABLE) {
    les_jinja_put(&r->heap, r->scope->names, key, value);
  } else {
    les_jinja_value object = les_jinja_eval(r, target->a);
    if (object.type != LES_JINJA_NAMESPACE)
      les_jinja_fail(&r->heap, "only attributes of a namespace can be set, not of %s",
                     les_jinja_type_name(object.type));
    les_jinja_put(&r->heap, object, key, value);
  }
}

les_jinja_value les_jinja_capture(les_jinja_run *r, const les_jinja_node *body, les_jinja_scope *scope) {
  les_buffer text = {0}, *out = r->out;
  les_jinja_scope *before = r->scope;
  r->out = &text;
  if (scope) r->scope = scope;
  les_jinja_execute(r, body);
  r->scope = before;
  r->out = out;
  return les_jinja_take_buffer(&r->heap, &text);
}

/* The items that a loop goes through: those for which its condition holds. */
static les_jinja_value select_items(les_jinja_run *r, const les_jinja_node *node, const les_jinja_list *all) {
  les_jinja_scope *before = r->scope;
  les_jinja_value kept = les_jinja_new_list(&r->heap);
  for (size_t i = 0; i < all->n && !r->heap.failed; i++) {
    if (node->c) {
      if (!(r->scope = les_jinja_scope_new(r, before))) break;
      les_jinja_assign(r, node->a, all->items[i]);
      if (!les_jinja_true(les_jinja_eval(r, node->c))) continue;
    }
    les_jinja_append(&r->heap, kept, all->items[i]);
  }
  r->scope = before;
  return kept;
}

static void execute_turns(les_jinja_run *r, const les_jinja_node *node, les_jinja_value kept) {
  les_jinja_scope *before = r->scope;
  for (size_t i = 0; i < kept.as.list->n && !r->heap.failed; i++) {
    les_jinja_loop *loop = les_jinja_alloc(&r->heap, 1, sizeof *loop);
    if (!loop || !(r->scope = les_jinja_scope_new(r, before))) break;
    *loop = (les_jinja_loop){kept.as.list, i};
    les_jinja_put(&r->heap, r->scope->names, les_jinja_string("loop", 4),
                  (les_jinja_value){.type = LES_JINJA_LOOP, .as = {.loop = loop}});
    les_jinja_assign(r, node->a, kept.as.list->items[i]);
    les_jinja_execute(r, node->body);
    bool stop = r->jump == LES_JINJA_BREAKS;
    r->jump = LES_JINJA_GO_ON;
    if (stop) break;
  }
  r->scope = before;
}

static void execute_for(les_jinja_run *r, const les_jinja_node *node) {
  const les_jinja_list *all = les_jinja_items(&r->heap, les_jinja_eval(r, node->b));
  if (!all) return;
  les_jinja_value kept = select_items(r, node, all);
  if (r->heap.failed) return;
  if (kept.as.list->n)
    execute_turns(r, node, kept);
  else
    les_jinja_execute(r, node->other);
}

static void define(les_jinja_run *r, const les_jinja_node *node) {
  les_jinja_macro *macro = les_jinja_alloc(&r->heap, 1, sizeof *macro);
  if (!macro) return;
  *macro = (les_jinja_macro){node, r->scope};
  les_jinja_put(&r->heap, r->scope->names, les_jinja_string(node->name.text, node->name.n),
                (les_jinja_value){.type = LES_JINJA_MACRO, .as = {.macro = macro}});
}

static void print(les_jinja_run *r, les_jinja_value v) {
  enum { MOST_TEXT = 1 << 28 };
  if (r->out->n > MOST_TEXT) les_jinja_fail(&r->heap, "it gives more than %d MiB of text", MOST_TEXT >> 20);
  les_jinja_print(&r->heap, v, r->out);
}

static void execute_one(les_jinja_run *r, const les_jinja_node *node) {
  switch (node->kind) {
  case LES_JINJA_OUTPUT:
    print(r, les_jinja_eval(r, node->a));
    break;
  case LES_JINJA_IF:
    les_jinja_execute(r, les_jinja_true(les_jinja_eval(r, node->a)) ? node->body : node->other);
    break;
  case LES_JINJA_FOR:
    execute_for(r, node);
    break;
  case LES_JINJA_SET:
    les_jinja_assign(r, node->a, les_jinja_eval(r, node->b));
    break;
  case LES_JINJA_SET_BLOCK:
    les_jinja_assign(r, node->a, les_jinja_apply_filters(r, node->b, les_jinja_capture(r, node->body, NULL)));
    break;
  case LES_JINJA_DEFINE:
    define(r, node);
    break;
  case LES_JINJA_FILTER_BLOCK:
    print(r, les_jinja_apply_filters(r, node->a, les_jinja_capture(r, node->body, NULL)));
    break;
  case LES_JINJA_GENERATION:
    print(r, les_jinja_capture(r, node->body, les_jinja_scope_new(r, r->scope)));
    break;
  default: /* break, continue */
    r->jump = node->kind == LES_JINJA_BREAK ? LES_JINJA_BREAKS : LES_JINJA_CONTINUES;
  }
}

void les_jinja_execute(les_jinja_run *r, const les_jinja_node *body) {
  if (les_jinja_enter(&r->heap))
    for (; body && !r->heap.failed && r->jump == LES_JINJA_GO_ON; body = body->next) {
      r->heap.line = body->line;
      execute_one(r, body);
    }
  les_jinja_leave(&r->heap);
}

/* ---- the template ---- */

/* Line breaks as \n, and the last one left out, as Jinja does. */
static char *copy_text(const char *text, size_t n, size_t *kept) {
  char *copy = malloc(n + 1);
  size_t out = 0;
  for (size_t i = 0; copy && i < n; i++) {
    if (text[i] == '\r' && i + 1 < n && text[i + 1] == '\n') continue;
    copy[out++] = text[i] == '\r' ? '\n' : text[i];
  }
  if (copy && out && copy[out - 1] == '\n') out--;
  *kept = out;
  return copy;
}

les_status les_jinja_open(les_jinja **out, const char *template, size_t n) {
  *out = NULL;
  if (les_text_valid(template, n) < n) return les_fail(LES_FAILED, "the chat template is not valid UTF-8");
  les_jinja *t = calloc(1, sizeof *t);
  size_t kept = 0;
  if (!t || !(t->text = copy_text(template, n, &kept))) {
    les_jinja_close(&t);
    return les_no_memory("a chat template of %zu bytes", n);
  }
  les_jinja_tokens tokens = {0};
  t->heap.line = 1;
  les_jinja_lex(&t->heap, t->text, kept, &tokens);
  t->body = les_jinja_parse(&t->heap, &tokens);
  if (t->heap.failed) {
    les_jinja_close(&t);
    return LES_FAILED;
  }
  *out = t;
  return LES_OK;
}

static les_jinja_value convert(les_jinja_heap *h, const cJSON *item);

static les_jinja_value convert_children(les_jinja_heap *h, const cJSON *item) {
  bool dict = cJSON_IsObject(item);
  les_jinja_value all = dict ? les_jinja_new_dict(h, LES_JINJA_DICT) : les_jinja_new_list(h);
  const cJSON *child;
  cJSON_ArrayForEach(child, item) {
    les_jinja_value v = convert(h, child);
    if (dict)
      les_jinja_put(h, all, les_jinja_string(child->string, strlen(child->string)), v);
    else
      les_jinja_append(h, all, v);
  }
  return all;
}

static les_jinja_value convert(les_jinja_heap *h, const cJSON *item) {
  les_jinja_value v = LES_JINJA_NOTHING;
  bool open = les_jinja_enter(h);
  if (!open || cJSON_IsNull(item))
    ;
  else if (cJSON_IsBool(item))
    v = les_jinja_bool(cJSON_IsTrue(item));
  else if (cJSON_IsString(item))
    v = les_jinja_string(item->valuestring, strlen(item->valuestring));
  else if (cJSON_IsNumber(item))
    v = item->valuedouble == floor(item->valuedouble) && fabs(item->valuedouble) < 9e15
            ? les_jinja_int((int64_t)item->valuedouble)
            : les_jinja_float(item->valuedouble);
  else
    v = convert_children(h, item);
  les_jinja_leave(h);
  return v;
}

les_status les_jinja_render(const les_jinja *template, const cJSON *variables, les_buffer *out) {
  les_jinja_run r = {.out = out};
  r.heap.line = 1;
  r.variables = convert(&r.heap, variables);
  r.scope = les_jinja_scope_new(&r, NULL);
  if (!r.heap.failed) les_jinja_execute(&r, template->body);
  les_status status = r.heap.failed ? LES_FAILED : les_buffer_status(out);
  les_jinja_heap_free(&r.heap);
  return status;
}

void les_jinja_close(les_jinja **template) {
  if (!*template) return;
  les_jinja_heap_free(&(*template)->heap);
  free((*template)->text);
  free(*template);
  *template = NULL;
}
