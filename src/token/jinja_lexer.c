#include "token/jinja_lexer.h"

#include "base/text.h"

#include <string.h>

typedef struct lexer {
  les_jinja_heap *h;
  const char *at, *end;
  les_jinja_tokens *out;
  bool line_start; /* what came before ended with a line break, or nothing came before */
} lexer;

static size_t left(const lexer *l) {
  return (size_t)(l->end - l->at);
}

static bool looking_at(const lexer *l, const char *text) {
  size_t n = strlen(text);
  return left(l) >= n && !memcmp(l->at, text, n);
}

static void skip(lexer *l, size_t n) {
  for (size_t i = 0; i < n; i++) l->h->line += l->at[i] == '\n';
  l->at += n;
}

static void add(lexer *l, les_jinja_token_kind kind, const char *text, size_t n) {
  les_jinja_tokens *t = l->out;
  if (!les_jinja_charge(l->h, 1)) return;
  if (t->n == t->capacity) {
    size_t wanted = t->n ? 2 * t->n : 64;
    les_jinja_token *larger = les_jinja_alloc(l->h, wanted, sizeof *larger);
    if (!larger) return;
    if (t->n) memcpy(larger, t->items, t->n * sizeof *larger);
    t->items = larger;
    t->capacity = wanted;
  }
  t->items[t->n++] = (les_jinja_token){kind, l->h->line, {text, n}};
}

static size_t spaces(const lexer *l) {
  return les_text_leading(l->at, left(l), les_is_python_space);
}

/* lstrip_blocks: white space between the start of the line and a tag goes. */
static size_t without_indent(const char *text, size_t n, bool line_start) {
  const char *newline = n ? memrchr(text, '\n', n) : NULL;
  size_t from = newline ? (size_t)(newline - text) + 1 : 0;
  if (!newline && !line_start) return n;
  return les_text_leading(text + from, n - from, les_is_python_space) == n - from ? from : n;
}

/* The text before a tag that starts with `mark` ("{{", "{%", "{#") at l->at + n; goes on behind the mark. */
static void add_data(lexer *l, size_t n, char mark) {
  char sign = left(l) > n + 2 ? l->at[n + 2] : 0;
  size_t kept = n;
  if (sign == '-')
    kept = n - les_text_trailing(l->at, n, les_is_python_space);
  else if (sign != '+' && mark != '{')
    kept = without_indent(l->at, n, l->line_start);
  if (kept) add(l, LES_JINJA_DATA, l->at, kept);
  skip(l, n + 2);
  if (sign == '-' || (sign == '+' && mark != '{')) skip(l, 1);
}

/* Behind the end of a tag: "-" takes white space along, and trim_blocks a line break. */
static void end_tag(lexer *l, char sign, bool block) {
  const char *from = l->at;
  if (sign == '-')
    skip(l, spaces(l));
  else if (sign != '+' && block && left(l) && *l->at == '\n')
    skip(l, 1);
  l->line_start = l->at > from && l->at[-1] == '\n';
}

static void skip_comment(lexer *l) {
  const char *stop = memmem(l->at, left(l), "#}", 2);
  if (!stop) {
    les_jinja_fail(l->h, "a comment has no end '#}'");
    return;
  }
  char sign = stop > l->at ? stop[-1] : 0;
  skip(l, (size_t)(stop + 2 - l->at));
  end_tag(l, sign, true);
}

/* ---- string literals ---- */

static int digits(const lexer *l, size_t at, int most, int base, int32_t *value) {
  int n = 0;
  for (*value = 0; n < most && at + (size_t)n < left(l); n++) {
    static const char all[] = "0123456789abcdef";
    char c = l->at[at + (size_t)n];
    const char *digit = c ? memchr(all, c >= 'A' && c <= 'F' ? c + 32 : c, (size_t)base) : NULL;
    if (!digit) break;
    *value = *value * base + (int32_t)(digit - all);
  }
  return n;
}

