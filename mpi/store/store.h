/* The cells of a result file (layout: result/schema.h), written by many ranks at once.
 *
 * The file has every data set at its full size and place from the beginning (store_create.h); then each rank
 * writes the bytes of its own cells where they belong, independently: values first, the cell's check sum, its
 * status last. No HDF5 metadata changes while cells are written, so that a rank may die at any moment. A
 * completed lesion is synced and gets a SHA-256 of its rows, verified at the next start. */
#ifndef LES_STORE_STORE_H
#define LES_STORE_STORE_H

#include "grid/grid.h"
#include "job/study.h"

typedef struct les_store les_store;

/* Local. Opens a file that matches for reading and writing cells. */
les_status les_store_open(les_store **out, const char *path, const les_study *study);
void les_store_close(les_store **s);

/* Local. Writes the record of a cell (study->layout) and flags it done. */
les_status les_store_put(les_store *s, les_cell cell, const void *record);

/* Local. Flags a cell as failed; its values are emptied. */
les_status les_store_put_failed(les_store *s, les_cell cell);

/* Local. Syncs: what this node has written so far is on the disk. */
les_status les_store_sync(les_store *s);

/* Local. Reads the status of all cells into the grid. */
les_status les_store_read_status(const les_store *s, les_grid *grid);

/* Local. Status of one cell, as the file has it now. */
les_status les_store_get_status(const les_store *s, les_cell cell, uint8_t *status);

/* Rank 0. Reads the status of all cells into the grid and verifies the check sums of those that are done. A
 * cell that is damaged is to do again; so are all cells of a completed lesion that is. Counts what was reset.
 */
les_status les_store_verify(les_store *s, les_grid *grid, int *damaged_lesions, int64_t *damaged_cells);

/* Rank 0. All cells of a lesion are final: stores the SHA-256 of its rows, marks it done, syncs. */
les_status les_store_checkpoint(les_store *s, int lesion);

/* Local. True if the lesion is marked done. */
les_status les_store_lesion_done(const les_store *s, int lesion, bool *done);

/* Local. Mean over its prompts (NaN left out) of the measure that stands for a lesion's damage in progress
 * lines (LES_PREFER_TEXT). *name is NULL if the sweep has none. */
les_status les_store_mean(const les_store *s, int lesion, const char **name, double *mean);

#endif
