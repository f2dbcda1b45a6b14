/* Truncated singular value decomposition of a replaced matrix, by LAPACK in double precision.
 *
 * With W of n outputs and at least as many inputs, W W^T = U S^2 U^T, and the best approximation of rank r is
 * U_r U_r^T W (Eckart and Young, 1936); the same with inputs and outputs exchanged. The symmetric problem of
 * the smaller side takes a fifth of the time of a full decomposition (2.4 s against 12 s for 2048 x 8192 on
 * one core), and since weights have 24 bits, squaring them in double loses nothing that they had. */
#ifndef LES_LESION_SVD_H
#define LES_LESION_SVD_H

#include "lesion/dense.h"

/* Singular vectors of the smaller side of a matrix; serves every rank. */
typedef struct les_basis {
  int64_t n;       /* the smaller side */
  bool outputs;    /* the vectors are of outputs (rows <= cols), else of inputs */
  double *vectors; /* (n, n) a vector a row, in ascending order of singular values */
  double *squares; /* (n) squared singular values, ascending */
} les_basis;

/* Decomposes a matrix. Needs 8 bytes per element of d, and 24 n^2, while it works. Fails if it holds NaN or
 * infinity. */
les_status les_basis_open(les_basis **out, const les_dense *d);
void les_basis_close(les_basis **basis);

/* Bytes that a basis of a matrix of that size holds. */
size_t les_basis_bytes(int64_t rows, int64_t cols);

/* Replaces d, of which `basis` is, by its approximation of that rank; nothing changes from the full rank on.
 */
les_status les_basis_truncate(const les_basis *basis, const les_dense *d, int64_t rank);

#endif
