/* What a reader may conclude from a map, and what not, in words. */
#ifndef LES_MAP_ADVICE_H
#define LES_MAP_ADVICE_H

#include "map/map.h"

#include <stdio.h>

/* Writes the most and least critical layer, the candidates for removal, accuracies, labels and
 * proxies where there are any, and what the data do not support. Nothing if the profile is empty. */
void les_advice_write(FILE *out, const les_map *map);

#endif