/* An escape at l->at, which is a backslash and at least one character; as Python reads it. */
static void unescape(lexer *l, les_buffer *out) {
  static const char letters[] = "nrtabfv\\'\"", values[] = "\n\r\t\a\b\f\v\\'\"";
  char c = l->at[1];
  const char *letter = memchr(letters, c, sizeof letters - 1);
  int32_t code;
  int wanted = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (letter) {
    les_buffer_append_byte(out, (unsigned char)values[letter - letters]);
    skip(l, 2);
  } else if (c == '\n') {
    skip(l, 2);
  } else if (c >= '0' && c <= '7') {
    skip(l, 1 + (size_t)digits(l, 1, 3, 8, &code));
    if (!code) les_jinja_fail(l->h, "a string holds a null character");
    les_buffer_append_codepoint(out, code);
  } else if (wanted) {
    if (digits(l, 2, wanted, 16, &code) < wanted || code <= 0 || code > 0x10ffff || (code >> 11) == 0x1b)
      les_jinja_fail(l->h, "the escape \\%c of a string is no character", c);
    skip(l, 2 + (size_t)wanted);
    if (!l->h->failed) les_buffer_append_codepoint(out, code);
  } else if (c == 'N') {
    les_jinja_fail(l->h, "the escape \\N of a string is not supported");
  } else {
    les_buffer_append_byte(out, '\\');
    skip(l, 1);
  }
}

static void lex_string(lexer *l) {
  char quote = *l->at;
  les_buffer text = {0};
  skip(l, 1);
  while (left(l) && *l->at != quote && !l->h->failed) {
    if (*l->at == '\\' && left(l) > 1) {
      unescape(l, &text);
    } else {
      les_buffer_append_byte(&text, (unsigned char)*l->at);
      skip(l, 1);
    }
  }
  if (!left(l)) les_jinja_fail(l->h, "a string has no end");
  les_jinja_value v = les_jinja_take_buffer(l->h, &text);
  if (l->h->failed) return;
  skip(l, 1);
  add(l, LES_JINJA_STRING_TEXT, v.as.string.text, v.as.string.n);
}

/* ---- inside of tags ---- */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void lex_word(lexer *l) {
  size_t n = 1;
  while (n < left(l) && (is_letter(l->at[n]) || is_digit(l->at[n]))) n++;
  add(l, LES_JINJA_NAME, l->at, n);
  skip(l, n);
}

static void lex_number(lexer *l) {
  size_t n = 1;
  while (n < left(l) && is_digit(l->at[n])) n++;
  if (n + 1 < left(l) && l->at[n] == '.' && is_digit(l->at[n + 1]))
    for (n++; n < left(l) && is_digit(l->at[n]);) n++;
  if (n < left(l) && (is_letter(l->at[n])))
    les_jinja_fail(l->h, "a number goes on with '%c', which is not supported", l->at[n]);
  add(l, LES_JINJA_NUMBER, l->at, n);
  skip(l, n);
}

static void lex_operator(lexer *l) {
  static const char *const all[] = {"==", "!=", ">=", "<=", "//", "**", "+", "-", "*", "/", "%", "~", "[",
                                    "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!looking_at(l, all[i])) continue;
    add(l, LES_JINJA_OPERATOR, l->at, strlen(all[i]));
    skip(l, strlen(all[i]));
    return;
  }
  les_jinja_fail(l->h, "the character '%.*s' is not known", (int)les_utf8_next(l->at, left(l), NULL), l->at);
}

/* Whether a tag ends here; inside of brackets, "}}" closes two of them. */
static bool at_end(const lexer *l, const char *close, int brackets) {
  const char *at = l->at + (*l->at == '-' || (*l->at == '+' && *close == '%'));
  return (size_t)(l->end - at) >= 2 && !memcmp(at, close, 2) && brackets == 0;
}

