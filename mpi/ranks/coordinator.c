#include "ranks/coordinator.h"

#include "base/clock.h"
#include "base/json.h"
#include "ranks/worker_link.h"
#include "watch/interrupt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double watch_interval = 0.1;  /* files and clocks need not be looked at more often */
static const double check_interval = 0.25; /* between looks at the workers' health */
static const double replace_interval = 2;  /* between attempts to start a worker */
static const double stop_patience = 60;    /* for tiles to end early */
static const double leave_patience = 2;    /* for workers to leave before rank 0 does, after a death */
static const double least_sleep = 50e-6, longest_sleep = 0.002;
enum { MAX_FAILED_STARTS = 3 };

struct les_coordinator {
  les_team *team;
  les_sweep_state *state;
  const les_respawn *respawn;
  const les_tile_runner *local; /* of the one worker in this process; NULL: the workers are other ranks */
  const les_limits *limits;
  les_worker_link link;
  les_welcome welcome;
  double longest_gap; /* between two cells of a worker, so far */
  double looped, checked, watched;
  const char *why;         /* the sweep is to stop; NULL: it goes on */
  double asked;            /* when the workers were told so */
  les_worker_view *views;  /* (n) */
  int n;                   /* slots */
  les_worker_slot slots[]; /* (n) */
};

static int number_of(const les_coordinator *c, const les_worker_slot *s) {
  return (int)(s - c->slots) + 1;
}

/* ---- starting and ending ------------------------------------------------------------------------------- */

static void welcome(les_coordinator *c, les_worker_slot *s, MPI_Comm comm, int rank) {
  s->comm = comm;
  s->rank = rank;
  s->pid = 0;
  s->stopped = 0;
  s->unreachable = false;
  s->heard = les_now();
  les_worker_slot_enter(s, LES_SLOT_STARTING);
  les_worker_link_send(&c->link, s, LES_TAG_WELCOME, &c->welcome, sizeof c->welcome);
}

/* The worker in this process has nothing to load and nobody to say hello to. */
static void settle_local(const les_coordinator *c, les_worker_slot *s) {
  s->local = s->here = true;
  s->comm = MPI_COMM_NULL;
  s->pid = getpid();
  memcpy(s->host, c->welcome.host, sizeof s->host);
  les_worker_slot_enter(s, LES_SLOT_IDLE);
}

les_status les_coordinator_open(les_coordinator **out, les_team *team, les_sweep_state *state,
                                const les_respawn *respawn, const les_tile_runner *local) {
  int n = les_team_workers(team);
  les_coordinator *c = *out = calloc(1, sizeof *c + (size_t)n * sizeof c->slots[0]);
  if (!c) return les_no_memory("%d workers", n);
  c->views = calloc((size_t)n, sizeof *c->views);
  if (!c->views) {
    free(c);
    *out = NULL;
    return les_no_memory("%d workers", n);
  }
  c->team = team;
  c->state = state;
  c->respawn = respawn;
  c->local = team->size == 1 ? local : NULL;
  c->n = n;
  c->link = (les_worker_link){.slots = c->slots, .n = n};
  c->looped = les_now();
  c->welcome.pid = getpid();
  c->welcome.heartbeat = 1 + n / 1000.0; /* at most 1,000 heartbeats a second */
  gethostname(c->welcome.host, sizeof c->welcome.host - 1);
  for (int i = 0; i < n; i++) {
    strcpy(c->slots[i].host, "?");
    if (c->local)
      settle_local(c, &c->slots[i]);
    else
      welcome(c, &c->slots[i], MPI_COMM_WORLD, i + 1);
  }
  return LES_OK;
}

/* After a death the workers leave without MPI_Finalize, and rank 0, through which their messages may pass,
 * goes last. What is still to be sent to the dead will never arrive. */
static void await_leaving(les_coordinator *c) {
  double end = les_now() + leave_patience;
  for (int i = 0; c->team->rank_died && i < c->n; i++) {
    const les_worker_slot *s = &c->slots[i];
    while (s->state != LES_SLOT_GONE && s->here && les_now() < end &&
           les_recovery_health(s->pid, s->here) != LES_HEALTH_DEAD) {
      les_pending_send_collect(&c->link.pending);
      les_sleep(0.02);
    }
  }
  while (les_pending_send_collect(&c->link.pending), c->link.pending && les_now() < end) les_sleep(0.001);
}

