#include "table.h"
#include <stdatomic.h>
#include <string.h>

/* Best first; the reference runs everywhere. */
static const les_kernel_table *const TABLES[] = {
#ifdef __x86_64__
    &les_kernels_avx2,
#endif
    &les_kernels_reference,
};
enum { N_TABLES = sizeof TABLES / sizeof *TABLES };

static const les_kernel_table *_Atomic chosen;

static const les_kernel_table *kernels(void) {
  const les_kernel_table *table = atomic_load_explicit(&chosen, memory_order_relaxed);
  for (int i = 0; !table; i++)
    if (TABLES[i]->supported()) table = TABLES[i];
  return table;
}

const char *les_kernels_name(void) {
  return kernels()->name;
}

bool les_kernels_select(const char *name) {
  for (int i = 0; i < N_TABLES; i++)
    if (strcmp(TABLES[i]->name, name) == 0 && TABLES[i]->supported()) {
      atomic_store_explicit(&chosen, TABLES[i], memory_order_relaxed);
      return true;
    }
  return false;
}

void les_gemm(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute, int threads,
              void *scratch) {
  enum {
    WORTH_WAKING = 1 << 20
  }; /* multiplications: about ten microseconds, what waking other threads takes */
  if (m * w->rows * w->cols < WORTH_WAKING) threads = 1;
  kernels()->gemm(w, x, m, y, compute, threads, scratch);
}

void les_rms_norm(const float *x, const float *scale, float eps, int64_t n, float *y) {
  kernels()->rms_norm(x, scale, eps, n, y);
}

void les_layer_norm(const float *x, const float *scale, const float *bias, float eps, int64_t n, float *y) {
  kernels()->layer_norm(x, scale, bias, eps, n, y);
}

void les_rope(float *x, int n_heads, int head_dim, int n_pairs, const float *cos, const float *sin,
              bool neox) {
  kernels()->rope(x, n_heads, head_dim, n_pairs, cos, sin, neox);
}

void les_activate(les_act act, const float *gate, const float *up, int64_t n, float *y) {
  kernels()->activate(act, gate, up, n, y);
}

float les_attention(const float *q, int head_dim, const les_kv_run *runs, int n_runs, float scale,
                    float softcap, bool entropy, float *scores, float *out) {
  return kernels()->attention(q, head_dim, runs, n_runs, scale, softcap, entropy, scores, out);
}

void les_add_scaled(float *x, const float *y, float a, int64_t n) {
  kernels()->add_scaled(x, y, a, n);
}

double les_dot(const float *x, const float *y, int64_t n) {
  return kernels()->dot(x, y, n);
}

int64_t les_argmax(const float *x, int64_t n) {
  return kernels()->argmax(x, n);
}

double les_log_sum_exp(const float *x, int64_t n) {
  return kernels()->log_sum_exp(x, n);
}

double les_kl(const float *p, double lse_p, const float *q, double lse_q, int64_t n) {
  return kernels()->kl(p, lse_p, q, lse_q, n);
}
