#include "ranks/coordinator.h"

#include "base/clock.h"
#include "base/json.h"
#include "ranks/message.h"
#include "watch/interrupt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double check_interval = 0.25;   /* between looks at the workers' health */
static const double stopped_patience = 2;    /* a stopped process may be continued by then */
static const double replace_interval = 2;    /* between attempts to start a worker */
static const double loading_patience = 3600; /* for a large model from a slow disk */
static const double stop_patience = 60;      /* for tiles to end early */
static const double longest_sleep = 0.002;
static const double leave_patience = 2; /* for workers to leave a torn team before rank 0 does */
enum { FUTILE_STARTS = 3, PROBE_BATCH = 256 };

typedef enum slot_state { SLOT_STARTING, SLOT_LOADING, SLOT_IDLE, SLOT_BUSY, SLOT_GONE } slot_state;

/* A place for a worker: the rank that was started there, or its replacement. */
typedef struct slot {
  MPI_Comm comm;
  int rank; /* in comm's remote group, or comm */
  slot_state state;
  int pid; /* 0 until it has said hello */
  char host[LES_HOST_BYTES];
  bool here;      /* on this node */
  double heard;   /* last message */
  double since;   /* in this state, and for a tile: since its last cell */
  double stopped; /* seen stopped since; 0: it runs */
  int futile;     /* starts in a row that did not come to a hello */
  int64_t cells;
  les_tile *tile; /* in work, NULL if not SLOT_BUSY */
} slot;

/* A message on its way. */
typedef struct letter {
  struct letter *next;
  MPI_Request request;
  char body[];
} letter;

struct les_coordinator {
  letter *letters; /* not yet sent for certain; those to the dead stay here */
  les_team *team;
  les_sweep_state *ledger;
  const les_respawn *respawn;
  les_welcome welcome;
  double longest_gap; /* between two cells of a worker, so far */
  double looped, checked;
  bool stopping;
  les_worker_view *views; /* (n) */
  int n, spawned;         /* slots; those that hold a replacement */
  slot slots[];
};

/* ---- starting and ending ------------------------------------------------------------------------------- */

static void set_state(slot *s, slot_state state) {
  s->state = state;
  s->since = les_now();
}

/* Frees the messages that are sent. */
static void collect_letters(les_coordinator *c) {
  for (letter **link = &c->letters; *link;) {
    letter *l = *link;
    int sent = 0;
    if (MPI_Test(&l->request, &sent, MPI_STATUS_IGNORE) == MPI_SUCCESS && !sent) {
      link = &l->next;
      continue;
    }
    *link = l->next;
    free(l);
  }
}

/* Never waits: a send to a worker that has just died may not end, if it is the first after the two met. */
static void send_slot(les_coordinator *c, const slot *s, int tag, const void *body, size_t bytes) {
  letter *l = malloc(sizeof *l + bytes);
  if (!l) { /* then it has to */
    MPI_Send(body, (int)bytes, MPI_BYTE, s->rank, tag, s->comm);
    return;
  }
  if (bytes > 0) memcpy(l->body, body, bytes);
  MPI_Isend(l->body, (int)bytes, MPI_BYTE, s->rank, tag, s->comm, &l->request);
  l->next = c->letters;
  c->letters = l;
}

static void welcome(les_coordinator *c, slot *s, MPI_Comm comm, int rank) {
  s->comm = comm;
  s->rank = rank;
  s->pid = 0;
  s->stopped = 0;
  s->heard = les_now();
  set_state(s, SLOT_STARTING);
  send_slot(c, s, LES_TAG_WELCOME, &c->welcome, sizeof c->welcome);
}

les_status les_coordinator_open(les_coordinator **out, les_team *team, les_sweep_state *ledger,
                                const les_respawn *respawn) {
  int n = team->size - 1;
  les_coordinator *c = *out = calloc(1, sizeof *c + (size_t)n * sizeof c->slots[0]);
  if (!c) return les_fail(LES_FAILED, "out of memory for %d workers", n);
  *c = (les_coordinator){.team = team, .ledger = ledger, .respawn = respawn, .n = n, .looped = les_now()};
  c->welcome =
      (les_welcome){.pid = getpid(), .beat = 1 + n / 1000.0}; /* at most 1,000 signs of life a second */
  gethostname(c->welcome.host, sizeof c->welcome.host - 1);
  c->views = calloc((size_t)n, sizeof *c->views);
  if (!c->views) {
    free(c);
    *out = NULL;
    return les_fail(LES_FAILED, "out of memory for %d workers", n);
  }
  for (int i = 0; i < n; i++) {
    strcpy(c->slots[i].host, "?");
    welcome(c, &c->slots[i], MPI_COMM_WORLD, i + 1);
  }
  return LES_OK;
}

