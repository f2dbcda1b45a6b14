/* Requests to end early: SIGTERM, SIGINT and SIGUSR1 (the warning before a batch system's time limit). Local.
 */
#ifndef LES_WATCH_INTERRUPT_H
#define LES_WATCH_INTERRUPT_H

/* From now on these signals are only counted. A write beyond a size limit and a closed pipe become errors
 * instead of signals. */
void les_interrupt_watch(void);

/* The signal that came, 0 if none did. */
int les_interrupt_signal(void);

/* How many came. */
int les_interrupt_count(void);

#endif
