/* Columns: what the model is asked under each lesion of a study. A prompt is a column, and so is a document
 * of a task. To everything that computes, hands out, stores or counts cells a column is one or more inputs to
 * the engine and one function that turns their outcomes into a record; what kind it is of, only this module
 * knows. A new kind is one more function that adds columns and one that records. */
#ifndef LES_JOB_COLUMN_H
#define LES_JOB_COLUMN_H

#include "job/record.h"

/* What the engine gave for the inputs of a column under one lesion. An outcome lives no longer than the
 * engine's call about it, and those of several inputs come one by one; of each the log-likelihood is kept. */
typedef struct les_cell_outcomes {
  const les_outcome *only;   /* of a column with one input; NULL: it has several, or none */
  const les_loglik *logliks; /* (n_inputs) of the tokens after each input's read_from; NaN if not read */
} les_cell_outcomes;

typedef struct les_column les_column;

/* Fills the record of a cell of this column. */
typedef les_status les_column_record_fn(const les_column *column, const les_recorder *r,
                                        const les_cell_outcomes *outcomes, void *record);

struct les_column {
  char *id, *domain, *text;  /* as they are stored: /prompts/id, domain, text */
  int first_input, n_inputs; /* its part of les_columns.inputs; a page without a token has none */
  les_column_record_fn *record;
  const void *source; /* record's own: what the column was made from */
  int place;          /* record's own: where in it */
};

/* The columns of a study, in the order in which they were added, which nothing depends on but the order of
 * the result. Starts as {0}. */
typedef struct les_columns {
  les_column *items; /* (n) */
  int n;
  les_input *inputs; /* (n_inputs) of all columns; tokens are borrowed from prompts and tasks */
  int n_inputs;
} les_columns;

/* Adds a column for each prompt: its tokens, continued by up to max_new_tokens, with what is wanted of that
 * (LES_WANT_ flags). The prompts are borrowed. */
les_status les_columns_add_prompts(les_columns *c, const les_prompts *prompts, int max_new_tokens,
                                   unsigned want);

/* Adds a column for each document of a tokenized task: its requests. The domain is `name`, the id NAME-LINE,
 * the text the context of the first item. The task is borrowed. */
les_status les_columns_add_task(les_columns *c, const les_task *task, const char *name);

void les_columns_free(les_columns *c);

/* Tokens that a cell of the i-th column takes at most, read and generated: its cost to the scheduler. */
int64_t les_columns_cost(const les_columns *c, int i);

#endif
