#include "watch/sweep_state.h"

#include "base/clock.h"
#include "base/json.h"
#include "store/store_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAILURES_SHOWN = 100 };
static const double tile_seconds = 300; /* what a death or an early end may lose */

struct les_sweep_state {
  const char *path, *exit_status_file; /* may be NULL */
  const les_study *study;
  les_store *store;
  const les_observer *observer;
  les_grid *grid;
  les_sched *sched;
  les_events *events;
  les_store_history history;
  int64_t computed_before; /* cells computed by earlier starts */
  int64_t done_before;     /* cells done when this start began */
  int complete;            /* lesions */
  double started, ticked, noted;
  double *begun; /* (n_workers) when the worker got its tile */
  char started_date[LES_DATE_BYTES];
  cJSON *failures; /* array of {lesion, prompt, reason} */
};

/* ---- starting ------------------------------------------------------------------------------------------ */

/* A cell's share of work: its tokens, times the layers from the first lesioned one on. */
static void set_costs(les_grid *grid, const les_study *study) {
  for (int c = 0; c < grid->n_columns; c++)
    grid->column_cost[c] = (double)les_columns_cost(&study->columns, c);
  int n_layers = study->model->hparams.n_layers;
  for (int l = 0; l < grid->n_lesions; l++) {
    int first = study->lesions.items[l].layer;
    grid->lesion_cost[l - LES_INTACT] = 1 - (first > 0 ? first : 0) / (2.0 * n_layers);
  }
}

static void add_host(char *hosts, size_t bytes) {
  char name[64] = "";
  gethostname(name, sizeof name - 1);
  size_t used = strlen(hosts), n = strlen(name);
  for (const char *at = hosts; (at = strstr(at, name)); at += n)
    if ((at == hosts || at[-1] == ',') && (at[n] == 0 || at[n] == ',')) return;
  if (used + n + 2 < bytes) snprintf(hosts + used, bytes - used, "%s%s", used ? "," : "", name);
}

/* Failed cells stay failed; the reasons are in the status file of the last start. */
static cJSON *earlier_failures(const char *path) {
  cJSON *last = les_events_read_status(path);
  cJSON *list = cJSON_DetachItemFromObject(last, "failures");
  cJSON_Delete(last);
  if (cJSON_IsArray(list)) return list;
  cJSON_Delete(list);
  return cJSON_CreateArray();
}

/* Cells that a killed start had flagged but not yet counted are counted now. */
static les_status open_history(les_sweep_state *s, int64_t flagged, int64_t whole) {
  les_store_history *h = &s->history;
  LES_TRY(les_store_get_history(s->path, h));
  h->hosts[sizeof h->hosts - 1] = 0;
  if (flagged > h->cells_flagged) h->cells_computed += flagged - h->cells_flagged;
  s->computed_before = h->cells_computed;
  h->cells_flagged = s->done_before = whole;
  h->starts++;
  add_host(h->hosts, sizeof h->hosts);
  return les_store_set_history(s->path, h);
}

static void say(const les_sweep_state *s, const char *text) {
  if (s->observer->note) s->observer->note(s->observer->ctx, text);
}

static void report_damage(les_sweep_state *s, int lesions, int64_t cells) {
  char text[160];
  if (lesions == 0 && cells == 0) return;
  snprintf(text, sizeof text,
           "%d lesions and %lld further cells were damaged in the file and are computed again", lesions,
           (long long)cells);
  cJSON *event = les_event_make("damage");
  les_json_add_number(event, "lesions", lesions);
  les_json_add_number(event, "cells", (double)cells);
  les_sweep_state_event(s, event, text);
}

static les_status checkpoint(les_sweep_state *s, int lesion);