/* The farewells are on their way. A torn team's workers leave without MPI_Finalize, and rank 0, their
 * messenger, goes last; what is meant for the dead will never arrive. */
static void await_leaving(les_coordinator *c) {
  double end = les_now() + leave_patience;
  for (int i = 0; c->team->torn && i < c->n; i++)
    while (c->slots[i].state != SLOT_GONE && les_now() < end &&
           les_recovery_health(c->slots[i].pid, c->slots[i].here) != LES_HEALTH_DEAD && c->slots[i].here) {
      collect_letters(c);
      les_sleep(0.02);
    }
  while (collect_letters(c), c->letters && les_now() < end) les_sleep(0.001);
}

void les_coordinator_close(les_coordinator **coordinator, int code) {
  les_coordinator *c = *coordinator;
  if (!c) return;
  les_end end = {.code = code, .torn = c->team->torn};
  for (int i = 0; i < c->n; i++)
    if (c->slots[i].state != SLOT_GONE) send_slot(c, &c->slots[i], LES_TAG_END, &end, sizeof end);
  await_leaving(c);
  free(c->views);
  free(c);
  *coordinator = NULL;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

static void on_hello(les_coordinator *c, slot *s, const les_hello *hello) {
  s->pid = hello->pid;
  memcpy(s->host, hello->host, sizeof s->host);
  s->here = !strcmp(s->host, c->welcome.host);
  set_state(s, SLOT_LOADING);
  cJSON *event = les_event_make("worker");
  les_json_add_number(&event, "worker", (double)(s - c->slots + 1));
  les_json_add_string(&event, "host", s->host);
  les_json_add_number(&event, "pid", s->pid);
  les_sweep_state_event(c->ledger, event, NULL);
}

static les_status count_cells(les_coordinator *c, const les_report *r) {
  const les_grid *grid = les_sweep_state_grid(c->ledger);
  for (int i = 0; i < r->n; i++) LES_TRY(les_sweep_state_done(c->ledger, les_grid_cell(grid, r->cells[i])));
  return LES_OK;
}

static les_status on_report(les_coordinator *c, slot *s, const les_report *r) {
  LES_TRY(count_cells(c, r));
  s->cells += r->n;
  if (r->n > 0 || r->last) {
    double gap = les_now() - s->since;
    if (gap > c->longest_gap) c->longest_gap = gap;
    s->since = les_now();
  }
  if (!r->last || !s->tile || s->tile->id != r->tile) return LES_OK;
  les_tile *tile = s->tile;
  s->tile = NULL;
  set_state(s, SLOT_IDLE);
  return les_sweep_state_end(c->ledger, tile);
}

static les_status on_error(les_coordinator *c, slot *s, const les_error *e) {
  if (e->fatal) return les_fail(LES_FAILED, "%s", e->text);
  les_tile *tile = s->tile;
  s->tile = NULL;
  set_state(s, SLOT_IDLE);
  return tile ? les_sweep_state_lost(c->ledger, tile, e->text) : LES_OK;
}

/* s NULL: from a worker that was given up before; what it has written counts all the same. */
static les_status receive(les_coordinator *c, slot *s, MPI_Comm comm, const MPI_Status *probed) {
  union {
    les_hello hello;
    les_report report;
    les_error error;
  } m;
  if (MPI_Recv(&m, sizeof m, MPI_BYTE, probed->MPI_SOURCE, probed->MPI_TAG, comm, MPI_STATUS_IGNORE) !=
      MPI_SUCCESS)
    return LES_OK;
  if (!s) return probed->MPI_TAG == LES_TAG_REPORT ? count_cells(c, &m.report) : LES_OK;
  s->heard = les_now();
  switch (probed->MPI_TAG) {
  case LES_TAG_HELLO:
    on_hello(c, s, &m.hello);
    return LES_OK;
  case LES_TAG_READY:
    s->futile = 0;
    set_state(s, SLOT_IDLE);
    return LES_OK;
  case LES_TAG_REPORT:
    return on_report(c, s, &m.report);
  case LES_TAG_ERROR:
    return on_error(c, s, &m.error);
  default:
    return les_fail(LES_FAILED, "a worker sent a message of unknown kind %d", probed->MPI_TAG);
  }
}

/* Takes the messages that are there; *some: there were any. */
static les_status receive_all(les_coordinator *c, bool *some) {
  int there;
  MPI_Status s;
  for (int i = 0; i < PROBE_BATCH; i++) {
    if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &s) != MPI_SUCCESS || !there) break;
    *some = true;
    slot *from = &c->slots[s.MPI_SOURCE - 1];
    bool current = from->comm == MPI_COMM_WORLD && from->state != SLOT_GONE;
    LES_TRY(receive(c, current ? from : NULL, MPI_COMM_WORLD, &s));
  }
  for (int i = 0; c->spawned > 0 && i < c->n; i++) {
    slot *from = &c->slots[i];
    while (from->comm != MPI_COMM_WORLD && from->state != SLOT_GONE) {
      if (MPI_Iprobe(0, MPI_ANY_TAG, from->comm, &there, &s) != MPI_SUCCESS || !there) break;
      *some = true;
      LES_TRY(receive(c, from, from->comm, &s));
    }
  }
  return LES_OK;
}

