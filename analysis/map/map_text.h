/* The map for people. */
#ifndef LES_MAP_MAP_TEXT_H
#define LES_MAP_MAP_TEXT_H

#include "map/map.h"

/* The map as tables of at most `width` columns (if it is at least 60) and what may be concluded from it.
 * tasks: with the table of tasks, which has a row for each lesion, task and metric. *text is malloc'ed, the
 * caller's.
 */
les_status les_map_text(const les_map *map, int width, bool tasks, char **text);

#endif
