#include "sweep/sweep.h"

#include "base/clock.h"
#include "base/cores.h"
#include "model/load.h"
#include "ranks/coordinator.h"
#include "ranks/worker.h"
#include "watch/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double lock_patience = 10; /* for the ranks of a killed sweep to go */

/* Everything that a rank holds during a sweep. */
typedef struct rank_state {
  les_job *job;
  les_model *model;
  les_study *study;
  les_lock *lock;
  les_store *store;
  les_evaluator *evaluator;
  les_sweep_state *ledger;      /* rank 0 */
  les_coordinator *coordinator; /* rank 0 with workers */
  const char *output;
  char *stop_file;
  les_limits limits;
  int threads;
} rank_state;

static int exit_code(les_status status) {
  return status == LES_OK ? 0 : status == LES_STOPPED ? 75 : status == LES_USAGE ? 2 : 1;
}

/* ---- before work --------------------------------------------------------------------------------------- */

static les_status prepare(rank_state *r, const les_sweep_options *o) {
  LES_TRY(les_job_open(&r->job, o->job_path));
  if (o->compute >= 0) r->job->compute = (les_compute)o->compute;
  r->output = o->output ? o->output : r->job->output;
  if (asprintf(&r->stop_file, "%s.stop", r->output) < 0)
    return r->stop_file = NULL, les_fail(LES_FAILED, "out of memory for a file name");
  r->limits =
      (les_limits){.deadline = o->time_limit > 0 ? les_now() + o->time_limit : 0, .stop_file = r->stop_file};
  LES_TRY(les_model_open(&r->model, r->job->model_path, &(les_model_options){.cache_dir = o->cache_dir}));
  return les_study_open(&r->study, r->job, r->model);
}

/* Threads asked for, 0 if nobody has. */
static int asked_threads(const les_sweep_options *o, const les_job *job) {
  return o->threads > 0 ? o->threads : job->threads > 0 ? job->threads : o->default_threads;
}

static int choose_threads(const les_team *team, const les_sweep_options *o, const les_job *job) {
  int asked = asked_threads(o, job), share = les_cores_available() / (team->bound ? 1 : team->sharers);
  return asked > 0 ? asked : share > 0 ? share : 1;
}

/* Collective. A launcher that binds ranks to single cores takes cores away from them. */
static void warn_binding(const les_team *team, const les_sweep_options *o, const les_job *job) {
  enum { ENOUGH = 1 << 20 };
  int asked = asked_threads(o, job), cores = les_cores_available(), few[2];
  int wanted = asked > 0 ? asked : team->bound ? les_cores_online() / team->sharers : 0;
  bool idle = team->size > 1 && team->rank == 0; /* it computes nothing */
  int mine[2] = {idle || cores >= wanted ? ENOUGH : cores, team->rank};
  if (team->spawned) return;
  MPI_Allreduce(mine, few, 1, MPI_2INT, MPI_MINLOC, MPI_COMM_WORLD);
  if (team->rank != 0 || few[0] == ENOUGH || !o->observer.note) return;
  char text[256];
  snprintf(text, sizeof text,
           "rank %d is bound to %d core%s, fewer than it could use; start with `mpirun --bind-to none`",
           few[1], few[0], few[0] == 1 ? "" : "s");
  o->observer.note(o->observer.ctx, text);
}

/* Rank 0 takes the lock and looks whether there is a file of this job; all of them make it together if not.
 */
static les_status open_result(rank_state *r, const les_team *team) {
  bool exists = true;
  les_status status = LES_OK;
  if (les_team_is_root(team)) {
    status = les_store_exists(r->output, &exists); /* no lock file beside a link */
    if (status == LES_OK) status = les_lock_take(&r->lock, r->output, lock_patience);
    if (status == LES_OK) status = les_store_exists(r->output, &exists);
    if (status == LES_OK && exists) status = les_store_match(r->output, r->study);
  }
  LES_TRY(les_team_agree(team, status));
  if (!team->spawned) {
    MPI_Bcast(&exists, 1, MPI_C_BOOL, 0, MPI_COMM_WORLD);
    if (!exists) LES_TRY(les_team_agree(team, les_store_create(r->output, r->study, MPI_COMM_WORLD)));
  }
  if (!r->lock) status = les_lock_join(&r->lock, r->output);
  if (status == LES_OK) status = les_store_open(&r->store, r->output, r->study);
  return les_team_agree(team, status);
}

/* What a rank may keep in memory between tiles. */
static size_t memory_share(const les_team *team) {
  return (size_t)sysconf(_SC_PHYS_PAGES) / 4 * (size_t)sysconf(_SC_PAGESIZE) / (size_t)team->sharers;
}

static les_status open_role(rank_state *r, const les_team *team, const les_sweep_options *o) {
  bool root = les_team_is_root(team), computes = team->size == 1 || !root;
  les_status status = LES_OK;
  if (root)
    status = les_sweep_state_open(&r->ledger, r->output, r->study, r->store,
                                  team->size > 1 ? team->size - 1 : 1, &o->observer, o->exit_status_file);
  if (status == LES_OK && computes)
    status = les_evaluator_open(
        &r->evaluator, r->study,
        &(les_evaluator_options){.threads = r->threads, .memory_limit = memory_share(team)});
  return les_team_agree(team, status);
}

