#include "lesion/svd.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* OpenBLAS sums in an order that depends on its threads and on the shape: it runs on one thread, on pieces of
 * this many rows or columns, which depend on the matrix alone. Our own threads work on pieces side by side.
 */
enum { PIECE = 256 };

static les_status no_memory(void) {
  return les_no_memory("a singular value decomposition");
}

static int64_t min_i64(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* svd->vectors = products of all pairs of rows (or columns) of w, the values of m; lower triangle by pieces.
 */
static void fill_gram(const les_svd *svd, const les_matrix_edit *m, const double *w) {
  double *gram = svd->vectors;
  int64_t rows = m->rows, cols = m->cols, n = svd->n, pieces = (n + PIECE - 1) / PIECE;
#pragma omp parallel for schedule(dynamic) num_threads(m->threads)
  for (int64_t t = 0; t < pieces * pieces; t++) {
    int64_t i = t / pieces * PIECE, j = t % pieces * PIECE;
    if (j > i) continue;
    int64_t ni = min_i64(PIECE, n - i), nj = min_i64(PIECE, n - j);
    if (svd->outputs)
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)ni, (int)nj, (int)cols, 1, w + i * cols,
                  (int)cols, w + j * cols, (int)cols, 0, gram + i * n + j, (int)n);
    else
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)ni, (int)nj, (int)rows, 1, w + i, (int)cols,
                  w + j, (int)cols, 0, gram + i * n + j, (int)n);
  }
}

/* Eigenvectors of svd->vectors (a symmetric matrix, lower triangle) in its place. */
static les_status solve(les_svd *svd) {
  lapack_int n = (lapack_int)svd->n, n_int, info;
  double best;
  les_status status = LES_OK;
  /* Row-major lower is column-major upper, and a column of the result is a row here. */
  info = LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'U', n, svd->vectors, n, svd->squares, &best, -1, &n_int,
                             -1);
  if (info != 0) return les_fail(LES_FAILED, "LAPACK's dsyevd refuses its arguments (info %d)", (int)info);
  double *work = malloc((size_t)best * sizeof *work);
  lapack_int *work_int = malloc((size_t)n_int * sizeof *work_int);
  if (!work || !work_int)
    status = no_memory();
  else if (LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'U', n, svd->vectors, n, svd->squares, work,
                               (lapack_int)best, work_int, n_int) != 0)
    status = les_fail(LES_FAILED, "LAPACK's dsyevd does not converge");
  free(work);
  free(work_int);
  return status;
}

les_status les_svd_compute(les_svd **out, const les_matrix_edit *m) {
  les_status status = LES_OK;
  size_t size = (size_t)(m->rows * m->cols);
  double *w = malloc(size * sizeof *w);
  les_svd *svd = *out = calloc(1, sizeof *svd);
  if (!w || !svd) LES_GOTO(status, no_memory(), done);
  svd->outputs = m->rows <= m->cols;
  svd->n = min_i64(m->rows, m->cols);
  svd->vectors = malloc((size_t)(svd->n * svd->n) * sizeof *svd->vectors);
  svd->squares = malloc((size_t)svd->n * sizeof *svd->squares);
  if (!svd->vectors || !svd->squares) LES_GOTO(status, no_memory(), done);
  bool finite = true;
  for (size_t i = 0; i < size; i++) {
    w[i] = m->w[i];
    finite = finite && isfinite(m->w[i]);
  }
  if (!finite)
    LES_GOTO(status,
             les_fail(LES_FAILED, "layer %d: %s holds NaN or infinity and has no singular values", m->layer,
                      les_linear_name(m->id)),
             done);
  openblas_set_num_threads(1);
  fill_gram(svd, m, w);
  status = solve(svd);
done:
  free(w);
  if (status != LES_OK) les_svd_free(out);
  return status;
}

void les_svd_free(les_svd **svd) {
  if (!*svd) return;
  free((*svd)->vectors);
  free((*svd)->squares);
  free(*svd);
  *svd = NULL;
}

/* One piece of columns (outputs) or rows (inputs) of w: onto the `rank` vectors at `top` and back. `x` holds
 * the piece, `c` its coordinates. */
static void project_piece(const les_svd *svd, const les_matrix_edit *edit, const double *top, int64_t rank,
                          int64_t at, double *x, double *c) {
  int n = (int)svd->n, r = (int)rank, m = (int)min_i64(PIECE, (svd->outputs ? edit->cols : edit->rows) - at);
  int64_t height = svd->outputs ? svd->n : m, width = svd->outputs ? m : svd->n;
  float *w = edit->w + (svd->outputs ? at : at * edit->cols);
  for (int64_t i = 0; i < height; i++)
    for (int64_t j = 0; j < width; j++) x[i * width + j] = w[i * edit->cols + j];
  if (svd->outputs) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r, m, n, 1, top, n, x, m, 0, c, m);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, m, r, 1, top, n, c, m, 0, x, m);
  } else {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, r, n, 1, x, n, top, n, 0, c, r);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, r, 1, c, r, top, n, 0, x, n);
  }
  for (int64_t i = 0; i < height; i++)
    for (int64_t j = 0; j < width; j++) w[i * edit->cols + j] = (float)x[i * width + j];
}

les_status les_svd_truncate(const les_svd *svd, const les_matrix_edit *m, int64_t rank) {
  if (rank >= svd->n) return LES_OK;
  const double *top = svd->vectors + (svd->n - rank) * svd->n;
  int64_t length = svd->outputs ? m->cols : m->rows;
  bool memory = true;
  openblas_set_num_threads(1);
#pragma omp parallel num_threads(m->threads) reduction(&& : memory)
  {
    double *x = malloc((size_t)(svd->n + rank) * PIECE * sizeof *x);
    memory = x != NULL;
#pragma omp for schedule(dynamic)
    for (int64_t at = 0; at < length; at += PIECE)
      if (x) project_piece(svd, m, top, rank, at, x, x + svd->n * PIECE);
    free(x);
  }
  return memory ? LES_OK : no_memory();
}
