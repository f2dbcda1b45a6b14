/* What a reader may conclude from a map, and what not, in words, in lines of `width` columns. */
#ifndef LES_MAP_ADVICE_H
#define LES_MAP_ADVICE_H

#include "map/map.h"

#include <stdio.h>

/* The most and the least critical layer, and the candidates for removal. Nothing if the profile is empty. */
void les_advice_write(FILE *out, const les_map *map, int width);

/* What the data do not support. */
void les_advice_doubts(FILE *out, const les_map *map, int width);

#endif
