#include "ranks/recovery.h"

#include "comm/mpi_check.h"
#include "watch/process.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

enum { SPAWN_SECONDS = 20 }; /* a tenth of a second is usual */

les_health les_recovery_health(int pid, bool here) {
  if (!here) return LES_HEALTH_GOOD;
  switch (les_process_state_of(pid)) {
  case LES_PROCESS_GONE:
    return LES_HEALTH_DEAD;
  case LES_PROCESS_STOPPED:
    return LES_HEALTH_STOPPED;
  default:
    return LES_HEALTH_GOOD;
  }
}

void les_recovery_kill(int pid, bool here) {
  if (here && pid > 1) kill(pid, SIGKILL);
}

/* Open MPI waits for ever for a process that dies while it starts. All that is finished is in the file: this
 * start is given up for the next one. */
static void give_up(int number) {
  (void)number;
  _exit(1);
}

/* Where the worker is to start. */
static les_status set_place(MPI_Info info, const char *host) {
  char folder[PATH_MAX];
  if (host) LES_TRY_MPI(MPI_Info_set(info, "host", host), "naming a worker's host");
  if (getcwd(folder, sizeof folder))
    LES_TRY_MPI(MPI_Info_set(info, "wdir", folder), "naming a worker's folder");
  return LES_OK;
}

static les_status spawn(const les_respawn *how, MPI_Info info, MPI_Comm *worker) {
  int error = MPI_SUCCESS;
  struct sigaction act = {.sa_handler = give_up};
  sigaction(SIGALRM, &act, NULL);
  alarm(SPAWN_SECONDS);
  int result = MPI_Comm_spawn(how->program, (char **)how->argv, 1, info, 0, MPI_COMM_SELF, worker, &error);
  alarm(0);
  LES_TRY_MPI(result, "starting a process");
  LES_TRY_MPI(error, "starting a process");
  return les_mpi_check(MPI_Comm_set_errhandler(*worker, MPI_ERRORS_RETURN), "preparing for a worker's death");
}

les_status les_recovery_spawn(const les_respawn *how, const char *host, MPI_Comm *worker) {
  MPI_Info info;
  LES_TRY_MPI(MPI_Info_create(&info), "describing a worker");
  les_status status = set_place(info, host);
  if (status == LES_OK) status = spawn(how, info, worker);
  MPI_Info_free(&info); /* a failure leaves no more than an unused object */
  if (status == LES_OK) return LES_OK;
  return les_fail_in(status, "no worker can be started in place of the dead one%s%s", host ? " on " : "",
                     host ? host : "");
}
