/* The map for people. */
#ifndef LES_MAP_MAP_TEXT_H
#define LES_MAP_MAP_TEXT_H

#include "map/map.h"

/* The map as a table and what may be concluded from it. *text is malloc'ed, the caller's. */
les_status les_map_text(const les_map *map, char **text);

#endif
