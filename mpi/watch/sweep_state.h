/* What rank 0 knows and reports about a sweep: which cells are done and which are handed out, when a
 * lesion is complete (its checkpoint), how fast it goes, what has failed. It makes no difference here where
 * cells are computed. All of it is for rank 0 only. */
#ifndef LES_WATCH_SWEEP_STATE_H
#define LES_WATCH_SWEEP_STATE_H

#include "grid/scheduler.h"
#include "store/store.h"
#include "watch/events.h"

/* Who is informed of the progress of a sweep. Any function may be NULL. */
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

/* Rank 0. Goes on from what `store` holds, damaged cells put back to do, for n_workers. Borrows store, study
 * and observer. `exit_status_file` (may be NULL) is named in the status file, by which a launcher knows its
 * own sweep. */
les_status les_sweep_state_open(les_sweep_state **out, const char *path, const les_study *study,
                                les_store *store, int n_workers, const les_observer *observer,
                                const char *exit_status_file);
void les_sweep_state_close(les_sweep_state **state);

/* The cells and what is known of them; changes as the sweep proceeds. */
const les_grid *les_sweep_state_grid(const les_sweep_state *s);

/* The next tile for a worker, NULL if there is none now. */
les_status les_sweep_state_next(les_sweep_state *s, int worker, les_tile **tile);

/* A cell's record and flag are in the file. Checkpoints its lesion if that is complete. */
les_status les_sweep_state_done(les_sweep_state *s, les_cell cell);

/* The worker has finished its tile, or was stopped: what it left of it is handed out again. */
les_status les_sweep_state_end(les_sweep_state *s, les_tile *tile);

/* The tile failed or its worker died. Cells that it flagged before are counted; the rest are handed out
 * again, and a cell that has failed alone twice is marked failed with the reason. */
les_status les_sweep_state_lost(les_sweep_state *s, les_tile *tile, const char *reason);

/* To be called often: once a second it informs the observer and rewrites the status file. */
void les_sweep_state_tick(les_sweep_state *s, const les_worker_view *workers, int n_workers);

/* A line of the log of events; the event (les_event_make) is freed. `note`, if not NULL, is passed to the
 * observer. */
void les_sweep_state_event(les_sweep_state *s, cJSON *event, const char *note);

/* The end of this start: syncs, writes the history and the end marker with the exit code and the message.
 * Also after failures. */
les_status les_sweep_state_finish(les_sweep_state *s, int code, const char *message);

#endif
