/* A lock that every rank of a sweep holds on its result file and that dies with its process: while any of
 * them lives, no other sweep writes there. */
#ifndef LES_WATCH_LOCK_H
#define LES_WATCH_LOCK_H

#include "base/status.h"

#include <stdbool.h>

typedef struct les_lock les_lock;

/* Rank 0. Takes PATH.lock for this sweep alone, waiting up to `seconds` for the ranks of a killed one to go.
 * LES_FAILED if they do not: another sweep is running. On return it is shared, so that the other ranks of
 * this sweep can join and no other sweep's rank 0 can. A file system without locks gives no protection and no
 * error. */
les_status les_lock_take(les_lock **out, const char *path, double seconds);

/* Local, on other ranks. Joins the lock that rank 0 has taken. */
les_status les_lock_join(les_lock **out, const char *path);

/* Local. Releases the lock. `remove`, for rank 0: deletes its file. */
void les_lock_close(les_lock **lock, bool remove);

#endif
