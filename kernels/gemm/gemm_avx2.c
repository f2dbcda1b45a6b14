/* Matrix products with AVX2 and FMA. The inner loops are assembly: compilers reorder them until the
 * accumulators spill from the sixteen registers. */
#include "gemm/gemm.h"
#include "gemm/gemv.h"
#include "gemm/panel_avx2.h"

#include <immintrin.h>

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

void les_multiply_f32_avx2(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                           float *sums) {
  (void)kind;
  const float *x = tile, *w = panel;
  int64_t eights = n / 8, ones = n % 8;
  __asm__ volatile(TWELVE(F32_MOVE) //
                   "test %[eights], %[eights]\n"
                   "jz 2f\n"
                   ".p2align 6\n"
                   "1:\n"
                   "prefetcht0 1024(%[x])\n"
                   "prefetcht0 1088(%[x])\n"                       //
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

/* ---- integers: 4 rows of 2 vectors ----
 * First the integer sums of all groups of the chunk, then the floating-point operations on them: apart, each
 * keeps its own execution units busy. */

/* The sums of a group: a row's two vectors, then the next row's. */
typedef struct group_sums {
  __m256i c[2 * TILE_ROWS];
} group_sums;

#define SUM_OPERANDS                                                                                         \
  [c0] "=&x"(c[0]), [c1] "=&x"(c[1]), [c2] "=&x"(c[2]), [c3] "=&x"(c[3]), [c4] "=&x"(c[4]),                  \
      [c5] "=&x"(c[5]), [c6] "=&x"(c[6]), [c7] "=&x"(c[7])
#define LOOP_OPERANDS [x] "+r"(x), [w] "+r"(w), [out] "+r"(out), [groups] "+r"(groups)

/* Stores the sums, goes to the next group of `steps` dwords. */
#define STORE_SUMS                                                                                           \
  "vmovdqa %[c0], (%[out])\n"                                                                                \
  "vmovdqa %[c1], 32(%[out])\n"                                                                              \
  "vmovdqa %[c2], 64(%[out])\n"                                                                              \
  "vmovdqa %[c3], 96(%[out])\n"                                                                              \
  "vmovdqa %[c4], 128(%[out])\n"                                                                             \
  "vmovdqa %[c5], 160(%[out])\n"                                                                             \
  "vmovdqa %[c6], 192(%[out])\n"                                                                             \
  "vmovdqa %[c7], 224(%[out])\n"
#define NEXT_GROUP(steps)                                                                                    \
  "add $16*" #steps ", %[x]\n"                                                                               \
  "add $64*" #steps ", %[w]\n"                                                                               \
  "add $256, %[out]\n"                                                                                       \
  "dec %[groups]\n"                                                                                          \
  "jnz 1b\n"

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

#define INT16_LOOP(all_steps, steps)                                                                         \
  __m256i c[8], w0, w1, t0, t1;                                                                              \
  __asm__ volatile(".p2align 6\n"                                                                            \
                   "1:\n" all_steps STORE_SUMS NEXT_GROUP(steps)                                             \
                   : SUM_OPERANDS,                                                                           \
                     LOOP_OPERANDS, [w0] "=&x"(w0), [w1] "=&x"(w1), [t0] "=&x"(t0), [t1] "=&x"(t1)           \
                   :                                                                                         \
                   : "memory", "cc")

static void sum_int16_16(const void *x, const void *w, int64_t groups, group_sums *out) {
  INT16_LOOP(INT16_STEPS_8, 8);
}

static void sum_int16_32(const void *x, const void *w, int64_t groups, group_sums *out) {
  INT16_LOOP(INT16_STEPS_16, 16);
}

/* INT8: products of unsigned weights and signed activations in pairs. Groups of 32 with weights of 4 bits: a
 * word holds the sum of all eight steps. */
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
#define INT8_STEPS_8                                                                                         \
  LOAD_WEIGHTS(0)                                                                                            \
  INT8_FIRST_ROW(0, c0, c1)                                                                                  \
  INT8_FIRST_ROW(1, c2, c3)                                                                                  \
  INT8_FIRST_ROW(2, c4, c5)                                                                                  \
  INT8_FIRST_ROW(3, c6, c7)                                                                                  \
  INT8_STEP(1) INT8_STEP(2) INT8_STEP(3) INT8_STEP(4) INT8_STEP(5) INT8_STEP(6) INT8_STEP(7)
#define WIDEN(a) "vpmaddwd %[ones], %[" #a "], %[" #a "]\n"

static void sum_int8_32(const void *x, const void *w, int64_t groups, group_sums *out) {
  __m256i c[8], w0, w1, t0, t1, ones = _mm256_set1_epi16(1);
  __asm__ volatile(".p2align 6\n"
                   "1:\n" INT8_STEPS_8                                                                 //
                       WIDEN(c0) WIDEN(c1) WIDEN(c2) WIDEN(c3) WIDEN(c4) WIDEN(c5) WIDEN(c6) WIDEN(c7) //
                   STORE_SUMS NEXT_GROUP(8)
                   : SUM_OPERANDS,
                     LOOP_OPERANDS, [w0] "=&x"(w0), [w1] "=&x"(w1), [t0] "=&x"(t0), [t1] "=&x"(t1)
                   : [ones] "x"(ones)
                   : "memory", "cc");
}

/* Groups of 16 with weights of 6 bits: a word holds the sum of two steps. The group's weights stay in
 * registers, the rows pass by. */
#define SIX_BITS_PAIR(u, row, wa, wb, a, b)                                                                  \
  "vbroadcastss 16*" #u "+4*" #row "(%[x]), %[t0]\n"                                                         \
  "vbroadcastss 16*" #u "+16+4*" #row "(%[x]), %[t1]\n"                                                      \
  "vpmaddubsw %[t0], %[" #wa "0], %[" #a "]\n"                                                               \
  "vpmaddubsw %[t0], %[" #wa "1], %[" #b "]\n"                                                               \
  "vpmaddubsw %[t1], %[" #wb "0], %[t0]\n"                                                                   \
  "vpmaddubsw %[t1], %[" #wb "1], %[t1]\n"                                                                   \
  "vpaddw %[t0], %[" #a "], %[" #a "]\n"                                                                     \
  "vpaddw %[t1], %[" #b "], %[" #b "]\n" WIDEN(a) WIDEN(b)
#define SIX_BITS_ROW(row)                                                                                    \
  SIX_BITS_PAIR(0, row, a, b, s0, s1)                                                                        \
  SIX_BITS_PAIR(2, row, c, d, s2, s3)                                                                        \
  "vpaddd %[s2], %[s0], %[s0]\n"                                                                             \
  "vpaddd %[s3], %[s1], %[s1]\n"                                                                             \
  "vmovdqa %[s0], 64*" #row "(%[out])\n"                                                                     \
  "vmovdqa %[s1], 64*" #row "+32(%[out])\n"

static void sum_int8_16(const void *x, const void *w, int64_t groups, group_sums *out) {
  __m256i k[8], s0, s1, s2, s3, t0, t1, ones = _mm256_set1_epi16(1);
  __asm__ volatile(".p2align 6\n"
                   "1:\n"
                   "vmovdqa (%[w]), %[a0]\n"
                   "vmovdqa 32(%[w]), %[a1]\n"
                   "vmovdqa 64(%[w]), %[b0]\n"
                   "vmovdqa 96(%[w]), %[b1]\n"
                   "vmovdqa 128(%[w]), %[c0]\n"
                   "vmovdqa 160(%[w]), %[c1]\n"
                   "vmovdqa 192(%[w]), %[d0]\n"
                   "vmovdqa 224(%[w]), %[d1]\n" //
                   SIX_BITS_ROW(0) SIX_BITS_ROW(1) SIX_BITS_ROW(2) SIX_BITS_ROW(3) NEXT_GROUP(4)
                   : LOOP_OPERANDS, [a0] "=&x"(k[0]), [a1] "=&x"(k[1]), [b0] "=&x"(k[2]), [b1] "=&x"(k[3]),
                     [c0] "=&x"(k[4]), [c1] "=&x"(k[5]), [d0] "=&x"(k[6]), [d1] "=&x"(k[7]), [s0] "=&x"(s0),
                     [s1] "=&x"(s1), [s2] "=&x"(s2), [s3] "=&x"(s3), [t0] "=&x"(t0), [t1] "=&x"(t1)
                   : [ones] "x"(ones)
                   : "memory", "cc");
}

/* The float operations of one chunk (see path.h) on the sums of its groups. offsets: what each row's sums are
 * too large by, or NULL. min and sums: NULL for types without minima. */
static inline void add_chunk(int64_t groups, const group_sums *c, const int32_t offsets[][TILE_ROWS],
                             const float scale[][PANEL_COLS_INT], const float min[][PANEL_COLS_INT],
                             const float sums[][TILE_ROWS], const float step[TILE_ROWS], float *out) {
  __m256 left[TILE_ROWS], right[TILE_ROWS];
  LES_UNROLL for (int i = 0; i < TILE_ROWS; i++) left[i] = right[i] = _mm256_setzero_ps();
  for (int64_t g = 0; g < groups; g++) {
    __m256 s0 = _mm256_load_ps(scale[g]), s1 = _mm256_load_ps(scale[g] + 8);
    LES_UNROLL for (int i = 0; i < TILE_ROWS; i++) {
      __m256i a = c[g].c[2 * i], b = c[g].c[2 * i + 1];
      if (offsets) {
        a = _mm256_sub_epi32(a, _mm256_set1_epi32(offsets[g][i]));
        b = _mm256_sub_epi32(b, _mm256_set1_epi32(offsets[g][i]));
      }
      left[i] = _mm256_fmadd_ps(s0, _mm256_cvtepi32_ps(a), left[i]);
      right[i] = _mm256_fmadd_ps(s1, _mm256_cvtepi32_ps(b), right[i]);
    }
  }
  for (int64_t g = 0; min && g < groups; g++) {
    __m256 m0 = _mm256_load_ps(min[g]), m1 = _mm256_load_ps(min[g] + 8);
    LES_UNROLL for (int i = 0; i < TILE_ROWS; i++) {
      __m256 sum = _mm256_broadcast_ss(&sums[g][i]);
      left[i] = _mm256_fnmadd_ps(m0, sum, left[i]);
      right[i] = _mm256_fnmadd_ps(m1, sum, right[i]);
    }
  }
  LES_UNROLL for (int i = 0; i < TILE_ROWS; i++, out += PANEL_COLS_INT) {
    __m256 row_step = _mm256_broadcast_ss(step + i);
    _mm256_store_ps(out, _mm256_fmadd_ps(row_step, left[i], _mm256_load_ps(out)));
    _mm256_store_ps(out + 8, _mm256_fmadd_ps(row_step, right[i], _mm256_load_ps(out + 8)));
  }
}

static void multiply_int16(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                           float *sums) {
  const tile_int16 *t = tile;
  const panel_int16 *p = panel;
  int64_t groups = n / kind->quant->group;
  group_sums c[LES_MAX_GROUPS];
  if (kind->quant->group == 32)
    sum_int16_32(t->x, p->w, groups, c);
  else
    sum_int16_16(t->x, p->w, groups, c);
  if (kind->quant->has_min)
    add_chunk(groups, c, NULL, p->scale, p->min, t->sums, t->step, sums);
  else
    add_chunk(groups, c, NULL, p->scale, NULL, NULL, t->step, sums);
}

static void multiply_int8(const les_weight_kind *kind, const void *tile, const void *panel, int64_t n,
                          float *sums) {
  const tile_int8 *t = tile;
  const panel_int8 *p = panel;
  int64_t groups = n / kind->quant->group;
  group_sums c[LES_MAX_GROUPS];
  if (kind->quant->group == 32)
    sum_int8_32(t->x, p->w, groups, c);
  else
    sum_int8_16(t->x, p->w, groups, c);
  if (kind->quant->has_min)
    add_chunk(groups, c, NULL, p->scale, p->min, t->sums, t->step, sums);
  else
    add_chunk(groups, c, t->offsets, p->scale, NULL, NULL, t->step, sums);
}

static const les_gemm_paths PATHS = {
    .modes =
        {
            [LES_COMPUTE_F32] = {TILE_ROWS, PANEL_COLS_F32, sizeof(tile_f32), sizeof(panel_f32),
                                 les_pack_tile_f32_avx2, les_pack_panel_f32_avx2, les_multiply_f32_avx2},
            [LES_COMPUTE_INT16] = {TILE_ROWS, PANEL_COLS_INT, sizeof(tile_int16), sizeof(panel_int16),
                                   les_pack_tile_int16_avx2, les_pack_panel_int16_avx2, multiply_int16},
            [LES_COMPUTE_INT8] = {TILE_ROWS, PANEL_COLS_INT, sizeof(tile_int8), sizeof(panel_int8),
                                  les_pack_tile_int8_avx2, les_pack_panel_int8_avx2, multiply_int8},
        },
    .gemv = &les_gemv_avx2,
    .gemv_f32 = les_gemv_f32_avx2,
};

void les_gemm_avx2(const les_matrix *w, const float *x, int64_t m, float *y, les_compute compute, int threads,
                   void *scratch) {
  les_gemm_along(&PATHS, w, x, m, y, compute, threads, scratch);
}
