#include "ranks/worker.h"

#include "base/clock.h"
#include "watch/interrupt.h"
#include "watch/process.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Silence from a rank 0 on another node after which it counts as gone. */
static const double boss_silence = 600;
static const double report_interval = 0.2, longest_sleep = 0.004;

typedef struct worker {
  MPI_Comm boss;
  les_evaluator *evaluator;
  les_store *store;
  const les_grid *grid;
  les_welcome welcome;
  bool boss_is_here; /* on this node */
  pid_t parent;
  pthread_mutex_t lock; /* one thread at a time in MPI, and for all below */
  les_report report;
  double heard, sent;
  bool stop, ended, closing;
  les_tile_message tile;
  les_end end;
  bool store_failed;
} worker;

static void send_boss(const worker *w, int tag, const void *body, size_t bytes) {
  MPI_Send(body, (int)bytes, MPI_BYTE, 0, tag, w->boss);
}

static void send_report(worker *w) {
  send_boss(w, LES_TAG_REPORT, &w->report,
            offsetof(les_report, cells) + (size_t)w->report.n * sizeof(int32_t));
  w->report.n = 0;
  w->sent = les_now();
}

/* The launcher or rank 0 is gone: nobody will ever ask for anything again, and a new start waits for the
 * lock. The cells written are in the file. */
static bool orphaned(const worker *w) {
  if (getppid() != w->parent) return true;
  if (w->boss_is_here) return les_process_state_of(w->welcome.pid) == LES_PROCESS_GONE;
  return les_now() - w->heard > boss_silence;
}

/* The second thread: reports cells soon after they are done, and signs of life while one takes long. */
static void *reporter(void *ctx) {
  worker *w = ctx;
  for (bool closing = false; !closing; les_sleep(report_interval)) {
    do { /* the other thread may be sending to a rank 0 that is gone, which takes for ever */
      if (orphaned(w)) _exit(1);
    } while (pthread_mutex_trylock(&w->lock) != 0 && (les_sleep(0.01), true));
    closing = w->closing;
    if (!closing && (w->report.n > 0 || les_now() - w->sent > w->welcome.beat)) send_report(w);
    pthread_mutex_unlock(&w->lock);
  }
  return NULL;
}

/* Takes one message if there is one. Called with the lock held. */
static bool receive(worker *w) {
  int there = 0;
  MPI_Status s;
  if (MPI_Iprobe(0, MPI_ANY_TAG, w->boss, &there, &s) != MPI_SUCCESS || !there) return false;
  struct {
    void *body;
    int bytes;
  } place[] = {[LES_TAG_WELCOME] = {&w->welcome, sizeof w->welcome},
               [LES_TAG_TILE] = {&w->tile, sizeof w->tile},
               [LES_TAG_STOP] = {NULL, 0},
               [LES_TAG_END] = {&w->end, sizeof w->end}};
  MPI_Recv(place[s.MPI_TAG].body, place[s.MPI_TAG].bytes, MPI_BYTE, 0, s.MPI_TAG, w->boss, MPI_STATUS_IGNORE);
  w->heard = les_now();
  if (s.MPI_TAG == LES_TAG_STOP) w->stop = true;
  if (s.MPI_TAG == LES_TAG_END) w->ended = w->stop = true;
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
    if (getppid() != w->parent) _exit(1);
    les_sleep(pause);
    if (pause < longest_sleep) pause *= 1.5;
  }
}

static bool asked_to_stop(void *ctx) {
  worker *w = ctx;
  pthread_mutex_lock(&w->lock);
  while (receive(w)) {
  }
  bool stop = w->stop;
  pthread_mutex_unlock(&w->lock);
  return stop;
}

static les_status on_cell(void *ctx, les_cell cell, const void *record) {
  worker *w = ctx;
  les_status status = les_store_put(w->store, cell, record);
  if (status != LES_OK) {
    w->store_failed = true;
    return status;
  }
  pthread_mutex_lock(&w->lock);
  w->report.cells[w->report.n++] = les_grid_index(w->grid, cell);
  pthread_mutex_unlock(&w->lock);
  return LES_OK;
}

static void send_error(worker *w, bool fatal) {
  les_error e = {.tile = w->tile.tile, .fatal = fatal};
  snprintf(e.text, sizeof e.text, "%s", les_message());
  send_boss(w, LES_TAG_ERROR, &e, sizeof e);
}

static void run_tile(worker *w) {
  les_cell cells[LES_TILE_CELLS];
  for (int i = 0; i < w->tile.n; i++) cells[i] = les_grid_cell(w->grid, w->tile.cells[i]);
  pthread_mutex_lock(&w->lock);
  w->report.tile = w->tile.tile;
  pthread_mutex_unlock(&w->lock);

  les_status status = les_evaluate(w->evaluator, cells, w->tile.n, on_cell, w, asked_to_stop);
  /* rank 0 reads completed lesions itself: on another node it would not see what is not synced */
  if (status == LES_OK && !w->boss_is_here && les_store_sync(w->store) != LES_OK)
    status = LES_FAILED, w->store_failed = true;

  pthread_mutex_lock(&w->lock);
  w->report.last = status == LES_OK || status == LES_STOPPED;
  send_report(w);
  if (!w->report.last) send_error(w, w->store_failed);
  w->report.tile = w->report.last = 0;
  w->tile.n = 0;
  pthread_mutex_unlock(&w->lock);
}

void les_worker_decline(const les_team *team) {
  les_error e = {.fatal = 1};
  snprintf(e.text, sizeof e.text, "%s", les_message());
  MPI_Send(&e, sizeof e, MPI_BYTE, 0, LES_TAG_ERROR, team->boss);
}

void les_worker_announce(const les_team *team) {
  les_hello hello = {.pid = getpid()};
  gethostname(hello.host, sizeof hello.host - 1);
  MPI_Send(&hello, sizeof hello, MPI_BYTE, 0, LES_TAG_HELLO, team->boss);
}

static void greet(worker *w) {
  char host[LES_HOST_BYTES] = "";
  gethostname(host, sizeof host - 1);
  while (!w->welcome.pid) wait_message(w);
  w->boss_is_here = !strcmp(host, w->welcome.host);
  send_boss(w, LES_TAG_READY, NULL, 0);
}

les_status les_worker_run(les_team *team, les_evaluator *evaluator, les_store *store, const les_grid *grid,
                          int *code) {
  pthread_t thread;
  worker *w = calloc(1, sizeof *w);
  if (!w) return les_fail(LES_FAILED, "out of memory for a worker");
  *w =
      (worker){.boss = team->boss, .evaluator = evaluator, .store = store, .grid = grid, .parent = getppid()};
  pthread_mutex_init(&w->lock, NULL);
  w->heard = w->sent = les_now();
  greet(w);
  les_status status = LES_OK;
  if (pthread_create(&thread, NULL, reporter, w) != 0)
    status = les_fail(LES_FAILED, "no second thread can be started");
  if (status == LES_OK) {
    while (!w->ended) {
      wait_message(w);
      if (w->tile.n > 0 && !w->ended) run_tile(w);
    }
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_mutex_unlock(&w->lock);
    pthread_join(thread, NULL);
    *code = w->end.code;
    team->torn |= w->end.torn != 0;
  }
  pthread_mutex_destroy(&w->lock);
  free(w);
  return status;
}
