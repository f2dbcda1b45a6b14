/* The scheduler of a sweep, run against simulated workers: time is simulated, so that a machine's load does
 * not matter; only what rank 0 does is measured. */
#ifndef SIMULATION_H
#define SIMULATION_H

#include "base/status.h"

#include <stdint.h>

typedef struct simulation {
  int lesions, prompts, workers;
  double cell_seconds; /* of one cell on one rank */
  double spread;       /* standard deviation of ln(time) between tiles; one worker in fifty is half as fast */
} simulation;

typedef struct simulated {
  double wall;  /* simulated seconds */
  double idle;  /* share of the workers' time */
  double rank0; /* measured seconds of rank 0 in the scheduler */
  int64_t tiles;
} simulated;

les_status simulation_run(const simulation *s, simulated *out);

#endif