/* ---- tiles --------------------------------------------------------------------------------------------- */

static les_status hand_out(les_coordinator *c, slot *s) {
  les_tile_message m;
  const les_grid *grid = les_sweep_state_grid(c->ledger);
  LES_TRY(les_sweep_state_next(c->ledger, (int)(s - c->slots), &s->tile));
  if (!s->tile) return LES_OK;
  m.tile = s->tile->id;
  m.n = s->tile->n;
  for (int i = 0; i < m.n; i++) m.cells[i] = les_grid_index(grid, s->tile->cells[i]);
  set_state(s, SLOT_BUSY);
  send_slot(c, s, LES_TAG_TILE, &m, offsetof(les_tile_message, cells) + (size_t)m.n * sizeof m.cells[0]);
  return LES_OK;
}

static void ask_to_stop(les_coordinator *c, const char *why) {
  char text[160];
  snprintf(text, sizeof text, "stopping: %s", why);
  cJSON *event = les_event_make("stop");
  les_json_add_string(&event, "why", why);
  les_sweep_state_event(c->ledger, event, text);
  c->stopping = true;
  for (int i = 0; i < c->n; i++)
    if (c->slots[i].state == SLOT_BUSY) send_slot(c, &c->slots[i], LES_TAG_STOP, NULL, 0);
}

static int count_state(const les_coordinator *c, slot_state state) {
  int n = 0;
  for (int i = 0; i < c->n; i++) n += c->slots[i].state == state;
  return n;
}

/* ---- health -------------------------------------------------------------------------------------------- */

static double longest_silence(const les_coordinator *c) {
  return 30 + 10 * c->welcome.beat;
}

/* Without a cell for this long, a worker that is alive is stuck. Before the first cells nothing is known. */
static double longest_work(const les_coordinator *c) {
  double several = 20 * c->longest_gap;
  return c->longest_gap == 0 ? 3600 : several < 120 ? 120 : several;
}

/* Why a worker has to be given up; NULL if it is well. */
static const char *ailment(les_coordinator *c, slot *s) {
  double now = les_now();
  if (s->pid) {
    les_health health = les_recovery_health(s->pid, s->here);
    if (health == LES_HEALTH_DEAD) return "its worker died";
    if (health != LES_HEALTH_STOPPED)
      s->stopped = 0;
    else if (s->stopped == 0)
      s->stopped = now;
    else if (now - s->stopped > stopped_patience)
      return "its worker was stopped";
  }
  if (s->state != SLOT_LOADING && now - s->heard > longest_silence(c))
    return "its worker gave no sign of life";
  if (s->state == SLOT_BUSY && now - s->since > longest_work(c)) return "its worker was stuck";
  if (s->state == SLOT_LOADING && now - s->since > loading_patience) return "its worker did not get ready";
  return NULL;
}

/* Starts another process in a gone worker's place. A failure is tried again later, a few times. */
static les_status replace(les_coordinator *c, slot *s) {
  MPI_Comm worker;
  char text[256];
  if (s->comm == MPI_COMM_WORLD) c->spawned++;
  s->comm = MPI_COMM_NULL;
  s->futile++;
  les_sweep_state_event(c->ledger, les_event_make("spawn"), NULL);
  if (les_recovery_spawn(c->respawn, s->pid && !s->here ? s->host : NULL, &worker) == LES_OK) {
    welcome(c, s, worker, 0);
    les_sweep_state_event(c->ledger, les_event_make("replacement"), NULL);
    return LES_OK;
  }
  set_state(s, SLOT_GONE);
  snprintf(text, sizeof text, "worker %d is not replaced yet: %s", (int)(s - c->slots + 1), les_message());
  les_sweep_state_event(c->ledger, les_event_make("no replacement"), text);
  return LES_OK;
}

