#include "sweep/sweep.h"

#include "base/clock.h"
#include "base/cores.h"
#include "base/file.h"
#include "comm/mpi_check.h"
#include "model/load.h"
#include "ranks/coordinator.h"
#include "ranks/worker.h"
#include "store/store_create.h"
#include "store/store_file.h"
#include "watch/lock.h"

#include <limits.h>
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
  les_evaluator *evaluator; /* ranks that compute */
  les_tile_runner runner;
  les_sweep_state *state;       /* rank 0 */
  les_coordinator *coordinator; /* rank 0 */
  const char *output;
  char *stop_file;
  les_limits limits;
  int threads;
} rank_state;

/* ---- before work --------------------------------------------------------------------------------------- */

static les_status prepare(rank_state *r, const les_sweep_options *o) {
  LES_TRY(les_job_open(&r->job, o->job_path));
  if (o->compute >= 0) r->job->compute = (les_compute)o->compute;
  r->output = o->output ? o->output : r->job->output;
  LES_TRY(les_file_check_folder(r->output));
  if (asprintf(&r->stop_file, "%s.stop", r->output) < 0)
    return r->stop_file = NULL, les_no_memory("a file name");
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
static les_status warn_binding(const les_team *team, const les_sweep_options *o, const les_job *job) {
  enum { ENOUGH = 1 << 20 };
  int asked = asked_threads(o, job), cores = les_cores_available(), few[2];
  int wanted = asked > 0 ? asked : team->bound ? les_cores_online() / team->sharers : 0;
  int mine[2] = {!les_team_computes(team) || cores >= wanted ? ENOUGH : cores, team->rank};
  if (team->spawned) return LES_OK;
  LES_TRY_MPI(MPI_Allreduce(mine, few, 1, MPI_2INT, MPI_MINLOC, MPI_COMM_WORLD), "comparing ranks' cores");
  if (team->rank != 0 || few[0] == ENOUGH || !o->observer.note) return LES_OK;
  char text[256];
  snprintf(text, sizeof text,
           "rank %d is bound to %d core%s, fewer than it could use; start with `mpirun --bind-to none`",
           few[1], few[0], few[0] == 1 ? "" : "s");
  o->observer.note(o->observer.ctx, text);
  return LES_OK;
}

/* Rank 0 takes the lock, looks whether there is a file of this job, and makes it if there is none. */
static les_status open_result(rank_state *r, const les_team *team) {
  bool exists = true;
  les_status status = LES_OK;
  if (les_team_is_root(team)) {
    status = les_store_exists(r->output, &exists); /* no lock file beside a link */
    if (status == LES_OK) status = les_lock_take(&r->lock, r->output, lock_patience);
    if (status == LES_OK) status = les_store_exists(r->output, &exists);
    if (status == LES_OK)
      status = exists ? les_store_match(r->output, r->study) : les_store_create(r->output, r->study);
  }
  LES_TRY(les_team_agree(team, status));
  if (!r->lock) status = les_lock_join(&r->lock, r->output);
  if (status == LES_OK) status = les_store_open(&r->store, r->output, r->study);
  return les_team_agree(team, status);
}

/* Bytes that a rank may keep in memory between tiles. */
static size_t memory_share(const les_team *team) {
  return (size_t)sysconf(_SC_PHYS_PAGES) / 4 * (size_t)sysconf(_SC_PAGESIZE) / (size_t)team->sharers;
}

static les_status open_role(rank_state *r, const les_team *team, const les_sweep_options *o) {
  les_status status = LES_OK;
  if (les_team_is_root(team))
    status = les_sweep_state_open(&r->state, r->output, r->study, r->store, les_team_workers(team),
                                  &o->observer, o->exit_status_file);
  if (status == LES_OK && les_team_computes(team))
    status = les_evaluator_open(
        &r->evaluator, r->study,
        &(les_evaluator_options){.threads = r->threads, .memory_limit = memory_share(team)});
  r->runner = (les_tile_runner){r->evaluator, r->store};
  return les_team_agree(team, status);
}

/* Before the workers wait for messages: a coordinator that cannot be opened would send them none. */
static les_status open_coordinator(rank_state *r, les_team *team, const les_sweep_options *o) {
  les_status status = LES_OK;
  if (les_team_is_root(team))
    status = les_coordinator_open(&r->coordinator, team, r->state, &o->respawn, &r->runner);
  return les_team_agree(team, status);
}

static les_status begin(rank_state *r, les_team *team, const les_sweep_options *o) {
  les_status status = les_team_is_root(team) ? LES_OK : les_worker_announce(team);
  if (status == LES_OK) status = prepare(r, o);
  LES_TRY(les_team_agree(team, status));
  r->threads = choose_threads(team, o, r->job);
  LES_TRY(warn_binding(team, o, r->job));
  if (les_team_is_root(team) && r->study->warning && o->observer.note)
    o->observer.note(o->observer.ctx, r->study->warning);
  LES_TRY(open_result(r, team));
  LES_TRY(open_role(r, team, o));
  return open_coordinator(r, team, o);
}

/* ---- the sweep ----------------------------------------------------------------------------------------- */

/* Where the result is, and what to do with it. */
static void tell_end(const rank_state *r, const les_observer *observer) {
  char text[2 * PATH_MAX + 64];
  snprintf(text, sizeof text, "the result is in %s; `lesion map %s` shows what it says", r->output,
           r->output);
  if (observer->note) observer->note(observer->ctx, text);
}

static les_status run_root(rank_state *r, const les_sweep_options *o, int *code) {
  const les_grid *grid = les_sweep_state_grid(r->state);
  les_status status = les_coordinator_run(r->coordinator, &r->limits);
  if (status == LES_OK && grid->failed + grid->failed_intact > 0)
    status = les_fail(
        LES_FAILED,
        "%s: complete, but %lld of %lld cells and %lld intact runs failed; `lesion status` lists them",
        r->output, (long long)grid->failed, (long long)les_grid_total(grid), (long long)grid->failed_intact);
  status = les_sweep_state_finish(r->state, status);
  if (status == LES_OK) tell_end(r, &o->observer);
  *code = les_exit_code(status);
  les_coordinator_close(&r->coordinator, *code);
  return status;
}

static void end(rank_state *r, const les_team *team) {
  les_evaluator_close(&r->evaluator);
  les_sweep_state_close(&r->state);
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

static les_status run_worker(rank_state *r, les_team *team, int *code) {
  les_grid grid = {.n_lesions = r->study->lesions.n, .n_columns = r->study->columns.n};
  les_status status = les_worker_run(team, &r->runner, &grid, code);
  if (status == LES_OK) return LES_OK;
  *code = les_exit_code(status);
  les_worker_decline(team);
  return status;
}

les_status les_sweep_run(les_team *team, const les_sweep_options *o, int *code) {
  rank_state r = {0};
  les_status status = begin(&r, team, o);
  *code = les_exit_code(status);
  if (status != LES_OK) {
    if (team->spawned) les_worker_decline(team);
  } else if (les_team_is_root(team)) {
    status = run_root(&r, o, code);
  } else {
    status = run_worker(&r, team, code);
  }
  end(&r, team);
  if (les_team_is_root(team)) leave_exit_status(o->exit_status_file, *code);
  return status;
}