/* Lesions without a cell to do: complete, or killed just before their checkpoint, which is made up for. */
static les_status count_complete(les_sweep_state *s) {
  for (int i = 0; i < s->grid->n_lesions; i++) {
    bool done = false;
    if (s->grid->left[i] > 0) continue;
    LES_TRY(les_store_lesion_done(s->store, i, &done));
    if (done)
      s->complete++;
    else
      LES_TRY(checkpoint(s, i));
  }
  return LES_OK;
}

static void tell_start(les_sweep_state *s, int n_workers) {
  char text[160];
  int64_t final = s->grid->done + s->grid->failed, total = les_grid_total(s->grid);
  snprintf(text, sizeof text, "going on with %lld of %lld cells", (long long)(total - final),
           (long long)total);
  cJSON *event = les_event_make("start");
  les_json_add_number(event, "total", (double)total);
  les_json_add_number(event, "done", (double)s->grid->done);
  les_json_add_number(event, "workers", n_workers);
  les_json_add_number(event, "pid", getpid());
  les_sweep_state_event(s, event, final ? text : NULL);
}

les_status les_sweep_state_open(les_sweep_state **out, const char *path, const les_study *study,
                                les_store *store, int n_workers, const les_observer *observer,
                                const char *exit_status_file) {
  les_status status = LES_OK;
  int damaged_lesions;
  int64_t damaged_cells, flagged;
  les_sweep_state *s = calloc(1, sizeof *s);
  if (!s) return *out = NULL, les_no_memory("the state of the sweep");
  *s = (les_sweep_state){.path = path,
                         .exit_status_file = exit_status_file,
                         .study = study,
                         .store = store,
                         .observer = observer,
                         .started = les_now()};
  les_date(s->started_date);
  s->failures = earlier_failures(path);
  s->begun = calloc((size_t)n_workers, sizeof *s->begun);
  if (!s->failures || !s->begun) LES_GOTO(status, les_no_memory("%d workers", n_workers), out);
  LES_GOTO(status, les_grid_open(&s->grid, study->lesions.n, study->columns.n), out);
  set_costs(s->grid, study);
  LES_GOTO(status, les_store_read_status(store, s->grid), out);
  flagged = s->grid->done;
  LES_GOTO(status, les_store_verify(store, s->grid, &damaged_lesions, &damaged_cells), out);
  LES_GOTO(status, les_events_open(&s->events, path), out);
  report_damage(s, damaged_lesions, damaged_cells);
  LES_GOTO(status, open_history(s, flagged, s->grid->done), out);
  tell_start(s, n_workers);
  LES_GOTO(status, count_complete(s), out);
  LES_GOTO(status, les_sched_open(&s->sched, s->grid, n_workers), out);
out:
  if (status != LES_OK) les_sweep_state_close(&s);
  *out = s;
  return status;
}

void les_sweep_state_close(les_sweep_state **state) {
  les_sweep_state *s = *state;
  if (!s) return;
  les_sched_close(&s->sched);
  les_grid_close(&s->grid);
  les_events_close(&s->events);
  cJSON_Delete(s->failures);
  free(s->begun);
  free(s);
  *state = NULL;
}

const les_grid *les_sweep_state_grid(const les_sweep_state *s) {
  return s->grid;
}

/* ---- cells and tiles ----------------------------------------------------------------------------------- */

static les_status write_history(les_sweep_state *s) {
  s->history.cells_computed = s->computed_before + s->grid->done - s->done_before;
  s->history.cells_flagged = s->grid->done;
  s->noted = les_now();
  return les_store_set_history(s->path, &s->history);
}

static les_status checkpoint(les_sweep_state *s, int lesion) {
  const char *measure, *spec = s->study->lesions.items[lesion].spec;
  double mean = 0;
  LES_TRY(les_store_checkpoint(s->store, lesion));
  LES_TRY(les_store_mean(s->store, lesion, &measure, &mean));
  s->complete++;
  cJSON *event = les_event_make("checkpoint");
  les_json_add_string(event, "lesion", spec);
  if (measure) les_json_add_number(event, measure, mean);
  les_sweep_state_event(s, event, NULL);
  if (s->observer->lesion)
    s->observer->lesion(s->observer->ctx, spec, s->complete, s->grid->n_lesions, measure, mean);
  return les_now() - s->noted > 2 ? write_history(s) : LES_OK;
}

