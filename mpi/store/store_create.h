/* Making of a result file with nothing computed yet. */
#ifndef LES_STORE_STORE_CREATE_H
#define LES_STORE_STORE_CREATE_H

#include "job/study.h"

/* Rank 0. Makes `path`, with every data set of the schema at its full size and place: written aside, synced,
 * renamed, so that it is there as a whole or not at all. The caller holds the lock and has seen that nothing
 * is there. Leaves nothing behind when it fails. */
les_status les_store_create(const char *path, const les_study *study);

#endif
