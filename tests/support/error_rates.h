/* How often the map's tests and intervals are wrong, or find what is there, on made-up values. */
#ifndef LES_TESTS_ERROR_RATES_H
#define LES_TESTS_ERROR_RATES_H

/* Values of a prompt under a lesion: f(z), z normal, half of whose variance is the prompt's and shared by all
 * lesions. */
typedef enum rate_shape {
  RATE_NORMAL,    /* z */
  RATE_LOGNORMAL, /* exp(z), as KL and NLL */
  RATE_BOUNDED,   /* 1 / (1 + exp(-2 z)), as Jaccard */
  RATE_TIED,      /* 1 if z > 0.5, else 0, as right answers */
  RATE_SHAPES
} rate_shape;

const char *rate_shape_name(rate_shape shape);

/* Share of `draws` in which the sign-flip test calls two lesions different at 5 %, from n prompts; z of one
 * is larger by `effect`. */
double rate_of_pairs(rate_shape shape, int n, double effect, int draws);

/* The same against a constant that is the true mean: differences are as skewed as the values, which the test
 * supposes that they are not. */
double rate_of_one_sample(rate_shape shape, int n, int draws);

/* Share of draws in which the lesion with the least mean (most: with the largest one too) of m alike is told
 * apart from some other, as the map tests it. */
double rate_of_extremes(rate_shape shape, int n, int m, int draws);

/* Share of draws in which the 95 % interval of the mean holds the true one. */
double rate_of_coverage(rate_shape shape, int n, int draws);

/* Share of draws in which the upper bound of some one of m means, each with 0.05 / m, is below the true one.
 */
double rate_of_bounds(rate_shape shape, int n, int m, int draws);

#endif