/* From behind "{{" or "{%" to behind its end. */
static void lex_tag(lexer *l, bool block) {
  const char *close = block ? "%}" : "}}";
  int brackets = 0;
  add(l, block ? LES_JINJA_TAG : LES_JINJA_PRINT, l->at, 0);
  for (skip(l, spaces(l)); left(l) && !l->h->failed && !at_end(l, close, brackets); skip(l, spaces(l))) {
    char c = *l->at;
    if (c == '(' || c == '[' || c == '{') brackets++;
    if ((c == ')' || c == ']' || c == '}') && brackets-- == 0) les_jinja_fail(l->h, "'%c' closes nothing", c);
    if (c == '\'' || c == '"')
      lex_string(l);
    else if (is_letter(c))
      lex_word(l);
    else if (is_digit(c))
      lex_number(l);
    else
      lex_operator(l);
  }
  if (!left(l)) les_jinja_fail(l->h, "a tag has no end '%s'", close);
  if (l->h->failed) return;
  char sign = *l->at;
  add(l, block ? LES_JINJA_TAG_END : LES_JINJA_PRINT_END, l->at, 0);
  skip(l, 2 + (sign == '-' || (sign == '+' && block)));
  end_tag(l, sign, block);
}

/* Length of a tag "{% NAME %}" at `at`, the signs included, without what follows; 0: it is another one. */
static size_t tag_length(const lexer *l, const char *at, const char *name, char *sign) {
  const char *c = at + 2;
  size_t n = strlen(name);
  if (c < l->end && (*c == '-' || *c == '+')) c++;
  c += les_text_leading(c, (size_t)(l->end - c), les_is_python_space);
  if ((size_t)(l->end - c) < n || memcmp(c, name, n) != 0) return 0;
  c += n;
  c += les_text_leading(c, (size_t)(l->end - c), les_is_python_space);
  *sign = c < l->end ? *c : 0;
  if (*sign == '-' || *sign == '+') c++;
  return l->end - c >= 2 && !memcmp(c, "%}", 2) ? (size_t)(c + 2 - at) : 0;
}

/* {% raw %} has just ended: its text, up to behind {% endraw %}. */
static void lex_raw(lexer *l) {
  char sign = 0;
  for (const char *at = l->at; (at = memmem(at, (size_t)(l->end - at), "{%", 2)); at += 2) {
    size_t n = tag_length(l, at, "endraw", &sign);
    if (!n) continue;
    const char *stop = at + n;
    add_data(l, (size_t)(at - l->at), '%');
    skip(l, (size_t)(stop - l->at));
    end_tag(l, sign, true);
    return;
  }
  les_jinja_fail(l->h, "raw has no endraw");
}

/* Offset of the next "{{", "{%" or "{#"; the length of the rest if there is none. */
static size_t next_tag(const lexer *l) {
  for (const char *at = l->at; at + 1 < l->end; at++) {
    at = memchr(at, '{', (size_t)(l->end - at));
    if (!at || at + 1 >= l->end) break;
    if (at[1] == '{' || at[1] == '%' || at[1] == '#') return (size_t)(at - l->at);
  }
  return left(l);
}

void les_jinja_lex(les_jinja_heap *h, const char *template, size_t n, les_jinja_tokens *out) {
  lexer l = {.h = h, .at = template, .end = template + n, .out = out, .line_start = true};
  while (left(&l) && !h->failed) {
    size_t plain = next_tag(&l);
    if (plain == left(&l)) {
      add(&l, LES_JINJA_DATA, l.at, plain);
      break;
    }
    char mark = l.at[plain + 1], sign = 0;
    size_t raw = mark == '%' ? tag_length(&l, l.at + plain, "raw", &sign) : 0;
    const char *tag = l.at + plain;
    add_data(&l, plain, mark);
    if (raw) {
      skip(&l, (size_t)(tag + raw - l.at));
      end_tag(&l, sign, false); /* trim_blocks leaves this line break */
      lex_raw(&l);
    } else if (mark == '#') {
      skip_comment(&l);
    } else {
      lex_tag(&l, mark == '%');
    }
  }
  add(&l, LES_JINJA_END, l.at, 0);
}
