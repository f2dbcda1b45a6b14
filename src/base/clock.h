/* Time: a monotonic clock in seconds, short sleeps, and the date as files show it. */
#ifndef LES_BASE_CLOCK_H
#define LES_BASE_CLOCK_H

#include <stddef.h>
#include <time.h>

static inline double les_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void les_sleep(double seconds) {
  struct timespec t = {.tv_sec = (time_t)seconds,
                       .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
  nanosleep(&t, NULL);
}

enum { LES_DATE_BYTES = 32 };

/* The time of day in UTC, ISO 8601: "2024-05-01T12:00:00Z". */
static inline void les_date(char text[LES_DATE_BYTES]) {
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(text, LES_DATE_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

#endif
