/* How a continuation degenerates (Holtzman et al., 2020): repetition, gibberish, emptiness; and one label a
 * cell. Pure functions of the tokens, the text and log-probabilities. */
#ifndef LES_MEASURE_DEGENERATION_H
#define LES_MEASURE_DEGENERATION_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* A phrase repeated back to back. */
typedef struct les_loop {
  int length; /* tokens of the phrase, the shortest period; 0: no loop */
  int start;  /* index of the first repetition's first token */
  int count;  /* complete repetitions */
  int span;   /* tokens from start to the end of the last repetition, complete or not */
} les_loop;

/* The longest stretch of `tokens` that repeats one phrase at least 3 times (the rule of Holtzman et al.,
 * "The curious case of neural text degeneration", ICLR 2020) over at least 8 tokens. Time n^2. */
les_loop les_loop_find(const int32_t *tokens, int n);

/* distinct-k of Li et al. ("A diversity-promoting objective function for neural conversation models", NAACL
 * 2016) for k = 1, 2, 3: distinct k-grams over all k-grams, so that 1 is a text without any repetition for
 * every k (the paper divides by the number of tokens); 1 - distinct-k is seq-rep-k of Welleck et al.
 * ("Neural text generation with unlikelihood training", ICLR 2020). NaN where there is no k-gram. */
les_status les_distinct(const int32_t *tokens, int n, double distinct[3]);

/* Label of a cell; the numbers are stored in the result file. */
typedef enum les_label {
  LES_LABEL_NONE,       /* not computed */
  LES_LABEL_INTACT,     /* the same tokens as the intact run */
  LES_LABEL_DRIFTED,    /* another text that reads like the model's */
  LES_LABEL_REPETITION, /* caught in a loop */
  LES_LABEL_GIBBERISH,  /* no text that the intact model would expect */
  LES_LABEL_EMPTY,      /* no token, or nothing but white space */
  LES_LABEL_NAN,        /* ended by logits that are NaN */
  LES_N_LABELS
} les_label;

/* "intact" ... "nan"; NULL for LES_LABEL_NONE. */
const char *les_label_name(les_label label);

/* What the label is decided by. */
typedef struct les_signs {
  bool nan;      /* a logit was NaN */
  bool same;     /* the tokens are the intact run's */
  bool blank;    /* the text is empty or white space */
  int n_tokens;  /* of the continuation */
  les_loop loop; /* of the continuation */
  double distinct_3;
  double logprob; /* mean ln p of the continuation's tokens under the intact model, given the prompt */
  bool greedy;    /* its tokens are the most likely ones; false: they were sampled */
  double symbols; /* share of its characters that are neither letters nor spaces: les_text_symbols */
  int n_vocab;    /* of the model */
} les_signs;

/* The first that holds:
 * - nan, empty, intact;
 * - repetition: a loop covers a fifth of the tokens or more, or less than two thirds of the 3-grams are
 *   distinct (seq-rep-3 over one third);
 * - gibberish, of 16 tokens or more: with s = -logprob / ln n_vocab (1 for a uniform guess), the intact model
 *   finds the tokens as good as random (s > 0.75), or too unlikely for text that was not sampled (logprob
 *   < -3.5), or they are unlikely and full of signs (s > 0.25 and s + symbols > 0.57);
 * - drifted.
 * Set on continuations of two trained models that were labelled by hand; precision and recall are in
 * docs/measures.md. */
les_label les_label_of(const les_signs *s);

#endif
