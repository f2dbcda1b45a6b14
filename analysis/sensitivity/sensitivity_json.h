/* The rankings for programs. */
#ifndef LES_SENSITIVITY_SENSITIVITY_JSON_H
#define LES_SENSITIVITY_SENSITIVITY_JSON_H

#include "sensitivity/sensitivity.h"

/* The rankings as JSON; numbers as in map_json.h. *text is malloc'ed, the caller's. */
les_status les_sensitivity_json(const les_sensitivity *s, char **text);

#endif