void les_coordinator_close(les_coordinator **coordinator, int code) {
  les_coordinator *c = *coordinator;
  if (!c) return;
  les_end end = {.code = code, .rank_died = c->team->rank_died};
  for (int i = 0; i < c->n; i++)
    if (!c->slots[i].local && c->slots[i].state != LES_SLOT_GONE)
      les_worker_link_send(&c->link, &c->slots[i], LES_TAG_END, &end, sizeof end);
  await_leaving(c);
  free(c->views);
  free(c);
  *coordinator = NULL;
}

/* ---- what a worker tells, by message or by call -------------------------------------------------------- */

static les_status on_cells(les_coordinator *c, les_worker_slot *s, const les_cell *cells, int n) {
  for (int i = 0; i < n; i++) LES_TRY(les_sweep_state_done(c->state, cells[i]));
  double gap = les_now() - s->since;
  if (gap > c->longest_gap) c->longest_gap = gap;
  s->since = les_now();
  s->cells += n;
  return LES_OK;
}

/* Finished, or ended early. */
static les_status on_tile_end(les_coordinator *c, les_worker_slot *s) {
  les_tile *tile = les_worker_slot_release(s);
  return tile ? les_sweep_state_end(c->state, tile) : LES_OK;
}

static les_status on_tile_failed(les_coordinator *c, les_worker_slot *s, const char *reason) {
  les_tile *tile = les_worker_slot_release(s);
  return tile ? les_sweep_state_lost(c->state, tile, reason) : LES_OK;
}

/* ---- workers in other processes ------------------------------------------------------------------------ */

static void on_hello(les_coordinator *c, les_worker_slot *s, const les_hello *hello) {
  s->pid = hello->pid;
  memcpy(s->host, hello->host, sizeof s->host);
  s->here = !strcmp(s->host, c->welcome.host);
  les_worker_slot_enter(s, LES_SLOT_LOADING);
  cJSON *event = les_event_make("worker");
  les_json_add_number(event, "worker", number_of(c, s));
  les_json_add_string(event, "host", s->host);
  les_json_add_number(event, "pid", s->pid);
  les_sweep_state_event(c->state, event, NULL);
}

/* The cells of a report: (r->n) in `cells`. */
static les_status read_cells(const les_coordinator *c, const les_report *r, les_cell *cells) {
  const les_grid *grid = les_sweep_state_grid(c->state);
  int64_t size = les_grid_total(grid) + grid->n_columns;
  bool good = r->n >= 0 && r->n <= LES_TILE_CELLS;
  for (int i = 0; good && i < r->n; i++) {
    good = r->cells[i] >= 0 && r->cells[i] < size;
    if (good) cells[i] = les_grid_cell(grid, r->cells[i]);
  }
  return good ? LES_OK : les_fail(LES_FAILED, "a worker reported a cell that the sweep does not have");
}

static les_status on_report(les_coordinator *c, les_worker_slot *s, const les_report *r) {
  les_cell cells[LES_TILE_CELLS];
  LES_TRY(read_cells(c, r, cells));
  if (r->n > 0 || r->last) LES_TRY(on_cells(c, s, cells, r->n));
  return r->last && s->tile && s->tile->id == r->tile ? on_tile_end(c, s) : LES_OK;
}

static les_status on_late_report(les_coordinator *c, const les_report *r) {
  les_cell cells[LES_TILE_CELLS];
  LES_TRY(read_cells(c, r, cells));
  for (int i = 0; i < r->n; i++) LES_TRY(les_sweep_state_done(c->state, cells[i]));
  return LES_OK;
}

static les_status on_error(les_coordinator *c, les_worker_slot *s, const les_error *e) {
  return e->fatal ? les_fail(LES_FAILED, "%s", e->text) : on_tile_failed(c, s, e->text);
}

/* A worker that was given up may have sent reports before: what it has written counts all the same. */
static les_status on_message(void *ctx, les_worker_slot *s, int tag, const les_worker_message *m) {
  les_coordinator *c = ctx;
  if (!s) return tag == LES_TAG_REPORT ? on_late_report(c, &m->report) : LES_OK;
  switch (tag) {
  case LES_TAG_HELLO:
    on_hello(c, s, &m->hello);
    return LES_OK;
  case LES_TAG_READY:
    s->failed_starts = 0;
    les_worker_slot_enter(s, LES_SLOT_IDLE);
    return LES_OK;
  case LES_TAG_REPORT:
    return on_report(c, s, &m->report);
  case LES_TAG_ERROR:
    return on_error(c, s, &m->error);
  default:
    return les_fail(LES_FAILED, "a worker sent a message of unknown kind %d", tag);
  }
}

