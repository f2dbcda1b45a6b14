/* Speed of the kernels as a share of what this machine can do, peaks measured in the same run. Prints tables;
 * not a test. One thread and its CPU time for products of many rows; wall time and all threads for one row,
 * which memory bounds. */
#include "kernels/kernels.h"
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_M = 256, MAX_K = 8192, REPEATS = 5 };

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *allocate(size_t n) {
  void *p = aligned_alloc(4096, (n + 8191) / 4096 * 4096); /* a page more: weights are read ahead */
  if (!p) {
    fprintf(stderr, "bench_kernels: out of memory for %zu bytes\n", n);
    exit(1);
  }
  return p;
}

/* ---- peaks ---- */

#ifdef __x86_64__
#define TWELVE(op)                                                                                           \
  op("0") op("1") op("2") op("3") op("4") op("5") op("6") op("7") op("8") op("9") op("10") op("11")
#define EIGHT(op) op("0") op("1") op("2") op("3") op("4") op("5") op("6") op("7")
#define FMA(i)    "vfmadd231ps %%ymm14, %%ymm15, %%ymm" i "\n"
#define MAC8(i)                                                                                              \
  "vpmaddubsw %%ymm14, %%ymm15, %%ymm13\n"                                                                   \
  "vpmaddwd %%ymm12, %%ymm13, %%ymm13\n"                                                                     \
  "vpaddd %%ymm13, %%ymm" i ", %%ymm" i "\n"
#define LOOP(body, n)                                                                                        \
  __asm__ volatile("vpxor %%ymm14, %%ymm14, %%ymm14\n"                                                       \
                   "vpxor %%ymm15, %%ymm15, %%ymm15\n"                                                       \
                   "vpxor %%ymm12, %%ymm12, %%ymm12\n"                                                       \
                   ".p2align 6\n"                                                                            \
                   "1:\n" body "dec %0\n"                                                                    \
                   "jnz 1b\n"                                                                                \
                   : "+r"(n)                                                                                 \
                   :                                                                                         \
                   : "cc", "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9",   \
                     "ymm10", "ymm11", "ymm12", "ymm13", "ymm14", "ymm15")

/* G operations (multiplications and additions) a second of fused multiply-adds in 256-bit registers. */
static double peak_f32(void) {
  long n = 3000000;
  double ops = 2.0 * 12 * 8 * (double)n, start = seconds(CLOCK_THREAD_CPUTIME_ID);
  LOOP(TWELVE(FMA), n);
  return ops / (seconds(CLOCK_THREAD_CPUTIME_ID) - start) / 1e9;
}

/* The same of 8-bit products summed to 32 bits: vpmaddubsw, vpmaddwd, vpaddd. */
static double peak_int8(void) {
  long n = 2000000;
  double ops = 2.0 * 8 * 32 * (double)n, start = seconds(CLOCK_THREAD_CPUTIME_ID);
  LOOP(EIGHT(MAC8), n);
  return ops / (seconds(CLOCK_THREAD_CPUTIME_ID) - start) / 1e9;
}
#else
static double peak_f32(void) {
  return NAN;
}
static double peak_int8(void) {
  return NAN;
}
#endif

/* G bytes a second of a plain read by all threads. */
static double read_bandwidth(const uint64_t *data, size_t n_bytes, int threads) {
  double start = seconds(CLOCK_MONOTONIC);
  uint64_t sum = 0;
  int64_t n = (int64_t)(n_bytes / 64);
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : sum)
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < 8; j++) sum += data[8 * i + j];
  double elapsed = seconds(CLOCK_MONOTONIC) - start;
  __asm__ volatile("" : : "r"(sum)); /* the sum counts as used */
  return (double)n_bytes / elapsed / 1e9;
}

/* ---- data ---- */

static uint32_t random_state = 1;

static uint32_t random_u32(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static float gaussian(void) { /* nearly: a sum of uniforms */
  float sum = 0.0f;
  for (int i = 0; i < 12; i++) sum += (float)(random_u32() >> 8) * 0x1p-24f;
  return sum - 6.0f;
}

static void fill_gaussian(float *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] = gaussian();
}

