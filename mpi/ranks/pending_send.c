#include "ranks/pending_send.h"

#include "store/mpi_check.h"

#include <stdlib.h>
#include <string.h>

struct les_pending_send {
  les_pending_send *next;
  MPI_Request request;
  char body[];
};

les_status les_pending_send_start(les_pending_send **list, const void *body, size_t bytes, int rank, int tag,
                                  MPI_Comm comm) {
  les_pending_send *p = malloc(sizeof *p + bytes);
  if (!p) return les_no_memory("a message to rank %d", rank);
  if (bytes > 0) memcpy(p->body, body, bytes);
  int result = MPI_Isend(p->body, (int)bytes, MPI_BYTE, rank, tag, comm, &p->request);
  if (result != MPI_SUCCESS) {
    free(p);
    return les_mpi_check(result, "sending to a worker");
  }
  p->next = *list;
  *list = p;
  return LES_OK;
}

void les_pending_send_collect(les_pending_send **list) {
  for (les_pending_send **link = list; *link;) {
    les_pending_send *p = *link;
    int sent = 0;
    /* a test that fails ends the request: its receiver is dead, which is noticed elsewhere */
    if (MPI_Test(&p->request, &sent, MPI_STATUS_IGNORE) == MPI_SUCCESS && !sent) {
      link = &p->next;
      continue;
    }
    *link = p->next;
    free(p);
  }
}
