/* Processes of this node, by their id. Local. */
#ifndef LES_WATCH_PROCESS_H
#define LES_WATCH_PROCESS_H

typedef enum les_process_state { LES_PROCESS_RUNS, LES_PROCESS_STOPPED, LES_PROCESS_GONE } les_process_state;

/* What the kernel says of process `pid`. A zombie is gone. */
les_process_state les_process_state_of(int pid);

/* Number of its children that run. */
int les_process_children(int pid);

#endif
