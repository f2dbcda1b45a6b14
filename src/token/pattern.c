#include "token/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct les_pattern {
  pcre2_code *code;
};

struct les_matcher {
  pcre2_match_data *data;
  pcre2_match_context *context;
  pcre2_jit_stack *stack; /* NULL until a pattern needs more than the 32 KiB it has of the thread's own */
};

/* Unicode's White_Space and what is not: PCRE2's \s has U+180E too, which lost the property in Unicode 6.3.
 */
#define SPACES                                                                                               \
  "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define NOT_SPACES                                                                                           \
  "\\x00-\\x08\\x0e-\\x1f\\x21-\\x84\\x86-\\x9f\\xa1-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"        \
  "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"
/* Oniguruma's word characters: within brackets, and outside, where it takes the six numerals of Latin-1 for
 * some too. PCRE2's \w and \b do not know marks and connectors. */
#define WORD         "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
#define LONE_WORD    WORD "\\xb2\\xb3\\xb9\\xbc-\\xbe"
#define BOUNDARY     "(?:(?<=[" LONE_WORD "])(?![" LONE_WORD "])|(?<![" LONE_WORD "])(?=[" LONE_WORD "]))"
#define NOT_BOUNDARY "(?:(?<=[" LONE_WORD "])(?=[" LONE_WORD "])|(?<![" LONE_WORD "])(?![" LONE_WORD "]))"

enum { MAX_DEPTH = 64 };

/* The translation in progress: from Oniguruma's syntax to PCRE2's. */
typedef struct translation {
  const char *in;
  les_buffer out;
  size_t atom;            /* where in `out` the last atom starts: what a quantifier applies to */
  size_t open[MAX_DEPTH]; /* where the groups around us start */
  int depth;
} translation;

static void put(translation *t, const char *text) {
  les_buffer_append(&t->out, text, strlen(text));
}

static les_status refuse(const char *what) {
  return les_fail(LES_FAILED, "a pattern uses %s, which is not supported", what);
}

static pcre2_code *compile(const char *regex, size_t n, uint32_t options, int *error, size_t *offset) {
  pcre2_compile_context *context = pcre2_compile_context_create(NULL);
  if (context) pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_code *code = pcre2_compile((PCRE2_SPTR)regex, n, options, error, offset, context);
  pcre2_compile_context_free(context);
  return code;
}

/* PCRE2 takes \p{Han} for the script extensions, Oniguruma for the script. */
static bool is_script(const char *name, int n) {
  char regex[64];
  int n_regex = snprintf(regex, sizeof regex, "\\p{sc:%.*s}", n, name);
  if (n_regex < 0 || n_regex >= (int)sizeof regex) return false;
  int error;
  size_t offset;
  pcre2_code *code = compile(regex, (size_t)n_regex, PCRE2_UTF, &error, &offset);
  pcre2_code_free(code);
  return code;
}

/* \p{NAME} or \P{NAME}, t->in behind the p. */
static les_status put_property(translation *t, char p) {
  const char *name = t->in + 1, *end = *t->in == '{' ? strchr(name, '}') : NULL;
  if (!end || end == name) return refuse("\\p without {NAME}");
  bool negated = *name == '^';
  if (negated) name++;
  int n = (int)(end - name);
  les_buffer_append(&t->out, (p == 'P') != negated ? "\\P{" : "\\p{", 3);
  if (n > 2 && is_script(name, n)) put(t, "sc:");
  les_buffer_append(&t->out, name, (size_t)n + 1);
  t->in = end + 1;
  return LES_OK;
}

/* What an escape stands for: between brackets, and outside if that is something else than the same in
 * brackets. Escapes that are not here mean the same to PCRE2. */
static const struct {
  char letter;
  const char *in_class, *outside; /* NULL: not supported there */
} escapes[] = {
    {'s', SPACES, "[" SPACES "]"},
    {'S', NOT_SPACES, "[" NOT_SPACES "]"},
    {'w', WORD, "[" LONE_WORD "]"},
    {'W', NULL, "[^" LONE_WORD "]"},
    {'h', "0-9a-fA-F", "[0-9a-fA-F]"},
    {'H', NULL, "[^0-9a-fA-F]"},
    {'b', "\\b", BOUNDARY},
    {'B', NULL, NOT_BOUNDARY},
    {'C', NULL, NULL},
    {'N', NULL, NULL},
    {'O', NULL, NULL},
    {'Q', NULL, NULL},
    {'y', NULL, NULL},
    {'Y', NULL, NULL},
    {'g', NULL, NULL},
    {'k', NULL, NULL},
};

