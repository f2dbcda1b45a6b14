/* The table of tasks: what each is called, how its data file is read and how its documents are scored. */
#ifndef LES_DATA_TASK_ROWS_H
#define LES_DATA_TASK_ROWS_H

#include "base/json.h"
#include "data/task_item.h"

/* How a document is scored. */
typedef enum les_task_kind {
  LES_TASK_CHOICE,    /* the most likely of several items should be the right one */
  LES_TASK_LAST_WORD, /* one item, which should be the greedy continuation */
  LES_TASK_PAGE,      /* one item, a long text that is scored in rolling windows */
} les_task_kind;

/* Reads one document: appends its items and sets doc's gold, words and bytes. */
typedef les_status les_task_reader(les_task_items *items, les_task_document *doc, const cJSON *json,
                                   les_json_source at);

typedef struct les_task_row {
  const char *name;
  les_task_kind kind;
  bool normalized; /* acc_norm and acc_bytes are defined */
  les_task_reader *read;
  bool plain; /* a data file that is no .jsonl is one document, read as {"text": the whole file} */
} les_task_row;

extern const les_task_row les_task_rows[];
extern const int les_n_task_rows;

#endif
