/* Arithmetic on arrays: the operations that a forward pass is made of. No I/O, no allocation, nothing of the
 * other folders. Every operation has a plain reference (reference.c); faster ones are chosen at run time in
 * dispatch.c.
 *
 * Order of summation. Every output element is accumulated in one order that depends on the operation's inner
 * size only, never on the number of rows, their place in the batch, tiles or threads; and all implementations
 * of an operation use the same order, so that a result is equal to the byte on every instruction set. All
 * files are compiled with -ffp-contract=off and without -ffast-math: a fused multiply-add is written where it
 * is meant, and NaN and infinity (which lesions make) go through. */
#ifndef LES_KERNELS_H
#define LES_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- element types ------------------------------------------------------------------------------------- */

/* Types of stored weights; the values are GGML's type ids, as they stand in a GGUF file. */
typedef enum les_dtype {
  LES_F32 = 0,
  LES_F16 = 1,
  LES_Q4_0 = 2,
  LES_Q4_1 = 3,
  LES_Q5_0 = 6,
  LES_Q5_1 = 7,
  LES_Q8_0 = 8,
  LES_Q2_K = 10,
  LES_Q3_K = 11,
  LES_Q4_K = 12,
  LES_Q5_K = 13,
  LES_Q6_K = 14,
  LES_IQ2_XXS = 16,
  LES_IQ2_XS = 17,
  LES_IQ3_XXS = 18,
  LES_IQ1_S = 19,
  LES_IQ4_NL = 20,
  LES_IQ3_S = 21,
  LES_IQ2_S = 22,
  LES_IQ4_XS = 23,
  LES_IQ1_M = 29,
  LES_BF16 = 30,
  LES_TQ1_0 = 34,
  LES_TQ2_0 = 35,
  LES_MXFP4 = 39,
} les_dtype;

typedef struct les_dtype_info {
  les_dtype type;
  const char *name;   /* as GGML writes it: "Q8_0" */
  int block_elements; /* elements in a block; rows hold whole blocks */
  int block_bytes;
} les_dtype_info;

/* The type with GGML's id `id`; NULL if it is not one that we can read. */
const les_dtype_info *les_dtype_find(uint32_t id);

/* The type of that name, upper or lower case; NULL if there is none. */
const les_dtype_info *les_dtype_by_name(const char *name);

/* Bytes of `n` elements; n must be a multiple of the type's block_elements. */
size_t les_dtype_bytes(les_dtype type, int64_t n);

/* Writes the values of `n` elements (whole blocks) to dst, exactly as ggml's reference dequantizes them. */
void les_unpack(les_dtype type, const void *src, int64_t n, float *dst);

/* Rounds `n` elements (whole blocks) to F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0 or Q5_1 as ggml's reference
 * does. Returns false, and writes nothing, for another type. */
bool les_pack(les_dtype type, const float *src, int64_t n, void *dst);

/* ---- matrix products -------------------------------------------------------------------------------------
 */

/* A weight matrix as it lies in a file: `rows` outputs by `cols` inputs, row-major, each row whole blocks.
 * Does not own its data. */
typedef struct les_matrix {
  les_dtype type;
  int64_t rows; /* outputs, N */
  int64_t cols; /* inputs, K */
  const void *data;
} les_matrix;

/* How products are computed; stored with a result.
 * F32: weights unpacked to f32, one chain of fused multiply-adds over k ascending, starting from 0.
 * INT16: activations as 16-bit integers per row and 256 columns, exact integer sums per weight block.
 * INT8: the same with 8 bits for Q4_0, Q4_1, Q4_K and Q6_K; other types as in INT16.
 * AUTO: INT16 where the weights are quantized, F32 where they are not.
 * In the integer modes a row with infinity or NaN gives NaN; weights that are not quantized are as in F32. */
typedef enum les_compute {
  LES_COMPUTE_AUTO,
  LES_COMPUTE_F32,
  LES_COMPUTE_INT16,
  LES_COMPUTE_INT8
} les_compute;

/* Bytes of scratch memory that les_gemm needs for at most `m` rows of `k` inputs on `threads` threads. */
size_t les_gemm_scratch(int64_t m, int64_t k, int threads);

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
 * hold n_pairs values of this row's position. neox: pairs are (i, i + n_pairs); else (2i, 2i + 1). */
void les_rope(float *x, int n_heads, int head_dim, int n_pairs, const float *cos, const float *sin,
              bool neox);

typedef enum les_act { LES_ACT_SILU, LES_ACT_GELU_TANH, LES_ACT_GELU_ERF, LES_ACT_RELU } les_act;

/* y[i] = act(gate[i]) * up[i]; up NULL: y[i] = act(gate[i]). May be called with y == gate. (n) each. */
void les_activate(les_act act, const float *gate, const float *up, int64_t n, float *y);

/* A run of cached positions: keys and values (n, stride), of which one head's slice of head_dim starts at the
 * pointer. */
typedef struct les_kv_run {
  const float *k, *v;
  int64_t n, stride;
} les_kv_run;

/* Attention of one query head over the cached positions of `runs`, in order: out = softmax(scale * q K^T) V,
 * scores passed through softcap * tanh(score / softcap) first if softcap > 0. q, out (head_dim); scores is
 * scratch (sum of n). The split of the positions into runs does not change the result. Returns the entropy of
 * the attention weights in nats if `entropy` is set, else 0. */
float les_attention(const float *q, int head_dim, const les_kv_run *runs, int n_runs, float scale,
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
