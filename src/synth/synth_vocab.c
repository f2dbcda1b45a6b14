#include "synth/synth_vocab.h"

#include "base/text.h"
#include "token/pretokenizer.h"

#include <stdio.h>
#include <string.h>

enum { LETTERS = 26, PAIRS = LETTERS * LETTERS, FIRST_MERGE = LES_SYNTH_VOCAB_END + 1 };

/* A byte as its letter in GPT-2's alphabet. */
static les_synth_vocab_token byte_token(int byte) {
  les_synth_vocab_token t = {{0}};
  les_utf8_encode(t.text, les_byte_to_unicode((unsigned char)byte));
  return t;
}

static les_synth_vocab_token join(const char *left, const char *between, const char *right) {
  les_synth_vocab_token t;
  snprintf(t.text, sizeof t.text, "%.5s%s%.5s", left, between, right);
  return t;
}

/* The halves of merge number m: two letters, and after these, two pairs of letters. */
static les_synth_vocab_token merge(int m, const char *between) {
  if (m < PAIRS) {
    char left[2] = {(char)('a' + m / LETTERS)}, right[2] = {(char)('a' + m % LETTERS)};
    return join(left, between, right);
  }
  m -= PAIRS;
  return join(merge(m / PAIRS, "").text, between, merge(m % PAIRS, "").text);
}

les_synth_vocab_token les_synth_vocab_at(int i) {
  if (i < LES_SYNTH_VOCAB_END) return byte_token(i);
  if (i == LES_SYNTH_VOCAB_END) return (les_synth_vocab_token){"<|end|>"};
  return merge(i - FIRST_MERGE, "");
}

les_synth_vocab_token les_synth_vocab_merge(int i) {
  return merge(i - FIRST_MERGE, " ");
}
