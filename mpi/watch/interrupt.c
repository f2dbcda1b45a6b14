#include "watch/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t received, count;

static void on_signal(int number) {
  received = number;
  count = count + 1;
}

void les_interrupt_watch(void) {
  struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&act.sa_mask);
  sigaction(SIGTERM, &act, NULL);
  sigaction(SIGINT, &act, NULL);
  sigaction(SIGUSR1, &act, NULL);
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
}

int les_interrupt_signal(void) {
  return received;
}

int les_interrupt_count(void) {
  return count;
}
