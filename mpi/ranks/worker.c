#include "ranks/worker.h"

#include "base/clock.h"
#include "store/mpi_check.h"
#include "watch/process.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Silence from a rank 0 on another node after which it counts as gone. */
static const double root_silence = 600;
static const double report_interval = 0.2, longest_sleep = 0.004;

typedef struct worker {
  MPI_Comm root;
  const les_tile_runner *runner;
  const les_grid *grid;
  les_welcome welcome;
  bool root_is_here; /* on this node */
  pid_t parent;
  pthread_mutex_t lock; /* one thread at a time in MPI, and for all below */
  les_report report;
  double heard, sent;
  bool stop, ended, closing;
  bool confused; /* rank 0 has sent what no worker understands */
  les_tile_message tile;
  les_end end;
} worker;

/* ---- rank 0 is reached or is gone ---------------------------------------------------------------------- */

/* Nobody will ever ask for anything again, and a new start waits for the lock. The cells written are in the
 * file. */
static _Noreturn void leave(void) {
  _exit(1);
}

/* The launcher or rank 0 is gone. */
static bool orphaned(const worker *w) {
  if (getppid() != w->parent) return true;
  if (w->root_is_here) return les_process_state_of(w->welcome.pid) == LES_PROCESS_GONE;
  return les_now() - w->heard > root_silence;
}

/* An MPI call that fails on the way to rank 0 means that rank 0 is gone, for this worker at least: rank 0, if
 * it lives, sees the worker end and replaces it. */
static void need_root(int result) {
  if (result != MPI_SUCCESS) leave();
}

static void send_root(const worker *w, int tag, const void *body, size_t bytes) {
  need_root(MPI_Send(body, (int)bytes, MPI_BYTE, 0, tag, w->root));
}

static void send_report(worker *w) {
  send_root(w, LES_TAG_REPORT, &w->report,
            offsetof(les_report, cells) + (size_t)w->report.n * sizeof(int32_t));
  w->report.n = 0;
  w->sent = les_now();
}

