#include "token/pattern.h"

#include "base/text.h"

#include <limits.h>
#include <oniguruma.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Bounds of one search. A match may backtrack as often as Oniguruma allows by default, so what the hub's
 * tokenizers match is matched here too; a search, which tries a match at every character, ten times that:
 * about a second. A place to backtrack to takes some 50 bytes. */
enum { MATCH_RETRIES = 10000000, SEARCH_RETRIES = 100000000, BACKTRACK_PLACES = 10000000 };

struct les_pattern {
  regex_t *regex;   /* NULL: */
  les_buffer plain; /* the text to find */
};

struct les_matcher {
  OnigRegion *region;
  OnigMatchParam *bounds;
};

static void initialize(void) {
  OnigEncoding utf8[] = {ONIG_ENCODING_UTF8};
  onig_initialize(utf8, 1);
}

les_status les_pattern_open(les_pattern **out, const char *regex) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  *out = NULL;
  pthread_once(&once, initialize); /* Oniguruma's own start is not safe between threads */
  les_pattern *p = calloc(1, sizeof *p);
  if (!p) return les_no_memory("a pattern");
  const OnigUChar *text = (const OnigUChar *)regex;
  OnigErrorInfo error;
  int rc = onig_new(&p->regex, text, text + strlen(regex), ONIG_OPTION_NONE, ONIG_ENCODING_UTF8,
                    ONIG_SYNTAX_RUBY, &error);
  if (rc != ONIG_NORMAL) {
    p->regex = NULL;
    les_pattern_close(&p);
    OnigUChar why[ONIG_MAX_ERROR_MESSAGE_LEN];
    int n = onig_error_code_to_str(why, rc, &error);
    return les_fail(LES_FAILED, "the pattern '%.200s' cannot be compiled: %.*s", regex, n, (char *)why);
  }
  *out = p;
  return LES_OK;
}

les_status les_pattern_open_literal(les_pattern **out, const char *text, size_t n) {
  les_pattern *p = *out = calloc(1, sizeof *p);
  if (p) les_buffer_append(&p->plain, text, n);
  if (p && !p->plain.failed) return LES_OK;
  les_pattern_close(out);
  return les_no_memory("a pattern");
}

void les_pattern_close(les_pattern **p) {
  if (!*p) return;
  onig_free((*p)->regex);
  les_buffer_free(&(*p)->plain);
  free(*p);
  *p = NULL;
}

les_status les_matcher_open(les_matcher **out) {
  les_matcher *m = *out = calloc(1, sizeof *m);
  if (m) {
    m->region = onig_region_new();
    m->bounds = onig_new_match_param();
  }
  if (!m || !m->region || !m->bounds) {
    les_matcher_close(out);
    return les_no_memory("matching patterns");
  }
  onig_initialize_match_param(m->bounds);
  onig_set_retry_limit_in_match_of_match_param(m->bounds, MATCH_RETRIES);
  onig_set_retry_limit_in_search_of_match_param(m->bounds, SEARCH_RETRIES);
  onig_set_match_stack_limit_size_of_match_param(m->bounds, BACKTRACK_PLACES);
  return LES_OK;
}

void les_matcher_close(les_matcher **m) {
  if (!*m) return;
  if ((*m)->region) onig_region_free((*m)->region, 1);
  if ((*m)->bounds) onig_free_match_param((*m)->bounds);
  free(*m);
  *m = NULL;
}

static bool find_plain(const les_buffer *plain, const char *text, size_t n, size_t from, les_span *match) {
  const char *hit = memmem(text + from, n - from, plain->data, plain->n);
  if (!hit) return false;
  size_t start = (size_t)(hit - text);
  *match = (les_span){start, start + plain->n};
  return true;
}

/* The first match that starts at `from` or later. */
static les_status find(const les_pattern *p, les_matcher *m, const char *text, size_t n, size_t from,
                       les_span *match, bool *found) {
  if (!p->regex) {
    *found = find_plain(&p->plain, text, n, from, match);
    return LES_OK;
  }
  if (n > INT_MAX)
    return les_fail(LES_FAILED, "a text of %zu bytes is too long for a tokenizer's pattern", n);
  const OnigUChar *start = (const OnigUChar *)text, *end = start + n;
  int rc =
      onig_search_with_param(p->regex, start, end, start + from, end, m->region, ONIG_OPTION_NONE, m->bounds);
  *found = rc >= 0;
  if (rc >= 0) {
    *match = (les_span){(size_t)m->region->beg[0], (size_t)m->region->end[0]};
    return LES_OK;
  }
  if (rc == ONIG_MISMATCH) return LES_OK;
  OnigUChar why[ONIG_MAX_ERROR_MESSAGE_LEN];
  int n_why = onig_error_code_to_str(why, rc);
  return les_fail(LES_FAILED,
                  "the tokenizer's pattern cannot be matched at byte %zu of a text of %zu within its bounds: "
                  "%.*s",
                  from, n, n_why, (char *)why);
}

les_status les_match_next(les_match_walk *w, bool *found) {
  *found = false;
  w->gap = w->match.end;
  while (w->from <= w->n) {
    les_span match;
    LES_TRY(find(w->pattern, w->matcher, w->text, w->n, w->from, &match, found));
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