static les_status bury(les_coordinator *c, slot *s, const char *why) {
  char text[256];
  int number = (int)(s - c->slots + 1);
  snprintf(text, sizeof text, "worker %d on %s (process %d): %s", number, s->host, s->pid, why);
  cJSON *event = les_event_make("death");
  les_json_add_number(&event, "worker", number);
  les_json_add_number(&event, "pid", s->pid);
  les_json_add_string(&event, "reason", why);
  if (s->tile) les_json_add_number(&event, "tile", s->tile->id);
  les_sweep_state_event(c->ledger, event, text);
  les_recovery_kill(s->pid, s->here);
  c->team->torn = true;
  les_tile *tile = s->tile;
  s->tile = NULL;
  set_state(s, SLOT_GONE);
  if (tile) LES_TRY(les_sweep_state_lost(c->ledger, tile, why));
  return LES_OK;
}

/* If rank 0 itself was stopped for a while, so were its clocks: nobody else is to blame for that time. */
static void forgive_pause(les_coordinator *c) {
  double now = les_now(), pause = now - c->looped;
  c->looped = now;
  if (pause < 5) return;
  for (int i = 0; i < c->n; i++) {
    c->slots[i].heard = fmin(now, c->slots[i].heard + pause);
    c->slots[i].since = fmin(now, c->slots[i].since + pause);
  }
}

static bool to_replace(const les_coordinator *c, const slot *s) {
  if (s->state != SLOT_GONE || s->futile >= FUTILE_STARTS || c->stopping) return false;
  return s->futile == 0 || les_now() - s->since > replace_interval;
}

static les_status check_health(les_coordinator *c) {
  if (les_now() - c->checked < check_interval) return LES_OK;
  c->checked = les_now();
  bool hope = c->stopping;
  for (int i = 0; i < c->n; i++) {
    slot *s = &c->slots[i];
    const char *why = s->state == SLOT_GONE ? NULL : ailment(c, s);
    bool some;
    if (why) {
      LES_TRY(receive_all(c, &some)); /* its last words */
      LES_TRY(bury(c, s, why));
    }
    if (to_replace(c, s)) LES_TRY(replace(c, s));
    hope |= s->state != SLOT_GONE || s->futile < FUTILE_STARTS;
    forgive_pause(c); /* starting a process may take long, or wait in vain for one that died meanwhile */
  }
  if (hope) return LES_OK;
  return les_fail(LES_FAILED, "no worker is left and none can be started; start the sweep again to go on");
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

const char *les_limits_reached(const les_limits *limits) {
  if (les_interrupt_signal()) return "a signal came";
  if (limits->deadline > 0 && les_now() > limits->deadline) return "the time limit is reached";
  if (access(limits->stop_file, F_OK) == 0 && unlink(limits->stop_file) == 0) return "the stop file is there";
  return NULL;
}

les_status les_limits_stopped(const char *why) {
  return les_fail(LES_STOPPED, "stopped early, %s; start the same command again to go on", why);
}

static void tick(les_coordinator *c) {
  static const char *const names[] = {"starting", "loading", "idle", "computing", "gone"};
  for (int i = 0; i < c->n; i++) {
    const slot *s = &c->slots[i];
    c->views[i] = (les_worker_view){.host = s->host,
                                    .state = names[s->state],
                                    .pid = s->pid,
                                    .tile_cells = s->tile ? s->tile->n : 0,
                                    .cells = s->cells,
                                    .seconds = les_now() - s->since};
  }
  les_sweep_state_tick(c->ledger, c->views, c->n);
}

static les_status step(les_coordinator *c, bool *some) {
  forgive_pause(c);
  collect_letters(c);
  LES_TRY(receive_all(c, some));
  LES_TRY(check_health(c));
  for (int i = 0; i < c->n && !c->stopping; i++)
    if (c->slots[i].state == SLOT_IDLE) {
      LES_TRY(hand_out(c, &c->slots[i]));
      *some |= c->slots[i].state == SLOT_BUSY;
    }
  return LES_OK;
}

les_status les_coordinator_run(les_coordinator *c, const les_limits *limits) {
  double pause = 50e-6, asked = 0, ticked = 0;
  const char *why = NULL;
  while (les_sweep_state_grid(c->ledger)->todo > 0) {
    bool some = false;
    LES_TRY(step(c, &some));
    if (les_now() - ticked > 0.1) { /* files and clocks need not be looked at more often */
      ticked = les_now();
      tick(c);
      if (!why && (why = les_limits_reached(limits))) ask_to_stop(c, why), asked = les_now();
    }
    if (c->stopping && (count_state(c, SLOT_BUSY) == 0 || les_now() - asked > stop_patience))
      return les_limits_stopped(why);
    if (some)
      pause = 50e-6;
    else
      les_sleep(pause), pause = pause < longest_sleep ? 1.5 * pause : pause;
  }
  return LES_OK;
}
