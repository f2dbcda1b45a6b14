#include "ranks/tile_run.h"

typedef struct run {
  les_store *store;
  const les_tile_listener *listener;
  bool fatal;
} run;

static les_status on_record(void *ctx, les_cell cell, const void *record) {
  run *r = ctx;
  les_status status = les_store_put(r->store, cell, record);
  if (status == LES_OK) status = r->listener->cell(r->listener->ctx, cell);
  r->fatal = status != LES_OK;
  return status;
}

static bool on_stop(void *ctx) {
  const run *r = ctx;
  return r->listener->stop(r->listener->ctx);
}

les_status les_tile_run(const les_tile_runner *runner, const les_cell *cells, int n,
                        const les_tile_listener *listener, bool *fatal) {
  run r = {.store = runner->store, .listener = listener};
  les_status status = les_evaluate(runner->evaluator, cells, n, on_record, &r, on_stop);
  *fatal = r.fatal;
  return status;
}
