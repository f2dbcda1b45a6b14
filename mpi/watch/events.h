/* What happens during a sweep, for people and for other programs: RUN.h5.events.jsonl, one JSON object a
 * line, and RUN.h5.status, one JSON document that is replaced as a whole. A failure to write them never ends
 * a sweep: it is kept, to be reported once; a line or document is written whole or not at all. */
#ifndef LES_WATCH_EVENTS_H
#define LES_WATCH_EVENTS_H

#include "base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

typedef struct les_events les_events;

/* Rank 0. Files beside the result file `path`. Never through a link, with the user's umask. */
les_status les_events_open(les_events **out, const char *path);
void les_events_close(les_events **events);

/* Local. An event {"time": now, "event": name}, for more keys to be added (base/json.h). */
cJSON *les_event_make(const char *name);

/* Rank 0. Adds a line. `event` is freed; one for which memory ran out counts as a failure to write. */
void les_events_add(les_events *events, cJSON *event);

/* Rank 0. Replaces the status document: written aside, then renamed. `doc` is freed; if it cannot be written,
 * the last one stays. */
void les_events_status(les_events *events, cJSON *doc);

/* Local. The status document beside `path` as it is now, from this sweep or an earlier start; NULL if there
 * is none that can be read. The caller frees it. */
cJSON *les_events_read_status(const char *path);

/* Rank 0. The first failure to write, once; "" after that, or if there was none. */
const char *les_events_failure(les_events *events);

#endif
