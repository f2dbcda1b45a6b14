/* What the documents of a task are made of: what the readers of data files (task_rows.h) make, and a task
 * (task.h) holds. */
#ifndef LES_DATA_TASK_ITEM_H
#define LES_DATA_TASK_ITEM_H

#include <stdint.h>

/* A text to be scored: a choice, a last word, a page. */
typedef struct les_task_item {
  char *context;        /* NULL for a page */
  char *continuation;   /* the text that is scored, with the space before it */
  int64_t chars, bytes; /* length of the choice itself, as acc_norm and acc_bytes divide by it */
} les_task_item;

typedef struct les_task_items {
  les_task_item *items; /* (n) with their strings */
  int n;
} les_task_items;

typedef struct les_task_document {
  int line;       /* of the data file */
  int first_item; /* among the items of the task */
  int n_items;
  int gold;             /* right item of a choice */
  int64_t words, bytes; /* of a page before it is rewritten */
} les_task_document;

#endif
