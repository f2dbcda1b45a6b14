/* Progress on stderr. On a terminal a bar on the last line, which goes when the command ends; else lines now
 * and then. What a command prints to stdout is never touched. */
#ifndef LES_CLI_PROGRESS_H
#define LES_CLI_PROGRESS_H

#include "base/progress.h"
#include "watch/sweep_state.h"

typedef struct cli_progress {
  const char *counted; /* what is counted: "cells" */
  bool terminal, lines;
  bool bar;    /* one stands on the last line */
  double rest; /* seconds between two of the lines, or changes of the bar */
  double began, told;
} cli_progress;

/* For a command that says nothing else until it ends: on a terminal a bar from the first second on, else
 * lines every ten seconds and at the end if they are `asked` for. */
void cli_progress_init(cli_progress *p, const char *counted, bool asked);

/* What computations are given; it borrows p. */
les_progress cli_progress_teller(cli_progress *p);

/* For a sweep, which says itself how fast it is: a line per lesion, and per minute where there is no bar.
 * bar: as on a terminal, though stderr leads to one by way of a launcher only. */
les_observer cli_progress_init_sweep(cli_progress *p, bool bar);

/* Takes the bar away. */
void cli_progress_free(cli_progress *p);

#endif
