/* What happened during a sweep, for people and for other programs: RUN.h5.events.jsonl, one JSON object a
 * line, and RUN.h5.status, one JSON document that is replaced as a whole. Rank 0 only. A failure to write
 * them never ends a sweep: it is kept, to be told once. */
#ifndef LES_WATCH_EVENTS_H
#define LES_WATCH_EVENTS_H

#include "base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

typedef struct les_events les_events;

/* Files beside the result file `path`. Never through a link, with the user's umask. */
les_status les_events_open(les_events **out, const char *path);
void les_events_close(les_events **events);

/* Adds a line {"time": ..., "event": name, ...}. `details` (an object or NULL) is freed. */
void les_events_add(les_events *events, const char *name, cJSON *details);

/* Replaces the status document: written aside, then renamed. `doc` is freed. */
void les_events_status(les_events *events, cJSON *doc);

/* The status document beside `path` as it is now, from this sweep or an earlier start; NULL if there is none
 * that can be read. The caller frees it. */
cJSON *les_events_read_status(const char *path);

/* The first failure to write since the last call, "" if there was none. */
const char *les_events_failure(les_events *events);

#endif
