/* Arithmetic on arrays: the operations that a forward pass is made of. No I/O, no allocation, nothing of the
 * other folders. Every operation has a plain reference beside it (_reference.c); faster ones are chosen at
 * run time in dispatch.c.
 *
 * Order of summation. Every output element is accumulated in one order that depends on the operation's inner
 * size only, never on the number of rows, their place in the batch, tiles or threads; and all implementations
 * of an operation use the same order, so that a result is equal to the byte on every instruction set. All
 * files are compiled with -ffp-contract=off and without -ffast-math: a fused multiply-add is written where it
 * is meant, and NaN and infinity (which lesions make) go through. */
#ifndef LES_KERNELS_H
#define LES_KERNELS_H

#include "gemm/matrix.h"
#include "rows/rows.h"

/* ---- matrix products -------------------------------------------------------------------------------------
 */

/* y = x W^T: x (m, cols), y (m, rows), both row-major without gaps. Threaded with OpenMP on `threads`
 * threads; the caller is outside of a parallel region. `scratch` holds les_gemm_scratch(m, cols, threads)
 * bytes, aligned to 64. */
void les_gemm(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute, int threads,
              void *scratch);

/* ---- rows: one call works on one row, by one thread -------------------------------------------------------
 */

/* y = x / sqrt(mean(x^2) + eps) * scale. May be called with y == x. (n) each. Sums in double. */
void les_rms_norm(const float *x, const float *scale, float eps, int64_t n, float *y);

/* y = (x - mean(x)) / sqrt(var(x) + eps) * scale + bias; bias may be NULL. May be called with y == x. Sums in
 * double. */
void les_layer_norm(const float *x, const float *scale, const float *bias, float eps, int64_t n, float *y);

/* Rotates the first 2 * n_pairs elements of each of n_heads heads of head_dim elements, in place. cos and sin
 * hold n_pairs values of this row's position. neox: pairs are split-half, (i, i + n_pairs); else interleaved,
 * (2i, 2i + 1). */
void les_rope(float *x, int n_heads, int head_dim, int n_pairs, const float *cos, const float *sin,
              bool neox);

/* y[i] = act(gate[i]) * up[i]; up NULL: y[i] = act(gate[i]). May be called with y == gate. (n) each. */
void les_activate(les_act act, const float *gate, const float *up, int64_t n, float *y);

/* Attention of one query head over the cached positions of `runs`, in order: out = softmax(scale * q K^T) V,
 * scores passed through softcap * tanh(score / softcap) first if softcap > 0. q, out (head_dim); scores is
 * scratch (sum of n). The split of the positions into runs does not change the result. Returns the entropy of
 * the attention weights in nats if `entropy` is set, else 0. */
float les_attention(const float *q, int head_dim, const les_kv_span *runs, int n_runs, float scale,
                    float softcap, bool entropy, float *scores, float *out);

/* x[i] += a * y[i]: one rounding for each of the two operations if a != 1; exactly x + y if a == 1. */
void les_add_scaled(float *x, const float *y, float a, int64_t n);

/* Sum over i of x[i] * y[i] in double: dot products for norms and cosines. */
double les_dot(const float *x, const float *y, int64_t n);

/* Index of the largest of n > 0 values, the lowest of equal ones; -1 if any is NaN. */
int64_t les_argmax(const float *x, int64_t n);

/* ln of the sum of exp(x[i]), in double, shifted by the maximum; NaN if any is NaN. n > 0. */
double les_log_sum_exp(const float *x, int64_t n);

/* KL(p || q) = sum of p (ln p - ln q) in nats of two rows of logits, in double, nothing clipped; lse_p and
 * lse_q are their les_log_sum_exp. Terms with p = 0 are 0. */
double les_kl(const float *p, double lse_p, const float *q, double lse_q, int64_t n);

/* ---- choice of implementation -----------------------------------------------------------------------------
 */

/* Name of the implementation in use: "reference", "avx2", "avx512". */
const char *les_kernels_name(void);

/* Uses the implementation of that name from now on (not while kernels run). False if this machine lacks it.
 * The best one is chosen without a call. */
bool les_kernels_select(const char *name);

#endif
