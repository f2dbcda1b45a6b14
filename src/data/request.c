#include "data/request.h"

#include "data/rewrite.h"

#include <stdlib.h>
#include <string.h>

void les_requests_free(les_requests *r) {
  for (int i = 0; i < r->n; i++) free((void *)r->items[i].tokens); /* const to those who only score */
  free(r->items);
  *r = (les_requests){0};
}

les_status les_request_rules_make(les_request_rules *out, const les_tokenizer *tokenizer, int32_t eos,
                                  int n_ctx, int max_length) {
  if (max_length < 0 || max_length > n_ctx)
    return les_fail(LES_USAGE, "the most tokens to be read at once can be 1 to the model's %d, not %d", n_ctx,
                    max_length);
  int32_t begin = les_tokenizer_bos(tokenizer);
  *out = (les_request_rules){tokenizer, begin >= 0 ? begin : eos, max_length ? max_length : n_ctx};
  return LES_OK;
}

static les_status no_memory(void) {
  return les_no_memory("requests");
}

/* A begin token that the text spells out itself is not put in front a second time. */
static les_status encode(const les_request_rules *rules, const char *text, size_t n, bool bos,
                         les_tokens *out) {
  LES_TRY(les_encode(rules->tokenizer, text, n, &(les_encode_options){.bos = bos, .special = true}, out));
  int32_t begin = les_tokenizer_bos(rules->tokenizer);
  if (bos && begin >= 0 && out->n > 1 && out->ids[0] == begin && out->ids[1] == begin)
    memmove(out->ids, out->ids + 1, (size_t)--out->n * sizeof *out->ids);
  return LES_OK;
}

/* Appends `before` followed by `scored`, of which at most the last max_length + 1 tokens are kept. */
static les_status add(les_requests *r, const les_request_rules *rules, const int32_t *before, int n_before,
                      const int32_t *scored, int n_scored) {
  if (n_scored < 1) return les_fail(LES_FAILED, "the continuation has no tokens of its own");
  if (n_before < 1) return les_fail(LES_FAILED, "nothing stands before the first token that is scored");
  if (n_scored > rules->max_length)
    return les_fail(LES_FAILED, "the continuation has %d tokens, more than the %d that the model may read",
                    n_scored, rules->max_length);
  if (n_before > rules->max_length + 1 - n_scored) {
    before += n_before - (rules->max_length + 1 - n_scored);
    n_before = rules->max_length + 1 - n_scored;
  }
  if ((r->n & (r->n - 1)) == 0) { /* room for as many again */
    les_request *items = realloc(r->items, (size_t)(r->n ? 2 * r->n : 1) * sizeof *items);
    if (!items) return no_memory();
    r->items = items;
  }
  int32_t *ids = malloc((size_t)(n_before + n_scored) * sizeof *ids);
  if (!ids) return no_memory();
  memcpy(ids, before, (size_t)n_before * sizeof *ids);
  memcpy(ids + n_before, scored, (size_t)n_scored * sizeof *ids);
  r->items[r->n++] = (les_request){ids, n_before + n_scored, n_scored};
  return LES_OK;
}

static les_status no_prefix(void) {
  return les_fail(LES_FAILED, "a text without context needs a begin or an end token in front; the model "
                              "declares neither");
}

static les_status add_without_context(les_requests *r, const les_request_rules *rules, const char *text) {
  if (rules->prefix < 0) return no_prefix();
  les_tokens t;
  LES_TRY(encode(rules, text, strlen(text), false, &t));
  bool begins = t.n > 0 && t.ids[0] == rules->prefix;
  les_status s =
      begins ? add(r, rules, t.ids, 1, t.ids + 1, t.n - 1) : add(r, rules, &rules->prefix, 1, t.ids, t.n);
  les_tokens_free(&t);
  return s;
}

les_status les_request_add_pair(les_requests *r, const les_request_rules *rules, const char *context,
                                const char *continuation) {
  if (!*context) return add_without_context(r, rules, continuation);
  size_t n_context = strlen(context), n_continuation = strlen(continuation);
  char *whole = malloc(n_context + n_continuation + 1);
  if (!whole) return no_memory();
  strcpy(mempcpy(whole, context, n_context), continuation);
  les_tokens before = {0}, all = {0};
  les_status s = encode(rules, whole, n_context + n_continuation, true, &all);
  if (s == LES_OK) s = encode(rules, whole, n_context - les_rewrite_trailing_space(context), true, &before);
  int n_scored = all.n > before.n ? all.n - before.n : 0;
  if (s == LES_OK) s = add(r, rules, before.ids, before.n, all.ids + (all.n - n_scored), n_scored);
  les_tokens_free(&before);
  les_tokens_free(&all);
  free(whole);
  return s;
}

les_status les_request_add_rolling(les_requests *r, const les_request_rules *rules, const char *text) {
  if (rules->prefix < 0) return no_prefix();
  les_tokens t;
  LES_TRY(encode(rules, text, strlen(text), true, &t));
  int first = t.n < rules->max_length ? t.n : rules->max_length;
  les_status s = first ? add(r, rules, &rules->prefix, 1, t.ids, first) : LES_OK;
  for (int done = first; done < t.n && s == LES_OK;) {
    int n = t.n - done < rules->max_length ? t.n - done : rules->max_length;
    s = add(r, rules, t.ids, done, t.ids + done, n);
    done += n;
  }
  les_tokens_free(&t);
  return s;
}

les_status les_request_add_chunks(les_requests *r, const les_request_rules *rules, const char *text) {
  les_tokens t;
  size_t n = strlen(text);
  int chunk = rules->max_length, n_scored = chunk - chunk / 2 - 1;
  if (n > 0 && text[n - 1] == '\n') n--;
  LES_TRY(les_encode(rules->tokenizer, text, n, &(les_encode_options){.bos = true}, &t));
  les_status s = LES_OK;
  if (t.n / 2 < chunk)
    s = les_fail(LES_FAILED,
                 "has %d tokens, fewer than two chunks of %d; use a longer text or a smaller window", t.n,
                 chunk);
  int32_t begin = les_tokenizer_bos(rules->tokenizer);
  for (int at = 0; at + chunk <= t.n && s == LES_OK; at += chunk) {
    if (begin >= 0) t.ids[at] = begin;
    s = add(r, rules, t.ids + at, chunk - n_scored, t.ids + at + chunk - n_scored, n_scored);
  }
  les_tokens_free(&t);
  return s;
}
