/* Matrix products with AVX2 and FMA. The inner loops are assembly: compilers move the loads and the sums of
 * such loops until the accumulators no longer fit the sixteen registers. */
#include "panel_avx2.h"
#include <immintrin.h>

enum { ACCUMULATORS = 8 }; /* of the integer tiles: 4 rows of 2 vectors */

/* ---- F32: 4 rows of 3 vectors in ymm0..ymm11 ---- */

#define F32_ROW(element, a, b, c)                                                                            \
  "vbroadcastss " element "(%[x]), %%ymm15\n"                                                                \
  "vfmadd231ps %%ymm12, %%ymm15, %%ymm" a "\n"                                                               \
  "vfmadd231ps %%ymm13, %%ymm15, %%ymm" b "\n"                                                               \
  "vfmadd231ps %%ymm14, %%ymm15, %%ymm" c "\n"

/* One column of the chunk; the offsets are those of the loop's step u. */
#define F32_STEP(u)                                                                                          \
  "vmovaps 96*" #u "(%[w]), %%ymm12\n"                                                                       \
  "vmovaps 96*" #u "+32(%[w]), %%ymm13\n"                                                                    \
  "vmovaps 96*" #u "+64(%[w]), %%ymm14\n" F32_ROW("16*" #u, "0", "1", "2")                                   \
      F32_ROW("16*" #u "+4", "3", "4", "5") F32_ROW("16*" #u "+8", "6", "7", "8")                            \
          F32_ROW("16*" #u "+12", "9", "10", "11")

#define F32_MOVE(i)  "vmovups 32*" #i "(%[sums]), %%ymm" #i "\n"
#define F32_STORE(i) "vmovups %%ymm" #i ", 32*" #i "(%[sums])\n"
#define TWELVE(op)   op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11)

static void multiply_f32(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                         float *sums) {
  (void)kind;
  const float *x = tile, *w = panel;
  int64_t eights = n / 8, ones = n % 8;
  __asm__ volatile(TWELVE(F32_MOVE) //
                   "test %[eights], %[eights]\n"
                   "jz 2f\n"
                   ".p2align 6\n"
                   "1:\n"                                          //
                   F32_STEP(0) F32_STEP(1) F32_STEP(2) F32_STEP(3) //
                   F32_STEP(4) F32_STEP(5) F32_STEP(6) F32_STEP(7) //
                   "add $8*16, %[x]\n"
                   "add $8*96, %[w]\n"
                   "dec %[eights]\n"
                   "jnz 1b\n"
                   "2:\n"
                   "test %[ones], %[ones]\n"
                   "jz 4f\n"
                   "3:\n" F32_STEP(0) "add $16, %[x]\n"
                                      "add $96, %[w]\n"
                                      "dec %[ones]\n"
                                      "jnz 3b\n"
                                      "4:\n" //
                   TWELVE(F32_STORE)
                   : [x] "+r"(x), [w] "+r"(w), [eights] "+r"(eights), [ones] "+r"(ones)
                   : [sums] "r"(sums)
                   : "memory", "cc", "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8",
                     "ymm9", "ymm10", "ymm11", "ymm12", "ymm13", "ymm14", "ymm15");
}

/* ---- integers: 4 rows of 2 vectors ---- */

#define LOAD_WEIGHTS(u)                                                                                      \
  "vmovdqa 64*" #u "(%[w]), %[w0]\n"                                                                         \
  "vmovdqa 64*" #u "+32(%[w]), %[w1]\n"

/* Products of one row's dword with both vectors, then added: in this order the multiplications of a row can
 * start together. */
#define INT16_ROW(u, row, a, b)                                                                              \
  "vbroadcastss 16*" #u "+4*" #row "(%[x]), %[t0]\n"                                                         \
  "vpmaddwd %[w0], %[t0], %[t1]\n"                                                                           \
  "vpmaddwd %[w1], %[t0], %[t0]\n"                                                                           \
  "vpaddd %[t1], %[" #a "], %[" #a "]\n"                                                                     \
  "vpaddd %[t0], %[" #b "], %[" #b "]\n"
#define INT16_FIRST_ROW(row, a, b)                                                                           \
  "vbroadcastss 4*" #row "(%[x]), %[t0]\n"                                                                   \
  "vpmaddwd %[w0], %[t0], %[" #a "]\n"                                                                       \
  "vpmaddwd %[w1], %[t0], %[" #b "]\n"
#define INT16_STEP(u)                                                                                        \
  LOAD_WEIGHTS(u)                                                                                            \
  INT16_ROW(u, 0, c0, c1) INT16_ROW(u, 1, c2, c3) INT16_ROW(u, 2, c4, c5) INT16_ROW(u, 3, c6, c7)
#define INT16_FIRST                                                                                          \
  LOAD_WEIGHTS(0)                                                                                            \
  INT16_FIRST_ROW(0, c0, c1) INT16_FIRST_ROW(1, c2, c3) INT16_FIRST_ROW(2, c4, c5) INT16_FIRST_ROW(3, c6, c7)
#define INT16_STEPS_8                                                                                        \
  INT16_FIRST INT16_STEP(1) INT16_STEP(2) INT16_STEP(3) INT16_STEP(4) INT16_STEP(5) INT16_STEP(6)            \
      INT16_STEP(7)
#define INT16_STEPS_16                                                                                       \
  INT16_STEPS_8 INT16_STEP(8) INT16_STEP(9) INT16_STEP(10) INT16_STEP(11) INT16_STEP(12) INT16_STEP(13)      \
      INT16_STEP(14) INT16_STEP(15)

#define INT_OPERANDS(x_, w_, c)                                                                              \
  [c0] "=&x"((c)[0]), [c1] "=&x"((c)[1]), [c2] "=&x"((c)[2]), [c3] "=&x"((c)[3]), [c4] "=&x"((c)[4]),        \
      [c5] "=&x"((c)[5]), [c6] "=&x"((c)[6]), [c7] "=&x"((c)[7]), [w0] "=&x"(w0), [w1] "=&x"(w1),            \
      [t0] "=&x"(t0), [t1] "=&x"(t1) : [x] "r"(x_), [w] "r"(w_) : "memory"

static inline void dot_int16_16(const int32_t *x, const int32_t *w, __m256i c[ACCUMULATORS]) {
  __m256i w0, w1, t0, t1;
  __asm__ volatile(INT16_STEPS_8 : INT_OPERANDS(x, w, c));
}

static inline void dot_int16_32(const int32_t *x, const int32_t *w, __m256i c[ACCUMULATORS]) {
  __m256i w0, w1, t0, t1;
  __asm__ volatile(INT16_STEPS_16 : INT_OPERANDS(x, w, c));
}

/* p = fma(scale, (float)c, p), and fma(-min, sum, p) if the type has minima, for one group. */
static inline void add_group(const __m256i c[ACCUMULATORS], const float *scale, const float *min,
                             const float *sums, bool has_min, __m256 p[ACCUMULATORS]) {
  __m256 s0 = _mm256_load_ps(scale), s1 = _mm256_load_ps(scale + 8);
  for (int i = 0; i < TILE_ROWS; i++) {
    p[2 * i] = _mm256_fmadd_ps(s0, _mm256_cvtepi32_ps(c[2 * i]), p[2 * i]);
    p[2 * i + 1] = _mm256_fmadd_ps(s1, _mm256_cvtepi32_ps(c[2 * i + 1]), p[2 * i + 1]);
  }
  if (!has_min) return;
  __m256 m0 = _mm256_load_ps(min), m1 = _mm256_load_ps(min + 8);
  for (int i = 0; i < TILE_ROWS; i++) {
    __m256 sum = _mm256_broadcast_ss(sums + i);
    p[2 * i] = _mm256_fnmadd_ps(m0, sum, p[2 * i]);
    p[2 * i + 1] = _mm256_fnmadd_ps(m1, sum, p[2 * i + 1]);
  }
}

static inline void add_chunk(const __m256 p[ACCUMULATORS], const float step[TILE_ROWS], float *sums) {
  for (int i = 0; i < ACCUMULATORS; i++) {
    __m256 sum = _mm256_fmadd_ps(_mm256_broadcast_ss(step + i / 2), p[i], _mm256_loadu_ps(sums + 8 * i));
    _mm256_storeu_ps(sums + 8 * i, sum);
  }
}

static inline void multiply_int16_of(int group, bool has_min, const tile_int16 *t, const panel_int16 *p,
                                     int64_t n, float *sums) {
  __m256 total[ACCUMULATORS];
  for (int i = 0; i < ACCUMULATORS; i++) total[i] = _mm256_setzero_ps();
  for (int g = 0; g < n / group; g++) {
    __m256i c[ACCUMULATORS];
    if (group == 32)
      dot_int16_32(t->x[16 * g], p->w[16 * g], c);
    else
      dot_int16_16(t->x[8 * g], p->w[8 * g], c);
    add_group(c, p->scale[g], p->min[g], t->sums[g], has_min, total);
  }
  add_chunk(total, t->step, sums);
}

static void multiply_int16(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                           float *sums) {
  bool has_min = kind->quant->has_min;
  if (kind->quant->group == 32 && !has_min)
    multiply_int16_of(32, false, tile, panel, n, sums);
  else if (kind->quant->group == 32)
    multiply_int16_of(32, true, tile, panel, n, sums);
  else if (!has_min)
    multiply_int16_of(16, false, tile, panel, n, sums);
  else
    multiply_int16_of(16, true, tile, panel, n, sums);
}

/* INT8: products of unsigned weights and signed activations in pairs, summed in words over `depth` steps. */
#define INT8_ROW(u, row, a, b)                                                                               \
  "vbroadcastss 16*" #u "+4*" #row "(%[x]), %[t0]\n"                                                         \
  "vpmaddubsw %[t0], %[w0], %[t1]\n"                                                                         \
  "vpmaddubsw %[t0], %[w1], %[t0]\n"                                                                         \
  "vpaddw %[t1], %[" #a "], %[" #a "]\n"                                                                     \
  "vpaddw %[t0], %[" #b "], %[" #b "]\n"
#define INT8_FIRST_ROW(row, a, b)                                                                            \
  "vbroadcastss 4*" #row "(%[x]), %[t0]\n"                                                                   \
  "vpmaddubsw %[t0], %[w0], %[" #a "]\n"                                                                     \
  "vpmaddubsw %[t0], %[w1], %[" #b "]\n"
#define INT8_STEP(u)                                                                                         \
  LOAD_WEIGHTS(u)                                                                                            \
  INT8_ROW(u, 0, c0, c1) INT8_ROW(u, 1, c2, c3) INT8_ROW(u, 2, c4, c5) INT8_ROW(u, 3, c6, c7)
#define INT8_FIRST                                                                                           \
  LOAD_WEIGHTS(0)                                                                                            \
  INT8_FIRST_ROW(0, c0, c1) INT8_FIRST_ROW(1, c2, c3) INT8_FIRST_ROW(2, c4, c5) INT8_FIRST_ROW(3, c6, c7)

static inline void dot_int8_8(const int32_t *x, const int32_t *w, __m256i c[ACCUMULATORS]) {
  __m256i w0, w1, t0, t1;
  __asm__ volatile(INT8_FIRST INT8_STEP(1) : INT_OPERANDS(x, w, c));
}

static inline void dot_int8_32(const int32_t *x, const int32_t *w, __m256i c[ACCUMULATORS]) {
  __m256i w0, w1, t0, t1;
  __asm__ volatile(INT8_FIRST INT8_STEP(1) INT8_STEP(2) INT8_STEP(3) INT8_STEP(4) INT8_STEP(5) INT8_STEP(6)
                       INT8_STEP(7)
                   : INT_OPERANDS(x, w, c));
}

static inline void widen(__m256i c[ACCUMULATORS]) {
  for (int i = 0; i < ACCUMULATORS; i++) c[i] = _mm256_madd_epi16(c[i], _mm256_set1_epi16(1));
}

/* The sums of one group, less the offset of the unsigned weights. */
static inline void dot_int8(int group, bool has_min, const int32_t *x, const int32_t *w,
                            const int32_t offsets[TILE_ROWS], __m256i c[ACCUMULATORS]) {
  if (group == 32) {
    dot_int8_32(x, w, c);
    widen(c);
  } else { /* six bits: words hold two steps */
    __m256i more[ACCUMULATORS];
    dot_int8_8(x, w, c);
    widen(c);
    dot_int8_8(x + 2 * TILE_ROWS, w + 2 * PANEL_COLS_INT, more);
    widen(more);
    for (int i = 0; i < ACCUMULATORS; i++) c[i] = _mm256_add_epi32(c[i], more[i]);
  }
  if (has_min) return;
  for (int i = 0; i < ACCUMULATORS; i++) c[i] = _mm256_sub_epi32(c[i], _mm256_set1_epi32(offsets[i / 2]));
}

static inline void multiply_int8_of(int group, bool has_min, const tile_int8 *t, const panel_int8 *p,
                                    int64_t n, float *sums) {
  __m256 total[ACCUMULATORS];
  for (int i = 0; i < ACCUMULATORS; i++) total[i] = _mm256_setzero_ps();
  for (int g = 0; g < n / group; g++) {
    __m256i c[ACCUMULATORS];
    dot_int8(group, has_min, t->x[group / 4 * g], p->w[group / 4 * g], t->offsets[g], c);
    add_group(c, p->scale[g], p->min[g], t->sums[g], has_min, total);
  }
  add_chunk(total, t->step, sums);
}

static void multiply_int8(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                          float *sums) {
  if (kind->quant->group == 16)
    multiply_int8_of(16, false, tile, panel, n, sums);
  else if (kind->quant->has_min)
    multiply_int8_of(32, true, tile, panel, n, sums);
  else
    multiply_int8_of(32, false, tile, panel, n, sums);
}

static const les_gemm_path PATHS[] = {
    [LES_COMPUTE_F32] = {TILE_ROWS, PANEL_COLS_F32, sizeof(tile_f32), sizeof(panel_f32), les_pack_f32_avx2,
                         les_unpack_f32_avx2, multiply_f32},
    [LES_COMPUTE_INT16] = {TILE_ROWS, PANEL_COLS_INT, sizeof(tile_int16), sizeof(panel_int16),
                           les_pack_int16_avx2, les_unpack_int16_avx2, multiply_int16},
    [LES_COMPUTE_INT8] = {TILE_ROWS, PANEL_COLS_INT, sizeof(tile_int8), sizeof(panel_int8),
                          les_pack_int8_avx2, les_unpack_int8_avx2, multiply_int8},
};

void les_gemm_avx2(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute, int threads,
                   void *scratch) {
  les_compute mode = les_gemm_mode(w->type, compute);
  if (mode != LES_COMPUTE_F32 && m <= LES_GEMV_ROWS)
    les_gemv_avx2(w, x, m, y, mode == LES_COMPUTE_INT8 ? 127.0f : 32767.0f, threads, scratch);
  else
    les_gemm_tiled(&PATHS[mode], w, x, m, y, threads, scratch);
}
