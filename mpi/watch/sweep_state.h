/* What rank 0 knows of a sweep and tells about it: which cells are done and which are handed out, when a
 * lesion is complete (its checkpoint), how fast it goes, what has failed. Whether cells are computed by other
 * ranks or by rank 0 itself makes no difference here. Rank 0 only. */
#ifndef LES_WATCH_SWEEP_STATE_H
#define LES_WATCH_SWEEP_STATE_H

#include "grid/scheduler.h"
#include "store/store.h"
#include "watch/events.h"

/* Whom a sweep tells how it goes. Any function may be NULL. */
typedef struct les_observer {
  void *ctx;
  /* A lesion is complete; measure NULL: there is no divergence to tell. */
  void (*lesion)(void *ctx, const char *spec, int complete, int lesions, const char *measure, double mean);
  /* About once a second. eta: seconds left, negative while not known. */
  void (*progress)(void *ctx, int64_t done, int64_t total, double rate, double eta);
  /* Something that the user should know, one line. */
  void (*note)(void *ctx, const char *text);
} les_observer;

/* A worker as `lesion status` shows it. */
typedef struct les_worker_view {
  const char *host, *state; /* "starting", "loading", "idle", "computing", "gone" */
  int pid;
  int tile_cells; /* of the tile in work */
  int64_t cells;  /* done since it started */
  double seconds; /* in this state */
} les_worker_view;

typedef struct les_sweep_state les_sweep_state;

/* Goes on from what `store` holds, damaged cells put back to do, for n_workers. Borrows store, study and
 * observer. `verdict` (may be NULL) stands in the status file, so that a launcher knows its own. */
les_status les_sweep_state_open(les_sweep_state **out, const char *path, const les_study *study,
                                les_store *store, int n_workers, const les_observer *observer,
                                const char *verdict);
void les_sweep_state_close(les_sweep_state **ledger);

const les_grid *les_sweep_state_grid(const les_sweep_state *l);

/* The next tile for a worker, NULL if there is none now. */
les_status les_sweep_state_next(les_sweep_state *l, int worker, les_tile **tile);

/* A cell's record and flag are in the file. Checkpoints its lesion if that is complete. */
les_status les_sweep_state_done(les_sweep_state *l, les_cell cell);

/* The worker is through with its tile. */
les_status les_sweep_state_end(les_sweep_state *l, les_tile *tile);

/* The tile failed or its worker died. Cells that it flagged before are counted; the rest are handed out
 * again, and a cell that has done this twice alone is marked failed with the reason. */
les_status les_sweep_state_lost(les_sweep_state *l, les_tile *tile, const char *reason);

/* To be called often: once a second it tells the observer and renews the status file. */
void les_sweep_state_tick(les_sweep_state *l, const les_worker_view *workers, int n_workers);

/* A line of the log of events (see les_events_add), and one for the observer if `note` is not NULL. */
void les_sweep_state_event(les_sweep_state *l, const char *name, cJSON *details, const char *note);

/* The end of this start: syncs, writes the history and the end marker with the exit code and the message.
 * Also after failures. */
les_status les_sweep_state_finish(les_sweep_state *l, int code, const char *message);

#endif
