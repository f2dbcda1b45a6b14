#include "lesion/svd.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* OpenBLAS sums in an order that depends on its threads and on the shape: it runs on one thread, on pieces of
 * this many rows or columns that depend on the matrix alone; our threads share the pieces out. */
enum { PIECE = 256 };

static les_status no_memory(void) {
  return les_fail(LES_FAILED, "out of memory for a singular value decomposition");
}

static int64_t min_i64(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* b->vectors = products of all pairs of rows (or columns) of w, the values of d; lower triangle by pieces. */
static void fill_gram(const les_basis *b, const les_dense *d, const double *w) {
  double *gram = b->vectors;
  int64_t rows = d->rows, cols = d->cols, n = b->n, pieces = (n + PIECE - 1) / PIECE;
#pragma omp parallel for schedule(dynamic) num_threads(d->threads)
  for (int64_t t = 0; t < pieces * pieces; t++) {
    int64_t i = t / pieces * PIECE, j = t % pieces * PIECE;
    if (j > i) continue;
    int64_t ni = min_i64(PIECE, n - i), nj = min_i64(PIECE, n - j);
    if (b->outputs)
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)ni, (int)nj, (int)cols, 1, w + i * cols,
                  (int)cols, w + j * cols, (int)cols, 0, gram + i * n + j, (int)n);
    else
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)ni, (int)nj, (int)rows, 1, w + i, (int)cols,
                  w + j, (int)cols, 0, gram + i * n + j, (int)n);
  }
}

/* Eigenvectors of b->vectors (a symmetric matrix, lower triangle) in its place. */
static les_status solve(les_basis *b) {
  lapack_int n = (lapack_int)b->n, n_int, info;
  double best;
  les_status status = LES_OK;
  /* Row-major lower is column-major upper, and a column of the result is a row here. */
  info = LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'U', n, b->vectors, n, b->squares, &best, -1, &n_int, -1);
  if (info != 0) return les_fail(LES_FAILED, "LAPACK's dsyevd refuses its arguments (info %d)", (int)info);
  double *work = malloc((size_t)best * sizeof *work);
  lapack_int *work_int = malloc((size_t)n_int * sizeof *work_int);
  if (!work || !work_int)
    status = no_memory();
  else if (LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'U', n, b->vectors, n, b->squares, work,
                               (lapack_int)best, work_int, n_int) != 0)
    status = les_fail(LES_FAILED, "LAPACK's dsyevd does not converge");
  free(work);
  free(work_int);
  return status;
}

les_status les_basis_open(les_basis **out, const les_dense *d) {
  les_status status = LES_OK;
  size_t size = (size_t)(d->rows * d->cols);
  double *w = malloc(size * sizeof *w);
  les_basis *b = *out = calloc(1, sizeof *b);
  if (!w || !b) LES_GOTO(status, no_memory(), done);
  b->outputs = d->rows <= d->cols;
  b->n = min_i64(d->rows, d->cols);
  b->vectors = malloc((size_t)(b->n * b->n) * sizeof *b->vectors);
  b->squares = malloc((size_t)b->n * sizeof *b->squares);
  if (!b->vectors || !b->squares) LES_GOTO(status, no_memory(), done);
  bool finite = true;
  for (size_t i = 0; i < size; i++) {
    w[i] = d->w[i];
    finite = finite && isfinite(d->w[i]);
  }
  if (!finite)
    LES_GOTO(status,
             les_fail(LES_FAILED, "layer %d: %s holds NaN or infinity and has no singular values", d->layer,
                      les_linear_name(d->id)),
             done);
  openblas_set_num_threads(1);
  fill_gram(b, d, w);
  status = solve(b);
done:
  free(w);
  if (status != LES_OK) les_basis_close(out);
  return status;
}

void les_basis_close(les_basis **basis) {
  if (!*basis) return;
  free((*basis)->vectors);
  free((*basis)->squares);
  free(*basis);
  *basis = NULL;
}

size_t les_basis_bytes(int64_t rows, int64_t cols) {
  size_t n = (size_t)min_i64(rows, cols);
  return sizeof(les_basis) + (n + 1) * n * sizeof(double);
}

/* One piece of columns (outputs) or rows (inputs) of w: onto the `rank` vectors at `top` and back. `x` holds
 * the piece, `c` its coordinates. */
static void project_piece(const les_basis *b, const les_dense *d, const double *top, int64_t rank, int64_t at,
                          double *x, double *c) {
  int n = (int)b->n, r = (int)rank, m = (int)min_i64(PIECE, (b->outputs ? d->cols : d->rows) - at);
  int64_t height = b->outputs ? b->n : m, width = b->outputs ? m : b->n;
  float *w = d->w + (b->outputs ? at : at * d->cols);
  for (int64_t i = 0; i < height; i++)
    for (int64_t j = 0; j < width; j++) x[i * width + j] = w[i * d->cols + j];
  if (b->outputs) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r, m, n, 1, top, n, x, m, 0, c, m);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, m, r, 1, top, n, c, m, 0, x, m);
  } else {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, r, n, 1, x, n, top, n, 0, c, r);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, r, 1, c, r, top, n, 0, x, n);
  }
  for (int64_t i = 0; i < height; i++)
    for (int64_t j = 0; j < width; j++) w[i * d->cols + j] = (float)x[i * width + j];
}

les_status les_basis_truncate(const les_basis *b, const les_dense *d, int64_t rank) {
  if (rank >= b->n) return LES_OK;
  const double *top = b->vectors + (b->n - rank) * b->n;
  int64_t length = b->outputs ? d->cols : d->rows;
  bool memory = true;
  openblas_set_num_threads(1);
#pragma omp parallel num_threads(d->threads) reduction(&& : memory)
  {
    double *x = malloc((size_t)(b->n + rank) * PIECE * sizeof *x);
    memory = x != NULL;
#pragma omp for schedule(dynamic)
    for (int64_t at = 0; at < length; at += PIECE)
      if (x) project_piece(b, d, top, rank, at, x, x + b->n * PIECE);
    free(x);
  }
  return memory ? LES_OK : no_memory();
}