/* One random block row, repeated: its values are of no matter to the speed. */
static les_matrix make_weights(les_dtype type, int64_t rows, int64_t cols) {
  const les_dtype_info *info = les_dtype_find(type);
  size_t row_bytes = les_dtype_bytes(type, cols), block = (size_t)info->block_bytes;
  uint8_t *data = allocate((size_t)rows * row_bytes);
  for (int64_t r = 0; r < rows && r < 61; r++)
    for (size_t i = 0; i < row_bytes; i += block) {
      float values[256], largest = 0.0f;
      do {
        uint8_t *at = data + (size_t)r * row_bytes + i;
        for (size_t b = 0; b < block; b++) at[b] = (uint8_t)(random_u32() >> 11);
        les_dequantize(type, at, info->block_elements, values);
        largest = 0.0f;
        for (int k = 0; k < info->block_elements; k++)
          largest = fmaxf(largest, isfinite(values[k]) ? fabsf(values[k]) : INFINITY);
      } while (!(largest < 100.0f));
    }
  for (int64_t r = 61; r < rows; r++)
    memcpy(data + (size_t)r * row_bytes, data + (size_t)(r - 61) * row_bytes, row_bytes);
  return (les_matrix){type, rows, cols, data};
}

/* Root mean square of the difference of 200 outputs to sums in double, relative to theirs. */
static double error_of(const les_matrix *w, const float *x, int64_t m, const float *y) {
  double error = 0.0, size = 0.0;
  float *row = allocate((size_t)w->cols * sizeof *row);
  for (int s = 0; s < 200; s++) {
    int64_t n = random_u32() % w->rows, i = random_u32() % m;
    les_dequantize(w->type, (const uint8_t *)w->data + les_dtype_bytes(w->type, n * w->cols), w->cols, row);
    double sum = 0.0;
    for (int64_t k = 0; k < w->cols; k++) sum += (double)row[k] * (double)x[i * w->cols + k];
    error += (y[i * w->rows + n] - sum) * (y[i * w->rows + n] - sum);
    size += sum * sum;
  }
  free(row);
  return sqrt(error / size);
}

/* ---- tables ---- */

static const char *const MODES[] = {"auto", "f32", "int16", "int8"};

typedef struct buffers {
  float *x, *y;
  void *scratch;
  int threads;
} buffers;

/* The modes that differ for a type: F32 alone if it is not quantized, INT8 for the narrow ones. */
static les_compute last_mode(les_dtype type) {
  if (type == LES_F32 || type == LES_BF16) return LES_COMPUTE_F32;
  return type == LES_Q4_K || type == LES_Q4_0 || type == LES_Q6_K ? LES_COMPUTE_INT8 : LES_COMPUTE_INT16;
}

/* The best of several turns of each mode, the peaks measured between them. */
static void bench_shape(les_dtype type, int64_t rows, int64_t cols, const buffers *b) {
  static const int64_t BATCHES[] = {8, 64, 128, 256};
  les_matrix w = make_weights(type, rows, cols);
  for (size_t i = 0; i < sizeof BATCHES / sizeof *BATCHES; i++) {
    int64_t m = BATCHES[i];
    if (rows > 100000 && m != 128) continue; /* seconds each */
    double f32 = 0.0, int8 = 0.0, rate[4] = {0}, error[4];
    for (int repeat = 0; repeat < REPEATS; repeat++)
      for (les_compute mode = LES_COMPUTE_F32; mode <= last_mode(type); mode++) {
        f32 = fmax(f32, peak_f32());
        int8 = fmax(int8, peak_int8());
        double start = seconds(CLOCK_THREAD_CPUTIME_ID);
        les_gemm(&w, b->x, m, b->y, mode, 1, b->scratch);
        double elapsed = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
        rate[mode] = fmax(rate[mode], 2.0 * (double)m * (double)rows * (double)cols / elapsed / 1e9);
        if (repeat == 0) error[mode] = error_of(&w, b->x, m, b->y);
      }
    for (les_compute mode = LES_COMPUTE_F32; mode <= last_mode(type); mode++)
      printf("%-5s %6lld x %-5lld %4lld  %-5s %7.1f %7.1f%% %7.1f%% %7.2f %9.1e\n",
             les_dtype_find(type)->name, (long long)rows, (long long)cols, (long long)m, MODES[mode],
             rate[mode], 100.0 * rate[mode] / f32, 100.0 * rate[mode] / int8,
             rate[mode] / rate[LES_COMPUTE_F32], error[mode]);
    fflush(stdout);
  }
  free((void *)w.data);
}

static void bench_one_row(les_dtype type, int64_t rows, int64_t cols, const buffers *b) {
  les_matrix w = make_weights(type, rows, cols);
  size_t n_bytes = les_dtype_bytes(type, rows * cols);
  double plain = 0.0, rate = 0.0;
  for (int repeat = 0; repeat < 4 * REPEATS; repeat++) {
    plain = fmax(plain, read_bandwidth(w.data, n_bytes, b->threads));
    double start = seconds(CLOCK_MONOTONIC);
    les_gemm(&w, b->x, 1, b->y, LES_COMPUTE_AUTO, b->threads, b->scratch);
    rate = fmax(rate, (double)n_bytes / (seconds(CLOCK_MONOTONIC) - start) / 1e9);
  }
  printf("%-5s %6lld x %-5lld %7.0f MB %8.1f %8.1f %7.0f%%\n", les_dtype_find(type)->name, (long long)rows,
         (long long)cols, (double)n_bytes / 1e6, rate, plain, 100.0 * rate / plain);
  fflush(stdout);
  free((void *)w.data);
}

