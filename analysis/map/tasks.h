/* Accuracies by task, intact and under each lesion, with the standard errors of lm-evaluation-harness. */
#ifndef LES_MAP_TASKS_H
#define LES_MAP_TASKS_H

#include "map/damage.h"

/* One lesion on one task, which is a domain of prompts or documents with answers, by one metric. */
typedef struct les_task_row {
  int lesion;
  const char *task;   /* the domain; the result's string */
  const char *metric; /* "acc", "acc_norm", "acc_bytes" */
  int n, lost;        /* documents where both runs are scored; of these lost cells, which count as wrong */
  double intact, intact_error, lesioned, lesioned_error; /* means and their standard errors */
  double difference, difference_error;                   /* lesioned minus intact, paired by document */
  double p, p_holm; /* McNemar's exact test; Holm over all rows of the lesions tested together */
} les_task_row;

typedef struct les_tasks {
  int n;
  les_task_row *rows; /* (n) by lesion, then task, then metric */
} les_tasks;

/* Empty if the result has no `acc`. */
les_status les_tasks_compute(les_tasks *out, const les_damage *d);
void les_tasks_free(les_tasks *t);

#endif