static void on_note(void *ctx, const char *text) {
  les_coordinator *c = ctx;
  les_sweep_state_event(c->state, les_event_make("mpi"), text);
}

static les_status receive_all(les_coordinator *c, bool *some) {
  const les_link_listener to = {.ctx = c, .message = on_message, .note = on_note};
  return les_worker_link_receive(&c->link, &to, some);
}

static void send_tile(les_coordinator *c, les_worker_slot *s) {
  const les_grid *grid = les_sweep_state_grid(c->state);
  les_tile_message m = {.tile = s->tile->id, .n = s->tile->n};
  for (int i = 0; i < m.n; i++) m.cells[i] = les_grid_index(grid, s->tile->cells[i]);
  size_t bytes = offsetof(les_tile_message, cells) + (size_t)m.n * sizeof m.cells[0];
  les_worker_link_send(&c->link, s, LES_TAG_TILE, &m, bytes);
}

/* ---- health -------------------------------------------------------------------------------------------- */

/* A worker that is alive but has not finished a cell for long is stuck. Before the first cells nothing is
 * known of how long they take. */
static les_patience patience(const les_coordinator *c) {
  double several = 20 * c->longest_gap;
  return (les_patience){.silence = 30 + 10 * c->welcome.heartbeat,
                        .work = c->longest_gap == 0 ? 3600
                                : several < 120     ? 120
                                                    : several};
}

/* Starts another process in a gone worker's place. A failure is tried again later, a few times. */
static void replace(les_coordinator *c, les_worker_slot *s) {
  MPI_Comm worker;
  char text[256];
  s->comm = MPI_COMM_NULL;
  s->failed_starts++;
  les_sweep_state_event(c->state, les_event_make("spawn"), NULL);
  if (les_recovery_spawn(c->respawn, s->pid && !s->here ? s->host : NULL, &worker) == LES_OK) {
    welcome(c, s, worker, 0);
    les_sweep_state_event(c->state, les_event_make("replacement"), NULL);
    return;
  }
  les_worker_slot_enter(s, LES_SLOT_GONE);
  snprintf(text, sizeof text, "worker %d is not replaced yet: %s", number_of(c, s), les_message());
  les_sweep_state_event(c->state, les_event_make("no replacement"), text);
}

static les_status give_up_worker(les_coordinator *c, les_worker_slot *s, const char *why) {
  char text[256];
  snprintf(text, sizeof text, "worker %d on %s (process %d): %s", number_of(c, s), s->host, s->pid, why);
  cJSON *event = les_event_make("death");
  les_json_add_number(event, "worker", number_of(c, s));
  les_json_add_number(event, "pid", s->pid);
  les_json_add_string(event, "reason", why);
  if (s->tile) les_json_add_number(event, "tile", s->tile->id);
  les_sweep_state_event(c->state, event, text);
  les_recovery_kill(s->pid, s->here);
  c->team->rank_died = true;
  les_status status = on_tile_failed(c, s, why);
  les_worker_slot_enter(s, LES_SLOT_GONE);
  return status;
}

/* If rank 0 itself was stopped for a while, so were its clocks: nobody else is to blame for that time. */
static void excuse_pause(les_coordinator *c) {
  double now = les_now(), pause = now - c->looped;
  c->looped = now;
  if (pause < 5) return;
  for (int i = 0; i < c->n; i++) les_worker_slot_excuse(&c->slots[i], pause);
}

static bool to_replace(const les_coordinator *c, const les_worker_slot *s) {
  if (s->state != LES_SLOT_GONE || s->failed_starts >= MAX_FAILED_STARTS || c->why) return false;
  return s->failed_starts == 0 || les_now() - s->since > replace_interval;
}

static les_status check_health(les_coordinator *c) {
  if (les_now() - c->checked < check_interval) return LES_OK;
  c->checked = les_now();
  const les_patience p = patience(c);
  bool hope = c->why != NULL;
  for (int i = 0; i < c->n; i++) {
    les_worker_slot *s = &c->slots[i];
    const char *why = les_worker_slot_diagnose(s, &p);
    bool some;
    if (why) {
      LES_TRY(receive_all(c, &some)); /* what it sent before it died */
      LES_TRY(give_up_worker(c, s, why));
    }
    if (to_replace(c, s)) replace(c, s);
    hope |= s->state != LES_SLOT_GONE || s->failed_starts < MAX_FAILED_STARTS;
    excuse_pause(c); /* starting a process may take long, or wait in vain for one that died meanwhile */
  }
  if (hope) return LES_OK;
  return les_fail(LES_FAILED, "no worker is left and none can be started; start the sweep again to go on");
}

