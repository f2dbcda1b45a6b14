#include "ranks/team.h"

#include "watch/interrupt.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1024 };

/* Who shares this node, and whether they share its cores. Rank 0 of several only coordinates. */
static void look_at_node(les_team *team) {
  MPI_Comm node;
  cpu_set_t mine, any, all;
  int computes = team->rank > 0 || team->size == 1;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Allreduce(&computes, &team->sharers, 1, MPI_INT, MPI_SUM, node);
  if (team->sharers == 0) team->sharers = 1;
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) CPU_ZERO(&mine);
  MPI_Allreduce(&mine, &any, sizeof mine, MPI_BYTE, MPI_BOR, node);
  MPI_Allreduce(&mine, &all, sizeof mine, MPI_BYTE, MPI_BAND, node);
  team->bound = !CPU_EQUAL(&any, &all);
  MPI_Comm_free(&node);
}

les_status les_team_open(les_team *team) {
  int provided;
  MPI_Comm parent;
  *team = (les_team){0};
  les_interrupt_watch(); /* from the very beginning, so that no signal ends a rank without a checkpoint */
  /* serialized: a worker's second thread sends its signs of life, one thread at a time */
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS)
    return les_fail(LES_FAILED, "MPI cannot be started");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &team->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &team->size);
  MPI_Comm_get_parent(&parent);
  team->spawned = parent != MPI_COMM_NULL;
  team->boss = team->spawned ? parent : MPI_COMM_WORLD;
  team->torn = team->spawned;
  look_at_node(team);
  if (provided >= MPI_THREAD_SERIALIZED) return LES_OK;
  return les_fail(LES_FAILED, "this MPI has no thread support (MPI_THREAD_SERIALIZED)");
}

void les_team_close(les_team *team, int code) {
  if (team->torn) {
    fflush(NULL);
    _exit(code); /* MPI_Finalize waits for the dead */
  }
  MPI_Finalize();
}

les_status les_team_agree(const les_team *team, les_status status) {
  char message[MESSAGE_BYTES];
  int first = status == LES_OK ? INT_MAX : team->rank, result = (int)status;
  if (team->spawned) return status;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (first == INT_MAX) return LES_OK;
  snprintf(message, sizeof message, "%s", les_message());
  MPI_Bcast(message, sizeof message, MPI_CHAR, first, MPI_COMM_WORLD);
  MPI_Bcast(&result, 1, MPI_INT, first, MPI_COMM_WORLD);
  return les_fail((les_status)result, "%s", message);
}
