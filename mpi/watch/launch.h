/* Runs a sweep under mpirun and watches it: passes the options that let a sweep survive a dead rank, reads
 * from the result file whether it succeeded (after a death mpirun returns 0 whatever happened), ends an
 * mpirun that hangs, and starts a crashed sweep again. Local; uses no MPI itself. */
#ifndef LES_WATCH_LAUNCH_H
#define LES_WATCH_LAUNCH_H

#include "base/status.h"

#include <stdbool.h>

typedef struct les_launch_options {
  const char *program; /* this program: "PROGRAM sweep ... JOB" is what is started */
  const char *job_path;
  const char *output;         /* NULL: the job's */
  char *const *sweep_options; /* further options for the sweep, null-terminated */
  int ranks;                  /* 0: what the batch system allocated, else chosen by the node's cores */
  bool allocated;             /* a batch system has allocated slots: mpirun knows how many */
  int retries;                /* further starts after a crash, at most */
  double time_limit;          /* seconds for all starts together; 0: none */
  void (*note)(void *ctx, const char *text);
  void *ctx;
} les_launch_options;

/* Runs the sweep to its end. *code is the sweep's exit code; LES_FAILED with a message if it came to none. A
 * failure that the sweep has told the user itself gives LES_OK and its code. */
les_status les_launch_run(const les_launch_options *options, int *code);

#endif