/* ---- watching ------------------------------------------------------------------------------------------ */

static const char *limit_reached(const les_limits *limits) {
  if (les_interrupt_signal()) return "a signal came";
  if (limits->deadline > 0 && les_now() > limits->deadline) return "the time limit is reached";
  if (access(limits->stop_file, F_OK) == 0 && unlink(limits->stop_file) == 0) return "the stop file is there";
  return NULL;
}

static void ask_to_stop(les_coordinator *c, const char *why) {
  char text[160];
  c->why = why;
  c->asked = les_now();
  snprintf(text, sizeof text, "stopping: %s", why);
  cJSON *event = les_event_make("stop");
  les_json_add_string(event, "why", why);
  les_sweep_state_event(c->state, event, text);
  for (int i = 0; i < c->n; i++)
    if (!c->slots[i].local && c->slots[i].state == LES_SLOT_BUSY)
      les_worker_link_send(&c->link, &c->slots[i], LES_TAG_STOP, NULL, 0);
}

/* Tells how the sweep goes, and looks whether it has to stop. */
static void watch(les_coordinator *c) {
  if (les_now() - c->watched < watch_interval) return;
  c->watched = les_now();
  for (int i = 0; i < c->n; i++) c->views[i] = les_worker_slot_view(&c->slots[i]);
  les_sweep_state_tick(c->state, c->views, c->n);
  const char *why = c->why ? NULL : limit_reached(c->limits);
  if (why) ask_to_stop(c, why);
}

/* ---- the worker in this process ------------------------------------------------------------------------ */

static les_status on_local_cell(void *ctx, les_cell cell) {
  les_coordinator *c = ctx;
  return on_cells(c, &c->slots[0], &cell, 1);
}

static bool between_passes(void *ctx) {
  les_coordinator *c = ctx;
  watch(c);
  return c->why != NULL;
}

static les_status compute_tile(les_coordinator *c, les_worker_slot *s) {
  const les_tile_listener listener = {.ctx = c, .cell = on_local_cell, .stop = between_passes};
  bool fatal;
  les_status status = les_tile_run(c->local, s->tile->cells, s->tile->n, &listener, &fatal);
  if (status == LES_OK || status == LES_STOPPED) return on_tile_end(c, s);
  return fatal ? status : on_tile_failed(c, s, les_message());
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static les_status hand_out(les_coordinator *c, les_worker_slot *s) {
  LES_TRY(les_sweep_state_next(c->state, number_of(c, s) - 1, &s->tile));
  if (!s->tile) return LES_OK;
  les_worker_slot_enter(s, LES_SLOT_BUSY);
  if (s->local) return compute_tile(c, s);
  send_tile(c, s);
  return LES_OK;
}

/* *some: something has happened, so that more may be soon. */
static les_status step(les_coordinator *c, bool *some) {
  excuse_pause(c);
  LES_TRY(receive_all(c, some));
  LES_TRY(check_health(c));
  for (int i = 0; i < c->n && !c->why; i++)
    if (c->slots[i].state == LES_SLOT_IDLE) {
      LES_TRY(hand_out(c, &c->slots[i]));
      *some |= c->slots[i].local || c->slots[i].state == LES_SLOT_BUSY;
    }
  if (!c->local) watch(c); /* else between forward passes */
  return LES_OK;
}

/* No tile is in work any more, or those that are do not end. */
static bool stopped(const les_coordinator *c) {
  int busy = 0;
  for (int i = 0; i < c->n; i++) busy += c->slots[i].state == LES_SLOT_BUSY;
  return c->why && (busy == 0 || les_now() - c->asked > stop_patience);
}

les_status les_coordinator_run(les_coordinator *c, const les_limits *limits) {
  const les_grid *grid = les_sweep_state_grid(c->state);
  double pause = least_sleep;
  c->limits = limits;
  while (grid->todo > 0 && !stopped(c)) {
    bool some = false;
    LES_TRY(step(c, &some));
    if (some)
      pause = least_sleep;
    else
      les_sleep(pause), pause = pause < longest_sleep ? 1.5 * pause : pause;
  }
  if (grid->todo == 0) return LES_OK;
  return les_fail(LES_STOPPED, "stopped early, %s; start the same command again to go on", c->why);
}
