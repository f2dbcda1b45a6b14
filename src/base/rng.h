/* Counter-based random numbers: a draw depends on its key alone, not on earlier draws, ranks or threads.
 * Philox4x32-10 of J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). */
#ifndef LES_BASE_RNG_H
#define LES_BASE_RNG_H

#include <math.h>
#include <stdint.h>

/* One block: 128 random bits for a 128-bit counter under a 64-bit key. */
static inline void les_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* What random numbers are drawn for; those of different purposes are independent. */
typedef enum les_purpose {
  LES_FOR_WEIGHTS,   /* place: layer << 8 | matrix; index: pair of elements */
  LES_FOR_TOKENS,    /* place: position; index: prompt */
  LES_FOR_SAMPLES,   /* place: source of a mix; index: its document */
  LES_FOR_RESAMPLES, /* place: resample; index: pair of draws */
  LES_FOR_MODELS,    /* place: tensor of a made-up model; index: four elements, or 16 bytes of blocks */
} les_purpose;

/* Two independent numbers, uniform in (0, 1), of 52 bits each: a multiple of 2^-52 plus 2^-53. */
static inline void les_random_uniform(uint64_t seed, les_purpose purpose, uint32_t place, uint64_t index,
                                      double u[2]) {
  uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), place, (uint32_t)purpose};
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)}, r[4];
  les_philox(counter, key, r);
  for (int i = 0; i < 2; i++) {
    uint64_t bits = ((uint64_t)r[2 * i + 1] << 32 | r[2 * i]) >> 12;
    u[i] = ((double)bits + 0.5) * 0x1p-52;
  }
}

/* Two independent numbers of the normal distribution N(0, 1), by the method of Box and Muller (1958). */
static inline void les_random_normal(uint64_t seed, les_purpose purpose, uint32_t place, uint64_t index,
                                     double z[2]) {
  double u[2];
  les_random_uniform(seed, purpose, place, index, u);
  double radius = sqrt(-2 * log(u[0])), angle = 6.283185307179586 * u[1];
  z[0] = radius * cos(angle);
  z[1] = radius * sin(angle);
}

#endif
