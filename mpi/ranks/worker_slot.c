#include "ranks/worker_slot.h"

#include "base/clock.h"
#include "ranks/recovery.h"

#include <math.h>

static const double stopped_patience = 2;    /* a stopped process may be continued by then */
static const double loading_patience = 3600; /* for a large model from a slow disk */

void les_worker_slot_enter(les_worker_slot *s, les_slot_state state) {
  s->state = state;
  s->since = les_now();
}

les_tile *les_worker_slot_release(les_worker_slot *s) {
  les_tile *tile = s->tile;
  s->tile = NULL;
  les_worker_slot_enter(s, LES_SLOT_IDLE);
  return tile;
}

const char *les_worker_slot_diagnose(les_worker_slot *s, const les_patience *patience) {
  double now = les_now();
  if (s->local || s->state == LES_SLOT_GONE) return NULL;
  if (s->pid) {
    les_health health = les_recovery_health(s->pid, s->here);
    if (health == LES_HEALTH_DEAD) return "its worker died";
    if (health != LES_HEALTH_STOPPED)
      s->stopped = 0;
    else if (s->stopped == 0)
      s->stopped = now;
    else if (now - s->stopped > stopped_patience)
      return "its worker was stopped";
  }
  if (*s->unreachable) return s->unreachable;
  if (s->state != LES_SLOT_LOADING && now - s->heard > patience->silence)
    return "its worker gave no sign of life";
  if (s->state == LES_SLOT_BUSY && now - s->since > patience->work) return "its worker was stuck";
  if (s->state == LES_SLOT_LOADING && now - s->since > loading_patience)
    return "its worker did not get ready";
  return NULL;
}

void les_worker_slot_excuse(les_worker_slot *s, double seconds) {
  double now = les_now();
  s->heard = fmin(now, s->heard + seconds);
  s->since = fmin(now, s->since + seconds);
}

les_worker_view les_worker_slot_view(const les_worker_slot *s) {
  static const char *const names[] = {"starting", "loading", "idle", "computing", "gone"};
  return (les_worker_view){.host = s->host,
                           .state = names[s->state],
                           .pid = s->pid,
                           .tile_cells = s->tile ? s->tile->n : 0,
                           .cells = s->cells,
                           .seconds = les_now() - s->since};
}
