/* Truncated singular value decomposition of a matrix that a lesion replaces, by LAPACK in double precision.
 *
 * With W of n outputs and at least as many inputs, W W^T = U S^2 U^T, and the best approximation of rank r is
 * U_r U_r^T W (Eckart and Young, 1936); with more outputs than inputs, the same for W^T. The symmetric
 * problem of the smaller side takes a fifth of the time of a full decomposition (2.4 s against 12 s for 2048
 * x 8192 on one core), and squaring weights of 24 bits loses nothing in double. */
#ifndef LES_LESION_SVD_H
#define LES_LESION_SVD_H

#include "lesion/matrix_edit.h"

/* Singular vectors of the smaller side of a matrix; they serve for every rank. */
typedef struct les_svd {
  int64_t n;       /* the smaller side */
  bool outputs;    /* the vectors are of outputs (rows <= cols), else of inputs */
  double *vectors; /* (n, n) a vector a row, in ascending order of singular values */
  double *squares; /* (n) squared singular values, ascending */
} les_svd;

/* Decomposes a matrix. Needs 8 bytes per element of m, and 24 n^2, while it works. Fails if it holds NaN or
 * infinity. */
les_status les_svd_compute(les_svd **out, const les_matrix_edit *m);
void les_svd_free(les_svd **svd);

/* Replaces m, whose decomposition `svd` is, by its best approximation of that rank; nothing changes from the
 * full rank on. */
les_status les_svd_truncate(const les_svd *svd, const les_matrix_edit *m, int64_t rank);

#endif
