/* The rankings for people. */
#ifndef LES_SENSITIVITY_SENSITIVITY_TEXT_H
#define LES_SENSITIVITY_SENSITIVITY_TEXT_H

#include "sensitivity/sensitivity.h"

/* The rankings as tables, the pillars first. *text is malloc'ed, the caller's. */
les_status les_sensitivity_text(const les_sensitivity *s, char **text);

#endif
