/* The table of tasks, and what the readers of their documents share. For the files of the task module. */
#ifndef LES_DATA_TASK_ROWS_H
#define LES_DATA_TASK_ROWS_H

#include "base/json.h"
#include "data/task.h"

/* Reads one document: appends its items to the task and sets doc's gold, words and bytes. */
typedef les_status les_task_reader(les_task *task, les_task_document *doc, const cJSON *json,
                                   les_json_source at);

typedef struct les_task_row {
  const char *name;
  les_task_kind kind;
  bool normalized; /* acc_norm and acc_bytes are defined */
  les_task_reader *read;
} les_task_row;

extern const les_task_row les_task_rows[];
extern const int les_n_task_rows;

#endif