/* An escape, t->in behind the backslash; in_class: between brackets. */
static les_status put_escape(translation *t, bool in_class) {
  char c = *t->in++;
  if (!c) return refuse("a backslash at its end");
  if (c == 'p' || c == 'P') return put_property(t, c);
  if (c == 'u' && strspn(t->in, "0123456789abcdefABCDEF") >= 4) {
    put(t, "\\x{");
    les_buffer_append(&t->out, t->in, 4);
    put(t, "}");
    t->in += 4;
    return LES_OK;
  }
  for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
    if (escapes[i].letter != c) continue;
    const char *text = in_class ? escapes[i].in_class : escapes[i].outside;
    if (!text)
      return les_fail(LES_FAILED, "a pattern uses \\%c%s, which is not supported", c,
                      in_class ? " in brackets" : "");
    put(t, text);
    return LES_OK;
  }
  les_buffer_append_byte(&t->out, '\\');
  les_buffer_append_byte(&t->out, (unsigned char)c);
  return LES_OK;
}

/* [:NAME:] within a class, t->in behind its first bracket. */
static les_status put_posix(translation *t) {
  static const char *const names[][2] = {
      {"alpha", "\\p{Alphabetic}"},
      {"alnum", "\\p{Alphabetic}\\p{Nd}"},
      {"word", WORD},
      {"punct", "\\p{P}\\p{S}"},
      {"space", SPACES},
      {"digit", "\\p{Nd}"},
      {"upper", "\\p{Uppercase}"},
      {"lower", "\\p{Lowercase}"},
      {"xdigit", "0-9a-fA-F"},
  };
  const char *end = strstr(t->in, ":]");
  size_t n = end ? (size_t)(end - t->in) - 1 : 0;
  for (size_t i = 0; end && i < sizeof names / sizeof *names; i++) {
    if (strlen(names[i][0]) != n || memcmp(t->in + 1, names[i][0], n)) continue;
    put(t, names[i][1]);
    t->in = end + 2;
    return LES_OK;
  }
  return refuse("a class within a class");
}

/* A class, t->in behind its bracket. */
static les_status put_class(translation *t) {
  put(t, "[");
  if (*t->in == '^') les_buffer_append_byte(&t->out, (unsigned char)*t->in++);
  if (*t->in == ']') return refuse("an empty class");
  while (*t->in != ']') {
    char c = *t->in++;
    if (!c) return refuse("a class without an end");
    if (c == '&' && *t->in == '&') return refuse("an intersection of classes (&&)");
    if (c == '\\') {
      LES_TRY(put_escape(t, true));
    } else if (c != '[') {
      les_buffer_append_byte(&t->out, (unsigned char)c);
    } else {
      if (*t->in != ':') return refuse("a class within a class");
      LES_TRY(put_posix(t));
    }
  }
  les_buffer_append_byte(&t->out, (unsigned char)*t->in++);
  return LES_OK;
}

/* What follows an opening parenthesis. In Ruby's syntax the flag m lets the dot match a newline: s in Perl's.
 */
static les_status put_group(translation *t) {
  if (t->depth == MAX_DEPTH) return refuse("groups nested more than 64 deep");
  if (*t->in == '*') return refuse("(*VERB)");
  t->open[t->depth++] = t->out.n;
  put(t, "(");
  if (t->in[0] != '?') return LES_OK;
  put(t, "?");
  size_t n = strspn(++t->in, "imx-");
  if (t->in[n] != ':' && t->in[n] != ')') n = 0;
  for (; n > 0; n--, t->in++) les_buffer_append_byte(&t->out, *t->in == 'm' ? 's' : (unsigned char)*t->in);
  return LES_OK;
}

/* "{n,m}", "{n,}", "{,m}" or "{n}" at t->in: its length, 0 if it is none. */
static size_t interval(const char *in) {
  size_t low = strspn(in + 1, "0123456789"), n = 1 + low;
  if (in[n] == ',') {
    size_t high = strspn(in + n + 1, "0123456789");
    if (!low && !high) return 0;
    n += 1 + high;
  } else if (!low) {
    return 0;
  }
  return in[n] == '}' ? n + 1 : 0;
}

/* An interval, which in Ruby's syntax cannot be possessive: a + behind it repeats the whole. */
static les_status put_interval(translation *t, size_t n) {
  bool repeated = t->in[n] == '+';
  if (repeated) {
    les_buffer atom = {0};
    les_buffer_append(&atom, t->out.data + t->atom, t->out.n - t->atom);
    t->out.n = t->atom;
    put(t, "(?:");
    les_buffer_append(&t->out, atom.data, atom.n);
    t->out.failed |= atom.failed;
    les_buffer_free(&atom);
  }
  put(t, t->in[1] == ',' ? "{0" : "{");
  les_buffer_append(&t->out, t->in + 1, n - 1);
  if (repeated) put(t, ")+");
  t->in += n + repeated;
  return LES_OK;
}

static les_status translate(translation *t) {
  while (*t->in) {
    char c = *t->in++;
    size_t n = c == '{' ? interval(t->in - 1) : 0;
    if (n) {
      t->in--;
      LES_TRY(put_interval(t, n));
      continue;
    }
    if (!strchr("*+?", c)) t->atom = t->out.n;
    if (c == '\\')
      LES_TRY(put_escape(t, false));
    else if (c == '[')
      LES_TRY(put_class(t));
    else if (c == '(')
      LES_TRY(put_group(t));
    else
      les_buffer_append_byte(&t->out, (unsigned char)c);
    if (c == ')' && t->depth > 0) t->atom = t->open[--t->depth];
  }
  return les_buffer_status(&t->out);
}

