#include "ranks/team.h"

#include "comm/mpi_check.h"
#include "watch/interrupt.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

/* Who shares this node, and whether they share its cores. */
static les_status look_at_node(les_team *team, MPI_Comm node) {
  cpu_set_t mine, any, all;
  int computes = les_team_computes(team);
  LES_TRY_MPI(MPI_Allreduce(&computes, &team->sharers, 1, MPI_INT, MPI_SUM, node), "counting a node's ranks");
  if (team->sharers == 0) team->sharers = 1;
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) CPU_ZERO(&mine);
  LES_TRY_MPI(MPI_Allreduce(&mine, &any, sizeof mine, MPI_BYTE, MPI_BOR, node), "comparing ranks' cores");
  LES_TRY_MPI(MPI_Allreduce(&mine, &all, sizeof mine, MPI_BYTE, MPI_BAND, node), "comparing ranks' cores");
  team->bound = !CPU_EQUAL(&any, &all);
  return LES_OK;
}

static les_status find_place(les_team *team) {
  MPI_Comm parent, node;
  LES_TRY_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "starting MPI");
  LES_TRY_MPI(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "starting MPI");
  LES_TRY_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &team->rank), "starting MPI");
  LES_TRY_MPI(MPI_Comm_size(MPI_COMM_WORLD, &team->size), "starting MPI");
  LES_TRY_MPI(MPI_Comm_get_parent(&parent), "looking for the rank that started this one");
  team->spawned = team->rank_died = parent != MPI_COMM_NULL;
  team->root = team->spawned ? parent : MPI_COMM_WORLD;
  LES_TRY_MPI(MPI_Comm_set_errhandler(team->root, MPI_ERRORS_RETURN), "starting MPI");
  LES_TRY_MPI(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node),
              "finding the ranks of a node");
  les_status status = look_at_node(team, node);
  les_status freed = les_mpi_check(MPI_Comm_free(&node), "finding the ranks of a node");
  return status == LES_OK ? freed : status;
}

les_status les_team_init(les_team *team) {
  int provided;
  *team = (les_team){0};
  les_interrupt_watch(); /* from the very beginning, so that no signal ends a rank without a checkpoint */
  /* serialized: a worker's second thread sends its heartbeats, one thread at a time */
  LES_TRY_MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided), "starting MPI");
  LES_TRY(find_place(team));
  if (provided >= MPI_THREAD_SERIALIZED) return LES_OK;
  return les_fail(LES_FAILED, "this MPI has no thread support (MPI_THREAD_SERIALIZED)");
}

void les_team_free(les_team *team, int code) {
  if (team->rank_died) {
    fflush(NULL);
    _exit(code);
  }
  MPI_Finalize(); /* a failure to end changes nothing of what was done */
}

les_status les_team_agree(const les_team *team, les_status status) {
  char message[LES_MESSAGE_BYTES];
  int first = status == LES_OK ? INT_MAX : team->rank, result = (int)status;
  if (team->spawned) return status;
  snprintf(message, sizeof message, "%s", les_message());
  LES_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD),
              "agreeing on a failure");
  if (first == INT_MAX) return LES_OK;
  LES_TRY_MPI(MPI_Bcast(message, sizeof message, MPI_CHAR, first, MPI_COMM_WORLD), "passing on a failure");
  LES_TRY_MPI(MPI_Bcast(&result, 1, MPI_INT, first, MPI_COMM_WORLD), "passing on a failure");
  return les_fail((les_status)result, "%s", message);
}
