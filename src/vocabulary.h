/* A byte-level BPE vocabulary for models that are made up: every byte, one end token, and merges of letters
 * until there are as many tokens as asked for. */
#ifndef LES_VOCABULARY_H
#define LES_VOCABULARY_H

#include "status.h"

#include <stdbool.h>

enum { LES_VOCABULARY_END = 256, LES_VOCABULARY_MIN = 257, LES_VOCABULARY_MAX = 457909 };

/* A token as vocabularies write it (bytes as GPT-2's printable characters), null-terminated. */
typedef struct les_vocabulary_token {
  char text[16];
} les_vocabulary_token;

/* Token i from 0 to LES_VOCABULARY_MAX - 1. */
les_vocabulary_token les_vocabulary_at(int i);

/* The merge "left right" that makes token i; i > LES_VOCABULARY_END. */
les_vocabulary_token les_vocabulary_merge(int i);

#endif
