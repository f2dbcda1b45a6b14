/* How a long computation tells how far it is. */
#ifndef LES_BASE_PROGRESS_H
#define LES_BASE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

typedef struct les_progress {
  void (*tell)(void *ctx, int64_t done, int64_t total); /* often, on the thread of the caller; cheap */
  void *ctx;
} les_progress;

/* p: NULL if nobody wants to know. */
static inline void les_progress_tell(const les_progress *p, int64_t done, int64_t total) {
  if (p) p->tell(p->ctx, done, total);
}

#endif