static les_status open_code(les_pattern **out, const char *regex, size_t n, uint32_t options,
                            const char *written) {
  *out = NULL;
  les_pattern *p = malloc(sizeof *p);
  if (!p) return les_fail(LES_FAILED, "out of memory for a pattern");
  int error;
  size_t offset;
  p->code = compile(regex, n, options | PCRE2_UTF | PCRE2_NO_UTF_CHECK, &error, &offset);
  if (!p->code) {
    free(p);
    PCRE2_UCHAR why[128];
    pcre2_get_error_message(error, why, sizeof why);
    return les_fail(LES_FAILED, "the pattern '%.200s' cannot be compiled: %s", written, (char *)why);
  }
  pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* without it, matching is slower but equal */
  *out = p;
  return LES_OK;
}

les_status les_pattern_open(les_pattern **out, const char *regex) {
  *out = NULL;
  translation t = {.in = regex};
  les_status status;
  LES_GOTO(status, translate(&t), done);
  LES_GOTO(status, open_code(out, t.out.n ? t.out.data : "", t.out.n, PCRE2_UCP | PCRE2_MULTILINE, regex),
           done);
done:
  if (status != LES_OK && !strstr(les_message(), "cannot be compiled"))
    les_fail_in(status, "pattern '%.200s'", regex);
  les_buffer_free(&t.out);
  return status;
}

les_status les_pattern_open_literal(les_pattern **out, const char *text, size_t n) {
  return open_code(out, text, n, PCRE2_LITERAL, text);
}

void les_pattern_close(les_pattern **p) {
  if (!*p) return;
  pcre2_code_free((*p)->code);
  free(*p);
  *p = NULL;
}

les_status les_matcher_open(les_matcher **out) {
  les_matcher *m = *out = calloc(1, sizeof *m);
  if (m) {
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
  }
  if (!m || !m->data || !m->context) {
    les_matcher_close(out);
    return les_fail(LES_FAILED, "out of memory for matching patterns");
  }
  return LES_OK;
}

void les_matcher_close(les_matcher **m) {
  if (!*m) return;
  pcre2_match_data_free((*m)->data);
  pcre2_match_context_free((*m)->context);
  pcre2_jit_stack_free((*m)->stack);
  free(*m);
  *m = NULL;
}

static int match_at(const les_pattern *p, les_matcher *m, const char *text, size_t n, size_t from) {
  return pcre2_match(p->code, (PCRE2_SPTR)text, n, from, PCRE2_NO_UTF_CHECK, m->data, m->context);
}

les_status les_pattern_find(const les_pattern *p, les_matcher *m, const char *text, size_t n, size_t from,
                            les_span *match, bool *found) {
  int rc = match_at(p, m, text, n, from);
  if (rc == PCRE2_ERROR_JIT_STACKLIMIT && !m->stack) {
    m->stack = pcre2_jit_stack_create(1 << 15, 1 << 26, NULL);
    pcre2_jit_stack_assign(m->context, NULL, m->stack);
    rc = match_at(p, m, text, n, from);
  }
  *found = rc >= 0;
  if (rc >= 0) {
    const size_t *ends = pcre2_get_ovector_pointer(m->data);
    *match = (les_span){ends[0], ends[1]};
    return LES_OK;
  }
  if (rc == PCRE2_ERROR_NOMATCH) return LES_OK;
  PCRE2_UCHAR why[128];
  pcre2_get_error_message(rc, why, sizeof why);
  return les_fail(LES_FAILED, "the tokenizer's pattern cannot be matched at byte %zu of %zu: %s", from, n,
                  (char *)why);
}

les_status les_match_next(les_match_walk *w, bool *found) {
  *found = false;
  w->gap = w->match.end;
  while (w->from <= w->n) {
    les_span match;
    LES_TRY(les_pattern_find(w->pattern, w->matcher, w->text, w->n, w->from, &match, found));
    if (!*found) break;
    bool empty = match.end == match.start;
    w->from = match.end;
    if (empty) w->from += match.end < w->n ? les_utf8_next(w->text + match.end, w->n - match.end, NULL) : 1;
    *found = !empty || match.end > w->gap || match.end == 0;
    if (!*found) continue;
    w->match = match;
    break;
  }
  return LES_OK;
}

les_status les_pattern_replace(const les_pattern *p, les_matcher *m, const char *text, size_t n,
                               const les_buffer *to, les_buffer *out) {
  les_match_walk w = {.pattern = p, .matcher = m, .text = text, .n = n};
  for (bool found = true; found;) {
    LES_TRY(les_match_next(&w, &found));
    les_buffer_append(out, text + w.gap, (found ? w.match.start : n) - w.gap);
    if (found) les_buffer_append(out, to->data, to->n);
  }
  return les_buffer_status(out);
}