static les_error make_error(int tile, bool fatal) {
  les_error e = {.tile = tile, .fatal = fatal};
  snprintf(e.text, sizeof e.text, "%s", les_message());
  return e;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

/* The second thread: reports cells soon after they are done, and heartbeats while one takes long. */
static void *reporter(void *ctx) {
  worker *w = ctx;
  for (bool closing = false; !closing; les_sleep(report_interval)) {
    do { /* the other thread may be sending to a rank 0 that is gone, which takes for ever */
      if (orphaned(w)) leave();
    } while (pthread_mutex_trylock(&w->lock) != 0 && (les_sleep(0.01), true));
    closing = w->closing;
    if (!closing && (w->report.n > 0 || les_now() - w->sent > w->welcome.heartbeat)) send_report(w);
    pthread_mutex_unlock(&w->lock);
  }
  return NULL;
}

/* Where a message of rank 0 goes; false for a tag that rank 0 does not send. */
static bool find_place(worker *w, int tag, void **body, size_t *bytes) {
  switch (tag) {
  case LES_TAG_WELCOME:
    return *body = &w->welcome, *bytes = sizeof w->welcome, true;
  case LES_TAG_TILE:
    return *body = &w->tile, *bytes = sizeof w->tile, true;
  case LES_TAG_STOP:
    return *body = NULL, *bytes = 0, true;
  case LES_TAG_END:
    return *body = &w->end, *bytes = sizeof w->end, true;
  default:
    return false;
  }
}

/* Takes one message if there is one. Called with the lock held. */
static bool receive(worker *w) {
  int there = 0;
  MPI_Status s;
  void *body;
  size_t bytes;
  if (w->confused) return false;
  need_root(MPI_Iprobe(0, MPI_ANY_TAG, w->root, &there, &s));
  if (!there) return false;
  w->heard = les_now();
  w->confused = !find_place(w, s.MPI_TAG, &body, &bytes);
  if (!w->confused) need_root(MPI_Recv(body, (int)bytes, MPI_BYTE, 0, s.MPI_TAG, w->root, MPI_STATUS_IGNORE));
  if (s.MPI_TAG == LES_TAG_TILE) w->confused = w->tile.n < 1 || w->tile.n > LES_TILE_CELLS;
  if (s.MPI_TAG == LES_TAG_STOP) w->stop = true;
  if (s.MPI_TAG == LES_TAG_END || w->confused) w->ended = w->stop = true;
  return true;
}

/* Waits for the next message without keeping a core busy. */
static void wait_message(worker *w) {
  double pause = 50e-6;
  for (bool got = false; !got;) {
    pthread_mutex_lock(&w->lock);
    got = receive(w);
    pthread_mutex_unlock(&w->lock);
    if (got) return;
    if (getppid() != w->parent) leave();
    les_sleep(pause);
    if (pause < longest_sleep) pause *= 1.5;
  }
}

/* ---- tiles --------------------------------------------------------------------------------------------- */

static bool asked_to_stop(void *ctx) {
  worker *w = ctx;
  pthread_mutex_lock(&w->lock);
  while (receive(w)) {
  }
  bool stop = w->stop;
  pthread_mutex_unlock(&w->lock);
  return stop;
}

static les_status on_cell(void *ctx, les_cell cell) {
  worker *w = ctx;
  pthread_mutex_lock(&w->lock);
  w->report.cells[w->report.n++] = les_grid_index(w->grid, cell);
  pthread_mutex_unlock(&w->lock);
  return LES_OK;
}

static void run_tile(worker *w) {
  les_cell cells[LES_TILE_CELLS];
  bool fatal;
  for (int i = 0; i < w->tile.n; i++) cells[i] = les_grid_cell(w->grid, w->tile.cells[i]);
  pthread_mutex_lock(&w->lock);
  w->report.tile = w->tile.tile;
  pthread_mutex_unlock(&w->lock);

  const les_tile_listener listener = {.ctx = w, .cell = on_cell, .stop = asked_to_stop};
  les_status status = les_tile_run(w->runner, cells, w->tile.n, &listener, &fatal);
  /* rank 0 reads completed lesions itself: on another node it would not see what is not synced */
  if (status == LES_OK && !w->root_is_here && les_store_sync(w->runner->store) != LES_OK)
    status = LES_FAILED, fatal = true;

  pthread_mutex_lock(&w->lock);
  w->report.last = status == LES_OK || status == LES_STOPPED;
  send_report(w);
  if (!w->report.last) {
    les_error e = make_error(w->tile.tile, fatal);
    send_root(w, LES_TAG_ERROR, &e, sizeof e);
  }
  w->report.tile = w->report.last = 0;
  w->tile.n = 0;
  pthread_mutex_unlock(&w->lock);
}

/* ---- from the announcement to the end ------------------------------------------------------------------ */

void les_worker_decline(const les_team *team) {
  les_error e = make_error(0, true);
  need_root(MPI_Send(&e, sizeof e, MPI_BYTE, 0, LES_TAG_ERROR, team->root));
}

les_status les_worker_announce(const les_team *team) {
  les_hello hello = {.pid = getpid()};
  gethostname(hello.host, sizeof hello.host - 1);
  LES_TRY_MPI(MPI_Send(&hello, sizeof hello, MPI_BYTE, 0, LES_TAG_HELLO, team->root), "greeting rank 0");
  return LES_OK;
}

/* Rank 0's welcome is its first message. */
static void await_welcome(worker *w) {
  char host[LES_HOST_BYTES] = "";
  gethostname(host, sizeof host - 1);
  while (!w->welcome.pid && !w->ended) wait_message(w);
  w->root_is_here = !strcmp(host, w->welcome.host);
  send_root(w, LES_TAG_READY, NULL, 0);
}

static les_status work(worker *w) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, reporter, w) != 0)
    return les_fail(LES_FAILED, "a worker cannot start its second thread");
  while (!w->ended) {
    wait_message(w);
    if (w->tile.n > 0 && !w->ended) run_tile(w);
  }
  pthread_mutex_lock(&w->lock);
  w->closing = true;
  pthread_mutex_unlock(&w->lock);
  pthread_join(thread, NULL);
  return w->confused ? les_fail(LES_FAILED, "rank 0 sent a worker a message that it does not understand")
                     : LES_OK;
}

les_status les_worker_run(les_team *team, const les_tile_runner *runner, const les_grid *grid, int *code) {
  worker *w = calloc(1, sizeof *w);
  if (!w) return les_no_memory("a worker");
  *w = (worker){.root = team->root, .runner = runner, .grid = grid, .parent = getppid()};
  pthread_mutex_init(&w->lock, NULL);
  w->heard = w->sent = les_now();
  await_welcome(w);
  les_status status = work(w);
  *code = w->end.code;
  team->rank_died |= w->end.rank_died != 0;
  pthread_mutex_destroy(&w->lock);
  free(w);
  return status;
}