static les_status settle(les_sweep_state *s, les_cell cell, uint8_t state) {
  if (!les_grid_set(s->grid, cell, state)) return LES_OK;
  if (cell.lesion < 0 || s->grid->left[cell.lesion] > 0) return LES_OK;
  return checkpoint(s, cell.lesion);
}

les_status les_sweep_state_next(les_sweep_state *s, int worker, les_tile **tile) {
  LES_TRY(les_sched_next(s->sched, worker, tile));
  if (!*tile) return LES_OK;
  s->begun[worker] = les_now();
  cJSON *event = les_event_make("tile");
  les_json_add_number(event, "tile", (*tile)->id);
  les_json_add_number(event, "worker", worker + 1);
  les_json_add_number(event, "cells", (*tile)->n);
  les_sweep_state_event(s, event, NULL);
  return LES_OK;
}

les_status les_sweep_state_done(les_sweep_state *s, les_cell cell) {
  return settle(s, cell, LES_CELL_DONE);
}

les_status les_sweep_state_end(les_sweep_state *s, les_tile *tile) {
  double seconds = les_now() - s->begun[tile->worker];
  les_sched_limit(s->sched, tile_seconds * tile->cost / seconds);
  return les_sched_end(s->sched, tile);
}

static void add_failure(cJSON *to, const char *spec, const char *id, const char *reason) {
  les_json_add_string(to, "lesion", spec);
  les_json_add_string(to, "prompt", id);
  les_json_add_string(to, "reason", reason);
}

static les_status fail_cell(les_sweep_state *s, les_cell cell, const char *reason) {
  char text[700];
  const char *spec = cell.lesion < 0 ? "none" : s->study->lesions.items[cell.lesion].spec;
  const char *id = s->study->columns.items[cell.column].id;
  if (les_grid_get(s->grid, cell) != LES_CELL_TODO) return LES_OK;
  LES_TRY(les_store_put_failed(s->store, cell));
  cJSON *event = les_event_make("failure");
  add_failure(event, spec, id, reason);
  if (cJSON_GetArraySize(s->failures) < FAILURES_SHOWN)
    add_failure(les_json_add_object(s->failures, NULL), spec, id, reason);
  snprintf(text, sizeof text, "%s on prompt %s failed: %s", spec, id, reason);
  les_sweep_state_event(s, event, text);
  return settle(s, cell, LES_CELL_FAILED);
}

/* A prompt whose intact run fails has no cell that could be computed. */
static les_status fail_prompt(les_sweep_state *s, int prompt, const char *reason) {
  for (int i = -1; i < s->grid->n_lesions; i++) LES_TRY(fail_cell(s, (les_cell){i, prompt}, reason));
  return LES_OK;
}

les_status les_sweep_state_lost(les_sweep_state *s, les_tile *tile, const char *reason) {
  les_cell failed;
  bool give_up;
  for (int i = 0; i < tile->n; i++) {
    uint8_t state;
    LES_TRY(les_store_get_status(s->store, tile->cells[i], &state));
    if (state == LES_CELL_DONE) LES_TRY(les_sweep_state_done(s, tile->cells[i]));
  }
  LES_TRY(les_sched_lost(s->sched, tile, &failed, &give_up));
  if (!give_up) return LES_OK;
  return failed.lesion < 0 ? fail_prompt(s, failed.column, reason) : fail_cell(s, failed, reason);
}

/* ---- telling ------------------------------------------------------------------------------------------- */

void les_sweep_state_event(les_sweep_state *s, cJSON *event, const char *note) {
  les_events_add(s->events, event);
  if (note) say(s, note);
  const char *failure = les_events_failure(s->events);
  if (*failure) say(s, failure);
}

