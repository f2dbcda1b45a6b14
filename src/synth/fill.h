/* Random weights for made-up models, in every weight type; the same key gives the same bytes. */
#ifndef LES_SYNTH_FILL_H
#define LES_SYNTH_FILL_H

#include "kernels/kernels.h"

/* Writes elements [first, first + n) (whole blocks) of tensor number `tensor` to dst: uniform around `mean`
 * with standard deviation `deviation`. Types that les_quantize can write are rounded from such numbers;
 * blocks of the others are random bits with scales that give about that deviation around 0. */
void les_fill(les_dtype type, uint64_t seed, uint32_t tensor, int64_t first, int64_t n, float mean,
              float deviation, void *dst);

#endif
