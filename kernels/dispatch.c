#include "gemm/gemm.h"
#include "kernels/kernels.h"

#include <stdatomic.h>
#include <string.h>

typedef struct implementation {
  const char *name;
  bool (*supported)(void);
  les_gemm_fn *gemm;
  const les_row_kernels *rows;
} implementation;

static bool always(void) {
  return true;
}

#ifdef __x86_64__
static bool has_avx2(void) { /* all of these have F16C */
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

/* Best first. */
static const implementation IMPLEMENTATIONS[] = {
#ifdef __x86_64__
    {"avx512", has_avx512, les_gemm_avx512, &les_rows_avx2},
    {"avx2", has_avx2, les_gemm_avx2, &les_rows_avx2},
#endif
    {"reference", always, les_gemm_reference, &les_rows_reference},
};
enum { N_IMPLEMENTATIONS = sizeof IMPLEMENTATIONS / sizeof *IMPLEMENTATIONS };

static const implementation *_Atomic chosen;

static const implementation *kernels(void) {
  const implementation *best = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (best) return best;
  for (best = IMPLEMENTATIONS; !best->supported();) best++;
  atomic_store_explicit(&chosen, best, memory_order_relaxed);
  return best;
}

const char *les_kernels_name(void) {
  return kernels()->name;
}

bool les_kernels_select(const char *name) {
  for (int i = 0; i < N_IMPLEMENTATIONS; i++)
    if (strcmp(IMPLEMENTATIONS[i].name, name) == 0 && IMPLEMENTATIONS[i].supported()) {
      atomic_store_explicit(&chosen, &IMPLEMENTATIONS[i], memory_order_relaxed);
      return true;
    }
  return false;
}

void les_gemm(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute, int threads,
              void *scratch) {
  enum {
    WORTH_THREADS = 1 << 20
  }; /* multiplications: ten microseconds or so, what it takes to wake a thread */
  if (m * w->rows * w->cols < WORTH_THREADS) threads = 1;
  kernels()->gemm(w, x, m, y, compute, threads, scratch);
}

void les_rms_norm(const float *x, const float *scale, float eps, int64_t n, float *y) {
  kernels()->rows->rms_norm(x, scale, eps, n, y);
}

void les_layer_norm(const float *x, const float *scale, const float *bias, float eps, int64_t n, float *y) {
  kernels()->rows->layer_norm(x, scale, bias, eps, n, y);
}

void les_rope(float *x, int n_heads, int head_dim, int n_pairs, const float *cos, const float *sin,
              bool neox) {
  kernels()->rows->rope(x, n_heads, head_dim, n_pairs, cos, sin, neox);
}

void les_activate(les_act act, const float *gate, const float *up, int64_t n, float *y) {
  kernels()->rows->activate(act, gate, up, n, y);
}

float les_attention(const float *q, int head_dim, const les_kv_span *runs, int n_runs, float scale,
                    float softcap, bool entropy, float *scores, float *out) {
  return kernels()->rows->attention(q, head_dim, runs, n_runs, scale, softcap, entropy, scores, out);
}

void les_add_scaled(float *x, const float *y, float a, int64_t n) {
  kernels()->rows->add_scaled(x, y, a, n);
}

double les_dot(const float *x, const float *y, int64_t n) {
  return kernels()->rows->dot(x, y, n);
}

int64_t les_argmax(const float *x, int64_t n) {
  return kernels()->rows->argmax(x, n);
}

double les_log_sum_exp(const float *x, int64_t n) {
  return kernels()->rows->log_sum_exp(x, n);
}

double les_kl(const float *p, double lse_p, const float *q, double lse_q, int64_t n) {
  return kernels()->rows->kl(p, lse_p, q, lse_q, n);
}
