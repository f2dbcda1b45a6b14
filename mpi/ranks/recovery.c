#include "ranks/recovery.h"

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

les_status les_recovery_spawn(const les_respawn *how, const char *host, MPI_Comm *worker) {
  MPI_Info info;
  char folder[PATH_MAX];
  int error = MPI_SUCCESS;
  MPI_Info_create(&info);
  if (host) MPI_Info_set(info, "host", host);
  if (getcwd(folder, sizeof folder)) MPI_Info_set(info, "wdir", folder);
  struct sigaction act = {.sa_handler = give_up};
  sigaction(SIGALRM, &act, NULL);
  alarm(SPAWN_SECONDS);
  int result = MPI_Comm_spawn(how->program, (char **)how->argv, 1, info, 0, MPI_COMM_SELF, worker, &error);
  alarm(0);
  MPI_Info_free(&info);
  if (result != MPI_SUCCESS || error != MPI_SUCCESS)
    return les_fail(LES_FAILED, "no worker can be started in place of the dead one%s%s", host ? " on " : "",
                    host ? host : "");
  MPI_Comm_set_errhandler(*worker, MPI_ERRORS_RETURN);
  return LES_OK;
}
