/* Writing of the result file (layout: result.h) by many ranks at once.
 *
 * The file is created once, by all ranks through parallel HDF5, with every data set at its full size and
 * place; then each rank writes the bytes of its own cells where they belong, independently: values first, the
 * cell's check sum, its status last. No HDF5 metadata changes while cells are written, so that a rank may die
 * at any moment. A completed lesion is synced and gets a SHA-256 of its rows, verified at the next start. */
#ifndef LES_STORE_STORE_H
#define LES_STORE_STORE_H

#include "grid/grid.h"
#include "job/study.h"

#include <mpi.h>

typedef struct les_store les_store;

/* Collective over comm. Makes `path` with nothing computed: written aside, synced, renamed. The caller holds
 * the lock and has seen that nothing is there. */
les_status les_store_create(const char *path, const les_study *study, MPI_Comm comm);

/* Local. True if there is a result file to go on with; a link or anything but a file is an error. */
les_status les_store_exists(const char *path, bool *exists);

/* Local. LES_FAILED with what differs if the file is not of this job. */
les_status les_store_match(const char *path, const les_study *study);

/* Local. Opens a file that matches for reading and writing cells. */
les_status les_store_open(les_store **out, const char *path, const les_study *study);
void les_store_close(les_store **s);

/* Local. Writes the record of a cell (study->layout) and flags it done. */
les_status les_store_put(les_store *s, les_cell cell, const void *record);

/* Local. Flags a cell as failed; its values are emptied. */
les_status les_store_put_failed(les_store *s, les_cell cell);

/* Local. Everything that this process' node has written so far is on the disk. */
les_status les_store_sync(les_store *s);

/* Local. Reads the status of all cells into the grid. */
les_status les_store_read_status(const les_store *s, les_grid *grid);

/* Local. Status of one cell, as the file has it now. */
les_status les_store_get_status(const les_store *s, les_cell cell, uint8_t *status);

/* Rank 0. Reads the grid and checks what it says is done: cells of which the bytes are not those that were
 * written are put back to do, whole lesions where a completed one is damaged. Counts what was put back. */
les_status les_store_verify(les_store *s, les_grid *grid, int *damaged_lesions, int64_t *damaged_cells);

/* Rank 0. All cells of a lesion are final: stores the SHA-256 of its rows, marks it done, syncs. */
les_status les_store_checkpoint(les_store *s, int lesion);

/* Local. True if the lesion is marked done. */
les_status les_store_lesion_done(const les_store *s, int lesion, bool *done);

/* Local. Mean over its prompts (NaN left out) of the measure that stands for a lesion's damage in progress
 * lines (LES_PREFER_TEXT). *name is NULL if the sweep has none. */
les_status les_store_mean(const les_store *s, int lesion, const char **name, double *mean);

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
