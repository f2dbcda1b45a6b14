/* The row operations, all of which an implementation provides; each is documented at the public function of
 * its name in kernels.h. */
#ifndef LES_ROWS_ROWS_H
#define LES_ROWS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum les_act { LES_ACT_SILU, LES_ACT_GELU_TANH, LES_ACT_GELU_ERF, LES_ACT_RELU } les_act;

/* A run of cached positions: keys and values (n, stride), of which one head's slice of head_dim starts at the
 * pointer. */
typedef struct les_kv_span {
  const float *k, *v;
  int64_t n, stride;
} les_kv_span;

typedef struct les_row_kernels {
  void (*rms_norm)(const float *x, const float *scale, float eps, int64_t n, float *y);
  void (*layer_norm)(const float *x, const float *scale, const float *bias, float eps, int64_t n, float *y);
  void (*rope)(float *x, int n_heads, int head_dim, int n_pairs, const float *cos, const float *sin,
               bool neox);
  void (*activate)(les_act act, const float *gate, const float *up, int64_t n, float *y);
  float (*attention)(const float *q, int head_dim, const les_kv_span *runs, int n_runs, float scale,
                     float softcap, bool entropy, float *scores, float *out);
  void (*add_scaled)(float *x, const float *y, float a, int64_t n);
  double (*dot)(const float *x, const float *y, int64_t n);
  int64_t (*argmax)(const float *x, int64_t n);
  double (*log_sum_exp)(const float *x, int64_t n);
  double (*kl)(const float *p, double lse_p, const float *q, double lse_q, int64_t n);
} les_row_kernels;

extern const les_row_kernels les_rows_reference, les_rows_avx2;

#endif
