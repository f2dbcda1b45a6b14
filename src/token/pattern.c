#include "token/pattern.h"

#include "base/text.h"

#include <limits.h>
#include <oniguruma.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Bounds on backtracking, counted in retries, of which a second makes about a hundred million. A match may
 * take as many as Oniguruma allows by default, so what the hub's tokenizers match is matched here too; a
 * search, which tries a match at every character, ten times that; and all searches of a text RETRIES and
 * RETRIES_PER_BYTE together. Up to FREE_RETRIES a search is not counted: tokenizers stay far below that. A
 * place to backtrack to takes some 50 bytes. */
enum {
  FREE_RETRIES = 1000,
  RETRIES_PER_BYTE = 1000,
  MATCH_RETRIES = 10000000,
  SEARCH_RETRIES = 100000000,
  RETRIES = 200000000,
  BACKTRACK_PLACES = 10000000
};

struct les_pattern {
  regex_t *regex;   /* NULL: */
  les_buffer plain; /* the text to find */
};

struct les_matcher {
  OnigRegion *region;
  OnigMatchParam *bounds;
  int64_t retries_left; /* of the text */
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
  onig_set_match_stack_limit_size_of_match_param(m->bounds, BACKTRACK_PLACES);
  m->retries_left = RETRIES;
  return LES_OK;
}

void les_matcher_close(les_matcher **m) {
  if (!*m) return;
  if ((*m)->region) onig_region_free((*m)->region, 1);
  if ((*m)->bounds) onig_free_match_param((*m)->bounds);
  free(*m);
  *m = NULL;
}

/* onig_search within the bounds. Oniguruma does not say how many retries a search took, only that a limit did
 * not suffice; so limits are tried from the lowest, each double the one before and taken off the text's. */
static int search(const les_pattern *p, les_matcher *m, const OnigUChar *text, size_t n, size_t from) {
  int rc;
  for (int64_t limit = FREE_RETRIES;; limit *= 2) {
    if (limit > SEARCH_RETRIES) limit = SEARCH_RETRIES;
    if (limit > FREE_RETRIES) {
      if (limit > m->retries_left) return ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER;
      m->retries_left -= limit;
    }
    onig_set_retry_limit_in_search_of_match_param(m->bounds, (unsigned long)limit);
    rc = onig_search_with_param(p->regex, text, text + n, text + from, text + n, m->region, ONIG_OPTION_NONE,
                                m->bounds);
    if (rc != ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER || limit == SEARCH_RETRIES) return rc;
  }
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
  int rc = search(p, m, (const OnigUChar *)text, n, from);
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
  if (w->from == 0) w->matcher->retries_left += (int64_t)w->n * RETRIES_PER_BYTE;
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