#define TIME_ROW(name, n, call)                                                                              \
  do {                                                                                                       \
    double best = INFINITY;                                                                                  \
    for (int repeat = 0; repeat < 20 * REPEATS; repeat++) {                                                  \
      double start = seconds(CLOCK_THREAD_CPUTIME_ID);                                                       \
      call;                                                                                                  \
      best = fmin(best, seconds(CLOCK_THREAD_CPUTIME_ID) - start);                                           \
    }                                                                                                        \
    printf("%-28s %9.3f\n", name, 1e9 * best / (double)(n));                                                 \
  } while (0)

static void bench_rows(const buffers *b) {
  enum { VOCABULARY = 128256, HIDDEN = 8192, POSITIONS = 512, HEAD = 64 };
  float *p = b->x, *q = b->x + VOCABULARY, *y = b->y;
  static volatile double sink;
  double lse_p = les_log_sum_exp(p, VOCABULARY), lse_q = les_log_sum_exp(q, VOCABULARY);
  puts("\noperation                    ns/element");
  TIME_ROW("kl, 128256", VOCABULARY, sink = les_kl(p, lse_p, q, lse_q, VOCABULARY));
  TIME_ROW("log_sum_exp, 128256", VOCABULARY, sink = les_log_sum_exp(p, VOCABULARY));
  TIME_ROW("argmax, 128256", VOCABULARY, sink = (double)les_argmax(p, VOCABULARY));
  TIME_ROW("rms_norm, 8192", HIDDEN, les_rms_norm(p, q, 1e-5f, HIDDEN, y));
  TIME_ROW("layer_norm, 8192", HIDDEN, les_layer_norm(p, q, q, 1e-5f, HIDDEN, y));
  TIME_ROW("silu * up, 8192", HIDDEN, les_activate(LES_ACT_SILU, p, q, HIDDEN, y));
  TIME_ROW("gelu * up, 8192", HIDDEN, les_activate(LES_ACT_GELU_TANH, p, q, HIDDEN, y));
  les_kv_span run = {b->x, b->x + (int64_t)POSITIONS * HEAD, POSITIONS, HEAD};
  TIME_ROW("attention, 512 x 64 (x 2)", 2 * POSITIONS * HEAD,
           sink = les_attention(q, HEAD, &run, 1, 0.125f, 0.0f, false, y + HEAD, y));
  (void)sink;
}

int main(int argc, char **argv) {
  if (argc > 2 || (argc == 2 && !les_kernels_select(argv[1]))) {
    fprintf(stderr, "usage: bench_kernels [reference|avx2|avx512]\n");
    return 2;
  }
  static const int64_t SHAPES[][2] = {{8192, 2048}, {2048, 8192}, {128256, 2048}};
  static const les_dtype TYPES[] = {LES_Q8_0, LES_Q4_K, LES_Q6_K, LES_Q5_K, LES_Q4_0, LES_BF16, LES_F32};
  enum { N_TYPES = sizeof TYPES / sizeof *TYPES };
  buffers b = {.threads = omp_get_max_threads()};
  b.x = allocate((size_t)MAX_M * MAX_K * sizeof *b.x);
  b.y = allocate((size_t)MAX_M * 128256 * sizeof *b.y);
  b.scratch = allocate(les_gemm_scratch(MAX_M, MAX_K, b.threads));
  fill_gaussian(b.x, (int64_t)MAX_M * MAX_K);
  printf("%s, one thread; f32 peak %.1f GFLOP/s, int8 peak %.1f GOP/s in 256-bit registers\n\n",
         les_kernels_name(), peak_f32(), peak_int8());
  puts("type  weights         rows  mode    GOP/s  f32peak int8peak   x f32     error");
  for (int s = 0; s < 3; s++)
    for (int t = 0; t < (s < 2 ? N_TYPES : 3); t++) bench_shape(TYPES[t], SHAPES[s][0], SHAPES[s][1], &b);
  printf("\none row, mode auto, %d threads\ntype  weights             size     GB/s  plain read   share\n",
         b.threads);
  for (int s = 0; s < 3; s++)
    for (int t = 0; t < N_TYPES; t++) bench_one_row(TYPES[t], SHAPES[s][0], SHAPES[s][1], &b);
  bench_rows(&b);
  free(b.x);
  free(b.y);
  free(b.scratch);
  return 0;
}