static double rate(const les_sweep_state *s) {
  double seconds = les_now() - s->started;
  return seconds > 0 ? (double)(s->grid->done - s->done_before) / seconds : 0;
}

static double seconds_left(const les_sweep_state *s, double cells_per_second) {
  int64_t left = les_grid_total(s->grid) - s->grid->done - s->grid->failed;
  return left == 0 ? 0 : cells_per_second > 0 ? (double)left / cells_per_second : -1;
}

static cJSON *workers_json(const les_worker_view *workers, int n) {
  cJSON *list = cJSON_CreateArray();
  for (int i = 0; i < n; i++) {
    cJSON *w = les_json_add_object(list, NULL);
    les_json_add_number(w, "worker", i + 1);
    les_json_add_string(w, "host", workers[i].host);
    les_json_add_number(w, "pid", workers[i].pid);
    les_json_add_string(w, "state", workers[i].state);
    les_json_add_number(w, "seconds", workers[i].seconds);
    les_json_add_number(w, "tile_cells", workers[i].tile_cells);
    les_json_add_number(w, "cells", (double)workers[i].cells);
  }
  return list;
}

static cJSON *status_json(const les_sweep_state *s, const char *state) {
  char host[64] = "", date[LES_DATE_BYTES];
  gethostname(host, sizeof host - 1);
  les_date(date);
  double r = rate(s), eta = seconds_left(s, r);
  cJSON *doc = cJSON_CreateObject();
  les_json_add_string(doc, "state", state);
  if (s->exit_status_file) les_json_add_string(doc, "exit_status_file", s->exit_status_file);
  les_json_add_string(doc, "host", host);
  les_json_add_number(doc, "pid", getpid());
  les_json_add_string(doc, "started", s->started_date);
  les_json_add_string(doc, "updated", date);
  les_json_add_number(doc, "updated_unix", (double)time(NULL));
  les_json_add_number(doc, "total", (double)les_grid_total(s->grid));
  les_json_add_number(doc, "done", (double)s->grid->done);
  les_json_add_number(doc, "failed", (double)s->grid->failed);
  les_json_add_number(doc, "rate", r);
  les_json_add(doc, "eta_s", eta >= 0 ? cJSON_CreateNumber(eta) : cJSON_CreateNull());
  les_json_add(doc, "failures", cJSON_Duplicate(s->failures, true));
  return doc;
}

void les_sweep_state_tick(les_sweep_state *s, const les_worker_view *workers, int n_workers) {
  double now = les_now();
  if (now - s->ticked < 1) return;
  s->ticked = now;
  cJSON *doc = status_json(s, "running");
  les_json_add(doc, "workers", workers_json(workers, n_workers));
  les_events_status(s->events, doc);
  double r = rate(s);
  if (s->observer->progress)
    s->observer->progress(s->observer->ctx, s->grid->done + s->grid->failed, les_grid_total(s->grid), r,
                          seconds_left(s, r));
}

les_status les_sweep_state_finish(les_sweep_state *s, int code, const char *message) {
  les_status status = les_store_sync(s->store);
  if (s->grid->todo == 0 && !s->history.finished[0]) les_date(s->history.finished);
  les_status written = write_history(s);
  if (status == LES_OK) status = written;
  if (status != LES_OK && code == 0) code = 1;
  cJSON *event = les_event_make("end");
  les_json_add_number(event, "exit_code", code);
  les_json_add_number(event, "done", (double)s->grid->done);
  les_json_add_number(event, "failed", (double)s->grid->failed);
  if (message) les_json_add_string(event, "message", message);
  les_sweep_state_event(s, event, NULL);
  cJSON *doc = status_json(s, "ended");
  les_json_add_array(doc, "workers");
  les_json_add_number(doc, "exit_code", code);
  if (message) les_json_add_string(doc, "message", message);
  les_events_status(s->events, doc);
  return status;
}
