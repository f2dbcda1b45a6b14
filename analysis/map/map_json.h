/* The map for programs. */
#ifndef LES_MAP_MAP_JSON_H
#define LES_MAP_MAP_JSON_H

#include "map/map.h"

/* The map as the JSON document that tools read. *text is malloc'ed, the caller's. Equal results give equal
 * bytes: numbers have 9 significant digits, what is not finite is null. */
les_status les_map_json(const les_map *map, char **text);

#endif
