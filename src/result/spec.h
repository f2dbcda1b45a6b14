/* What a lesion's spec says by its text alone: for files that hold no more of a lesion than that. */
#ifndef LES_RESULT_SPEC_H
#define LES_RESULT_SPEC_H

#include "base/status.h"

/* The spec with `each` wherever it names `layer`, the one that the lesion touches: lesions that differ in
 * their layer alone share it. The spec itself if it touches several or none (-1). *family is malloc'ed, the
 * caller's. */
les_status les_spec_family(const char *spec, int layer, char **family);

/* The operation and part of "OP@LAYERS.PART:..." as /lesions/operation and /lesions/part would have them
 * (schema.h). Both are malloc'ed, the caller's. */
les_status les_spec_target(const char *spec, char **operation, char **part);

#endif
