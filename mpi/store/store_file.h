/* A result file as a whole: whether there is one, whether it is this job's, how much of it is done, and the
 * history of its starts. The schema is in result/schema.h; its cells are read and written by store.h. */
#ifndef LES_STORE_STORE_FILE_H
#define LES_STORE_STORE_FILE_H

#include "job/study.h"

/* Local. True if there is a result file to resume; a link or anything but a file is an error. */
les_status les_store_exists(const char *path, bool *exists);

/* Local. LES_FAILED with what differs if the file is not of this job. */
les_status les_store_match(const char *path, const les_study *study);

/* How many cells of a file are done and failed; all 0 if there is no such file yet. Local; while others
 * write. */
typedef struct les_store_count {
  int64_t total, done, failed;
} les_store_count;
les_status les_store_count_cells(const char *path, les_store_count *count);

/* What the attributes of / say of the starts so far. */
typedef struct les_store_history {
  int64_t cells_computed; /* over all starts */
  int64_t cells_flagged;  /* cells that were final when this was written */
  int64_t starts;
  char finished[32]; /* date, "" while there are cells to do */
  char hosts[1024];  /* comma-separated, in the order of appearance */
} les_store_history;

/* Rank 0. Reads and writes the history, in place. */
les_status les_store_get_history(const char *path, les_store_history *h);
les_status les_store_set_history(const char *path, const les_store_history *h);

#endif
