/* How a continuation fails: repetition, gibberish, emptiness; and one label a cell. Pure functions of the
 * tokens, the text and numbers that the run gives. */
#ifndef LES_MEASURE_DEGENERATION_H
#define LES_MEASURE_DEGENERATION_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* A phrase repeated without a gap. */
typedef struct les_loop {
  int length; /* tokens of the phrase, the shortest that does it; 0: no loop */
  int start;  /* first token of the first time, counted from 0 */
  int count;  /* whole times */
  int span;   /* tokens from start to the end of the last, perhaps broken off, time */
} les_loop;

/* The longest stretch of `tokens` that repeats one phrase at least 3 times (the rule of Holtzman et al.,
 * "The curious case of neural text degeneration", ICLR 2020) over at least 8 tokens. Time n^2. */
les_loop les_loop_find(const int32_t *tokens, int n);

/* distinct-k of Li et al. ("A diversity-promoting objective function for neural conversation models", NAACL
 * 2016) for k = 1, 2, 3: different k-grams over all k-grams, so that 1 is a text without any repetition for
 * every k (the paper divides by the number of tokens); 1 - distinct-k is seq-rep-k of Welleck et al.
 * ("Neural text generation with unlikelihood training", ICLR 2020). NaN where there is no k-gram. */
les_status les_distinct(const int32_t *tokens, int n, double distinct[3]);

/* Label of a cell; the numbers are stored in the result file. */
typedef enum les_label {
  LES_LABEL_NONE,       /* not computed */
  LES_LABEL_INTACT,     /* the intact run's tokens */
  LES_LABEL_DRIFTED,    /* another text that reads like the model's */
  LES_LABEL_REPETITION, /* caught in a loop */
  LES_LABEL_GIBBERISH,  /* no text that the intact model would expect */
  LES_LABEL_EMPTY,      /* no token, or nothing but white space */
  LES_LABEL_NAN,        /* ended by logits that are not numbers */
  LES_N_LABELS
} les_label;

/* "intact" ... "nan"; NULL for LES_LABEL_NONE. */
const char *les_label_name(les_label label);

/* What the label is decided by. */
typedef struct les_signs {
  bool nan;      /* logits were not numbers */
  bool same;     /* the tokens are the intact run's */
  bool blank;    /* the text is empty or white space */
  int n_tokens;  /* of the continuation */
  les_loop loop; /* of the continuation */
  double distinct_3;
  double logprob; /* mean ln p of the continuation's tokens under the intact model, given the prompt */
  double known;   /* share of its plain words that are known: les_words_known */
  int n_vocab;    /* of the model */
} les_signs;

/* The first that holds:
 * - nan, empty, intact;
 * - repetition: a loop covers a fifth of the tokens or more, or less than half of the 3-grams are
 *   different (seq-rep-3 over one half);
 * - gibberish: the intact model finds the tokens as good as random, logprob < -0.75 ln n_vocab (a uniform
 *   guess has -ln n_vocab); or it finds them unlikely, logprob < -0.45 ln n_vocab, and less than 0.6 of the
 *   words are known;
 * - drifted.
 * The bounds are this program's own; their precision and recall are in docs/measures.md. */
les_label les_label_of(const les_signs *s);

#endif
