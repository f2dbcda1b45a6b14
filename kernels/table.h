/* The operations of the implementations, from which dispatch.c chooses. What each does is said with the
 * public function of its name in kernels.h. */
#ifndef LES_TABLE_H
#define LES_TABLE_H

#include "kernels.h"

typedef struct les_row_kernels {
  void (*rms_norm)(const float *x, const float *scale, float eps, int64_t n, float *y);
  void (*layer_norm)(const float *x, const float *scale, const float *bias, float eps, int64_t n, float *y);
  void (*rope)(float *x, int n_heads, int head_dim, int n_pairs, const float *cos, const float *sin,
               bool neox);
  void (*activate)(les_act act, const float *gate, const float *up, int64_t n, float *y);
  float (*attention)(const float *q, int head_dim, const les_kv_run *runs, int n_runs, float scale,
                     float softcap, bool entropy, float *scores, float *out);
  void (*add_scaled)(float *x, const float *y, float a, int64_t n);
  double (*dot)(const float *x, const float *y, int64_t n);
  int64_t (*argmax)(const float *x, int64_t n);
  double (*log_sum_exp)(const float *x, int64_t n);
  double (*kl)(const float *p, double lse_p, const float *q, double lse_q, int64_t n);
} les_row_kernels;

typedef void les_gemm_fn(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute,
                         int threads, void *scratch);

extern const les_row_kernels les_rows_reference, les_rows_avx2;
les_gemm_fn les_gemm_reference, les_gemm_avx2, les_gemm_avx512;

#endif
