/* A sweep's progress on stderr: on a terminal one bar, else a line per lesion and per minute. */
#ifndef LES_CLI_PROGRESS_H
#define LES_CLI_PROGRESS_H

#include "watch/sweep_state.h"

typedef struct cli_progress {
  bool terminal, bar; /* bar: one stands on the last line */
  double minute;      /* when the last line of the kind was printed */
} cli_progress;

/* bar: as on a terminal, though stderr leads to one by way of a launcher only. */
les_observer cli_progress_init(cli_progress *p, bool bar);
void cli_progress_free(cli_progress *p);

/* HH:MM:SS, MM:SS or SS as seconds; false if it is none of them. */
bool cli_parse_time(const char *text, double *seconds);

#endif
