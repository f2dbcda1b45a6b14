#include "comm/mpi_check.h"

#include <mpi.h>

les_status les_mpi_check(int code, const char *what) {
  char text[MPI_MAX_ERROR_STRING];
  int n;
  if (code == MPI_SUCCESS) return LES_OK;
  if (MPI_Error_string(code, text, &n) != MPI_SUCCESS)
    return les_fail(LES_FAILED, "%s: MPI failed with error %d", what, code);
  return les_fail(LES_FAILED, "%s: MPI failed: %s", what, text);
}
