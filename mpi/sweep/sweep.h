/* A sweep from the job file to the result file: the ranks agree before work starts, the file is created or
 * resumed, then rank 0 coordinates and the others compute; one rank alone does both. */
#ifndef LES_SWEEP_SWEEP_H
#define LES_SWEEP_SWEEP_H

#include "ranks/recovery.h"
#include "ranks/team.h"
#include "watch/sweep_state.h"

typedef struct les_sweep_options {
  const char *job_path;
  const char *output;    /* NULL: the job's */
  int compute;           /* les_compute; -1: the job's */
  int threads;           /* of a rank; 0: the job's, else default_threads, else the node's cores shared out */
  int default_threads;   /* 0: none */
  double time_limit;     /* seconds from now; 0: none */
  const char *cache_dir; /* where digests of models are kept; NULL: nowhere */
  const char *exit_status_file; /* where rank 0 leaves its exit code; NULL: nowhere */
  les_observer observer;
  les_respawn respawn; /* how to start a replacement of a dead worker */
} les_sweep_options;

/* Collective over the team (a replacement joins alone). LES_OK: all cells are done. LES_STOPPED: ended early
 * with a good checkpoint. LES_FAILED: not begun, or cells failed, or the file cannot be written; what is
 * finished is kept. *code is the exit code that all ranks share. */
les_status les_sweep_run(les_team *team, const les_sweep_options *options, int *code);

#endif
