#include "watch/sweep_state.h"

#include "base/clock.h"
#include "store/store_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAILURES_SHOWN = 100 };
static const double tile_seconds = 300; /* what a death or an early end may lose */

struct les_sweep_state {
  const char *path, *verdict;
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

/* Failed cells stay failed: why, the status file of the last start says. */
static cJSON *earlier_failures(const char *path) {
  cJSON *last = les_events_read_status(path);
  cJSON *list = cJSON_DetachItemFromObject(last, "failures");
  cJSON_Delete(last);
  if (cJSON_IsArray(list)) return list;
  cJSON_Delete(list);
  return cJSON_CreateArray();
}

/* Cells that a killed start had flagged but not yet counted are counted now. */
static les_status open_history(les_sweep_state *l, int64_t flagged, int64_t whole) {
  les_store_history *h = &l->history;
  LES_TRY(les_store_get_history(l->path, h));
  h->hosts[sizeof h->hosts - 1] = 0;
  if (flagged > h->cells_flagged) h->cells_computed += flagged - h->cells_flagged;
  l->computed_before = h->cells_computed;
  h->cells_flagged = l->done_before = whole;
  h->starts++;
  add_host(h->hosts, sizeof h->hosts);
  return les_store_set_history(l->path, h);
}

static void say(const les_sweep_state *l, const char *text) {
  if (l->observer->note) l->observer->note(l->observer->ctx, text);
}

static les_status report_damage(les_sweep_state *l, int lesions, int64_t cells) {
  char text[160];
  if (lesions == 0 && cells == 0) return LES_OK;
  snprintf(text, sizeof text,
           "%d lesions and %lld further cells were damaged in the file and are computed again", lesions,
           (long long)cells);
  cJSON *details = cJSON_CreateObject();
  cJSON_AddNumberToObject(details, "lesions", lesions);
  cJSON_AddNumberToObject(details, "cells", (double)cells);
  les_sweep_state_event(l, "damage", details, text);
  return LES_OK;
}

static les_status checkpoint(les_sweep_state *l, int lesion);

/* Lesions that were complete, or became so just before a kill. */
static les_status count_complete(les_sweep_state *l) {
  for (int i = 0; i < l->grid->n_lesions; i++) {
    bool done = false;
    if (l->grid->left[i] > 0) continue;
    LES_TRY(les_store_lesion_done(l->store, i, &done));
    if (done)
      l->complete++;
    else
      LES_TRY(checkpoint(l, i));
  }
  return LES_OK;
}

static void tell_start(les_sweep_state *l, int n_workers) {
  char text[160];
  int64_t final = l->grid->done + l->grid->failed, total = les_grid_total(l->grid);
  snprintf(text, sizeof text, "going on with %lld of %lld cells", (long long)(total - final),
           (long long)total);
  cJSON *details = cJSON_CreateObject();
  cJSON_AddNumberToObject(details, "total", (double)total);
  cJSON_AddNumberToObject(details, "done", (double)l->grid->done);
  cJSON_AddNumberToObject(details, "workers", n_workers);
  cJSON_AddNumberToObject(details, "pid", getpid());
  les_sweep_state_event(l, "start", details, final ? text : NULL);
}

les_status les_sweep_state_open(les_sweep_state **out, const char *path, const les_study *study,
                                les_store *store, int n_workers, const les_observer *observer,
                                const char *verdict) {
  les_status status = LES_OK;
  int damaged_lesions;
  int64_t damaged_cells, flagged;
  les_sweep_state *l = calloc(1, sizeof *l);
  if (!l) return *out = NULL, les_fail(LES_FAILED, "out of memory for the ledger");
  *l = (les_sweep_state){.path = path,
                         .verdict = verdict,
                         .study = study,
                         .store = store,
                         .observer = observer,
                         .started = les_now()};
  les_date(l->started_date);
  l->failures = earlier_failures(path);
  l->begun = calloc((size_t)n_workers, sizeof *l->begun);
  if (!l->begun) LES_GOTO(status, les_fail(LES_FAILED, "out of memory for %d workers", n_workers), out);
  LES_GOTO(status, les_grid_open(&l->grid, study->lesions.n, study->columns.n), out);
  set_costs(l->grid, study);
  LES_GOTO(status, les_store_read_status(store, l->grid), out);
  flagged = l->grid->done;
  LES_GOTO(status, les_store_verify(store, l->grid, &damaged_lesions, &damaged_cells), out);
  LES_GOTO(status, les_events_open(&l->events, path), out);
  LES_GOTO(status, report_damage(l, damaged_lesions, damaged_cells), out);
  LES_GOTO(status, open_history(l, flagged, l->grid->done), out);
  tell_start(l, n_workers);
  LES_GOTO(status, count_complete(l), out);
  LES_GOTO(status, les_sched_open(&l->sched, l->grid, n_workers), out);
out:
  if (status != LES_OK) les_sweep_state_close(&l);
  *out = l;
  return status;
}

void les_sweep_state_close(les_sweep_state **ledger) {
  les_sweep_state *l = *ledger;
  if (!l) return;
  les_sched_close(&l->sched);
  les_grid_close(&l->grid);
  les_events_close(&l->events);
  cJSON_Delete(l->failures);
  free(l->begun);
  free(l);
  *ledger = NULL;
}

const les_grid *les_sweep_state_grid(const les_sweep_state *l) {
  return l->grid;
}

/* ---- cells and tiles ----------------------------------------------------------------------------------- */

static les_status write_history(les_sweep_state *l) {
  l->history.cells_computed = l->computed_before + l->grid->done - l->done_before;
  l->history.cells_flagged = l->grid->done;
  l->noted = les_now();
  return les_store_set_history(l->path, &l->history);
}

static les_status checkpoint(les_sweep_state *l, int lesion) {
  const char *measure, *spec = l->study->lesions.items[lesion].spec;
  double mean = 0;
  LES_TRY(les_store_checkpoint(l->store, lesion));
  LES_TRY(les_store_mean(l->store, lesion, &measure, &mean));
  l->complete++;
  cJSON *details = cJSON_CreateObject();
  cJSON_AddStringToObject(details, "lesion", spec);
  if (measure) cJSON_AddNumberToObject(details, measure, mean);
  les_sweep_state_event(l, "checkpoint", details, NULL);
  if (l->observer->lesion)
    l->observer->lesion(l->observer->ctx, spec, l->complete, l->grid->n_lesions, measure, mean);
  return les_now() - l->noted > 2 ? write_history(l) : LES_OK;
}

static les_status settle(les_sweep_state *l, les_cell cell, uint8_t state) {
  if (!les_grid_set(l->grid, cell, state)) return LES_OK;
  if (cell.lesion < 0 || l->grid->left[cell.lesion] > 0) return LES_OK;
  return checkpoint(l, cell.lesion);
}

les_status les_sweep_state_next(les_sweep_state *l, int worker, les_tile **tile) {
  LES_TRY(les_sched_next(l->sched, worker, tile));
  if (!*tile) return LES_OK;
  l->begun[worker] = les_now();
  cJSON *details = cJSON_CreateObject();
  cJSON_AddNumberToObject(details, "tile", (*tile)->id);
  cJSON_AddNumberToObject(details, "worker", worker + 1);
  cJSON_AddNumberToObject(details, "cells", (*tile)->n);
  les_sweep_state_event(l, "tile", details, NULL);
  return LES_OK;
}

les_status les_sweep_state_done(les_sweep_state *l, les_cell cell) {
  return settle(l, cell, LES_CELL_DONE);
}

les_status les_sweep_state_end(les_sweep_state *l, les_tile *tile) {
  double seconds = les_now() - l->begun[tile->worker];
  les_sched_limit(l->sched, tile_seconds * tile->cost / seconds);
  return les_sched_end(l->sched, tile);
}

static les_status fail_cell(les_sweep_state *l, les_cell cell, const char *reason) {
  char text[700];
  const char *spec = cell.lesion < 0 ? "none" : l->study->lesions.items[cell.lesion].spec;
  const char *id = l->study->columns.items[cell.column].id;
  if (les_grid_get(l->grid, cell) != LES_CELL_TODO) return LES_OK;
  LES_TRY(les_store_put_failed(l->store, cell));
  cJSON *details = cJSON_CreateObject();
  cJSON_AddStringToObject(details, "lesion", spec);
  cJSON_AddStringToObject(details, "prompt", id);
  cJSON_AddStringToObject(details, "reason", reason);
  if (cJSON_GetArraySize(l->failures) < FAILURES_SHOWN)
    cJSON_AddItemToArray(l->failures, cJSON_Duplicate(details, true));
  snprintf(text, sizeof text, "%s on prompt %s failed: %s", spec, id, reason);
  les_sweep_state_event(l, "failure", details, text);
  return settle(l, cell, LES_CELL_FAILED);
}

/* A prompt whose intact run fails has no cell that could be computed. */
static les_status fail_prompt(les_sweep_state *l, int prompt, const char *reason) {
  for (int i = -1; i < l->grid->n_lesions; i++) LES_TRY(fail_cell(l, (les_cell){i, prompt}, reason));
  return LES_OK;
}

les_status les_sweep_state_lost(les_sweep_state *l, les_tile *tile, const char *reason) {
  les_cell failed;
  bool give_up;
  for (int i = 0; i < tile->n; i++) {
    uint8_t state;
    LES_TRY(les_store_get_status(l->store, tile->cells[i], &state));
    if (state == LES_CELL_DONE) LES_TRY(les_sweep_state_done(l, tile->cells[i]));
  }
  LES_TRY(les_sched_lost(l->sched, tile, &failed, &give_up));
  if (!give_up) return LES_OK;
  return failed.lesion < 0 ? fail_prompt(l, failed.column, reason) : fail_cell(l, failed, reason);
}

/* ---- telling ------------------------------------------------------------------------------------------- */

void les_sweep_state_event(les_sweep_state *l, const char *name, cJSON *details, const char *note) {
  les_events_add(l->events, name, details);
  if (note) say(l, note);
  const char *failure = les_events_failure(l->events);
  if (*failure) say(l, failure);
}

static double rate(const les_sweep_state *l) {
  double seconds = les_now() - l->started;
  return seconds > 0 ? (double)(l->grid->done - l->done_before) / seconds : 0;
}

static double seconds_left(const les_sweep_state *l, double cells_per_second) {
  int64_t left = les_grid_total(l->grid) - l->grid->done - l->grid->failed;
  return left == 0 ? 0 : cells_per_second > 0 ? (double)left / cells_per_second : -1;
}

static cJSON *workers_json(const les_worker_view *workers, int n) {
  cJSON *list = cJSON_CreateArray();
  for (int i = 0; i < n; i++) {
    cJSON *w = cJSON_CreateObject();
    cJSON_AddNumberToObject(w, "worker", i + 1);
    cJSON_AddStringToObject(w, "host", workers[i].host);
    cJSON_AddNumberToObject(w, "pid", workers[i].pid);
    cJSON_AddStringToObject(w, "state", workers[i].state);
    cJSON_AddNumberToObject(w, "seconds", workers[i].seconds);
    cJSON_AddNumberToObject(w, "tile_cells", workers[i].tile_cells);
    cJSON_AddNumberToObject(w, "cells", (double)workers[i].cells);
    cJSON_AddItemToArray(list, w);
  }
  return list;
}

static cJSON *status_json(const les_sweep_state *l, const char *state) {
  char host[64] = "", date[LES_DATE_BYTES];
  gethostname(host, sizeof host - 1);
  les_date(date);
  double r = rate(l), eta = seconds_left(l, r);
  cJSON *doc = cJSON_CreateObject();
  cJSON_AddStringToObject(doc, "state", state);
  if (l->verdict) cJSON_AddStringToObject(doc, "verdict_file", l->verdict);
  cJSON_AddStringToObject(doc, "host", host);
  cJSON_AddNumberToObject(doc, "pid", getpid());
  cJSON_AddStringToObject(doc, "started", l->started_date);
  cJSON_AddStringToObject(doc, "updated", date);
  cJSON_AddNumberToObject(doc, "updated_unix", (double)time(NULL));
  cJSON_AddNumberToObject(doc, "total", (double)les_grid_total(l->grid));
  cJSON_AddNumberToObject(doc, "done", (double)l->grid->done);
  cJSON_AddNumberToObject(doc, "failed", (double)l->grid->failed);
  cJSON_AddNumberToObject(doc, "rate", r);
  if (eta >= 0)
    cJSON_AddNumberToObject(doc, "eta_s", eta);
  else
    cJSON_AddNullToObject(doc, "eta_s");
  cJSON_AddItemToObject(doc, "failures", cJSON_Duplicate(l->failures, true));
  return doc;
}

void les_sweep_state_tick(les_sweep_state *l, const les_worker_view *workers, int n_workers) {
  double now = les_now();
  if (now - l->ticked < 1) return;
  l->ticked = now;
  cJSON *doc = status_json(l, "running");
  cJSON_AddItemToObject(doc, "workers", workers_json(workers, n_workers));
  les_events_status(l->events, doc);
  double r = rate(l);
  if (l->observer->progress)
    l->observer->progress(l->observer->ctx, l->grid->done + l->grid->failed, les_grid_total(l->grid), r,
                          seconds_left(l, r));
}

les_status les_sweep_state_finish(les_sweep_state *l, int code, const char *message) {
  les_status status = les_store_sync(l->store);
  if (l->grid->todo == 0 && !l->history.finished[0]) les_date(l->history.finished);
  les_status written = write_history(l);
  if (status == LES_OK) status = written;
  if (status != LES_OK && code == 0) code = 1;
  cJSON *details = cJSON_CreateObject();
  cJSON_AddNumberToObject(details, "exit_code", code);
  cJSON_AddNumberToObject(details, "done", (double)l->grid->done);
  cJSON_AddNumberToObject(details, "failed", (double)l->grid->failed);
  if (message) cJSON_AddStringToObject(details, "message", message);
  les_sweep_state_event(l, "end", details, NULL);
  cJSON *doc = status_json(l, "ended");
  cJSON_AddItemToObject(doc, "workers", cJSON_CreateArray());
  cJSON_AddNumberToObject(doc, "exit_code", code);
  if (message) cJSON_AddStringToObject(doc, "message", message);
  les_events_status(l->events, doc);
  return status;
}