static les_status begin(rank_state *r, const les_team *team, const les_sweep_options *o) {
  if (!les_team_is_root(team)) les_worker_announce(team);
  LES_TRY(les_team_agree(team, prepare(r, o)));
  r->threads = choose_threads(team, o, r->job);
  warn_binding(team, o, r->job);
  LES_TRY(open_result(r, team));
  return open_role(r, team, o);
}

/* ---- one rank alone ------------------------------------------------------------------------------------ */

typedef struct solo {
  rank_state *rank;
  les_tile *tile;
  les_worker_view view;
  char host[LES_HOST_BYTES];
  double since, looked;
  const char *why; /* to stop; NULL: no reason */
  bool store_failed;
} solo;

static les_status solo_cell(void *ctx, int index, const void *record) {
  solo *s = ctx;
  les_status status = les_store_put(s->rank->store, s->tile->cells[index], record);
  if (status == LES_OK) status = les_sweep_state_done(s->rank->ledger, s->tile->cells[index]);
  s->store_failed = status != LES_OK;
  s->view.cells++;
  return status;
}

static bool solo_stop(void *ctx) {
  solo *s = ctx;
  if (les_now() - s->looked < 0.1)
    return s->why != NULL; /* files and clocks need not be looked at more often */
  s->looked = les_now();
  s->view.tile_cells = s->tile->n;
  s->view.seconds = les_now() - s->since;
  les_sweep_state_tick(s->rank->ledger, &s->view, 1);
  if (!s->why) s->why = les_limits_reached(&s->rank->limits);
  return s->why != NULL;
}

static les_status run_alone(rank_state *r) {
  solo s = {.rank = r, .view = {.state = "computing", .pid = getpid()}};
  gethostname(s.host, sizeof s.host - 1);
  s.view.host = s.host;
  while (les_sweep_state_grid(r->ledger)->todo > 0) {
    LES_TRY(les_sweep_state_next(r->ledger, 0, &s.tile));
    s.since = les_now();
    les_status status = les_evaluate(r->evaluator, s.tile->cells, s.tile->n, solo_cell, &s, solo_stop);
    if (status == LES_FAILED && !s.store_failed) {
      status = les_sweep_state_lost(r->ledger, s.tile, les_message());
    } else { /* what a stop or a full disk has left of the tile goes back */
      les_status ended = les_sweep_state_end(r->ledger, s.tile);
      if (status == LES_OK) status = ended;
    }
    if (status == LES_STOPPED) return les_limits_stopped(s.why);
    if (status != LES_OK) return status;
  }
  return LES_OK;
}

/* ---- the sweep ----------------------------------------------------------------------------------------- */

static les_status run_cells(rank_state *r, les_team *team, const les_sweep_options *o) {
  if (team->size == 1) return run_alone(r);
  LES_TRY(les_coordinator_open(&r->coordinator, team, r->ledger, &o->respawn));
  return les_coordinator_run(r->coordinator, &r->limits);
}

static les_status run_root(rank_state *r, les_team *team, const les_sweep_options *o, int *code) {
  const les_grid *grid = les_sweep_state_grid(r->ledger);
  les_status status = run_cells(r, team, o);
  if (status == LES_OK && grid->failed + grid->failed_intact > 0)
    status = les_fail(
        LES_FAILED,
        "%s: complete, but %lld of %lld cells and %lld intact runs failed; `lesion status` lists them",
        r->output, (long long)grid->failed, (long long)les_grid_total(grid), (long long)grid->failed_intact);
  les_status finished =
      les_sweep_state_finish(r->ledger, exit_code(status), status == LES_OK ? NULL : les_message());
  if (status == LES_OK) status = finished;
  *code = exit_code(status);
  les_coordinator_close(&r->coordinator, *code);
  return status;
}

static void end(rank_state *r, const les_team *team) {
  les_evaluator_close(&r->evaluator);
  les_sweep_state_close(&r->ledger);
  les_store_close(&r->store);
  les_lock_close(&r->lock, les_team_is_root(team));
  les_study_close(&r->study);
  les_model_close(&r->model);
  les_job_close(&r->job);
  free(r->stop_file);
}

static void leave_exit_status(const char *path, int code) {
  FILE *f = path ? fopen(path, "w") : NULL;
  if (!f) return;
  fprintf(f, "%d\n", code);
  fclose(f);
}

les_status les_sweep_run(les_team *team, const les_sweep_options *o, int *code) {
  rank_state r = {0};
  les_status status = begin(&r, team, o);
  *code = exit_code(status);
  if (status != LES_OK) {
    if (team->spawned) les_worker_decline(team);
  } else if (les_team_is_root(team))
    status = run_root(&r, team, o, code);
  else {
    les_grid grid = {.n_lesions = r.study->lesions.n, .n_prompts = r.study->prompts.n};
    status = les_worker_run(team, r.evaluator, r.store, &grid, code);
  }
  end(&r, team);
  if (les_team_is_root(team)) leave_exit_status(o->exit_status_file, *code);
  return status;
}
