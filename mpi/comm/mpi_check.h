/* Results of MPI calls in the library's idiom. They are returned, not fatal, once les_team_init has set
 * MPI_ERRORS_RETURN. */
#ifndef LES_COMM_MPI_CHECK_H
#define LES_COMM_MPI_CHECK_H

#include "base/status.h"

/* Local. LES_OK for MPI_SUCCESS; else LES_FAILED, the message is "what: " and MPI's text for the code. `what`
 * says what the call was for: "sharing the file's date". */
les_status les_mpi_check(int code, const char *what);

/* Passes a failure of an MPI call up to the caller, as LES_TRY does. */
#define LES_TRY_MPI(call, what) LES_TRY(les_mpi_check((call), (what)))

#endif
