/* A byte-level BPE vocabulary for made-up models: every byte, one end token, and as many merges of letters as
 * the vocabulary has room for. */
#ifndef LES_SYNTH_SYNTH_VOCAB_H
#define LES_SYNTH_SYNTH_VOCAB_H

#include "base/status.h"

#include <stdbool.h>

enum { LES_SYNTH_VOCAB_END = 256, LES_SYNTH_VOCAB_MIN = 257, LES_SYNTH_VOCAB_MAX = 457909 };

/* A token as vocabularies write it (bytes as GPT-2's printable characters), null-terminated. */
typedef struct les_synth_vocab_token {
  char text[16];
} les_synth_vocab_token;

/* Token i from 0 to LES_SYNTH_VOCAB_MAX - 1. */
les_synth_vocab_token les_synth_vocab_at(int i);

/* The merge "left right" that makes token i; i > LES_SYNTH_VOCAB_END. */
les_synth_vocab_token les_synth_vocab_merge(int i);

#endif
