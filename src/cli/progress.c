#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 30, TIME_BYTES = 32 };

static void clear_bar(cli_progress *p) {
  if (p->bar) fputs("\r\033[K", stderr);
  p->bar = false;
}

static void show_lesion(void *ctx, const char *spec, int complete, int lesions, const char *measure,
                        double mean) {
  clear_bar(ctx);
  fprintf(stderr, "lesion %d/%d  %s", complete, lesions, spec);
  if (measure) fprintf(stderr, "  mean %s %.4f", measure, mean);
  fputc('\n', stderr);
}

static void show_note(void *ctx, const char *text) {
  clear_bar(ctx);
  fprintf(stderr, "lesion: %s\n", text);
}

static void format_time(double seconds, char text[TIME_BYTES]) {
  long s = (long)(seconds + 0.5);
  if (seconds < 0)
    strcpy(text, "?");
  else
    snprintf(text, TIME_BYTES, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

static void show_progress(void *ctx, int64_t done, int64_t total, double rate, double eta) {
  cli_progress *p = ctx;
  char left[TIME_BYTES], bar[BAR_CELLS + 1] = "";
  format_time(eta, left);
  if (p->terminal) {
    int full = (int)(done * BAR_CELLS / total);
    for (int i = 0; i < BAR_CELLS; i++) bar[i] = i < full ? '#' : '.';
    fprintf(stderr, "\r\033[K[%s] %lld/%lld cells  %.1f/s  %s left", bar, (long long)done, (long long)total,
            rate, left);
    p->bar = true;
  } else if (les_now() - p->minute >= 60) {
    p->minute = les_now();
    fprintf(stderr, "%lld/%lld cells  %.1f/s  %s left\n", (long long)done, (long long)total, rate, left);
  }
}

les_observer cli_progress_init(cli_progress *p, bool bar) {
  *p = (cli_progress){.terminal = bar || isatty(STDERR_FILENO), .minute = les_now()};
  return (les_observer){.ctx = p, .lesion = show_lesion, .progress = show_progress, .note = show_note};
}

void cli_progress_free(cli_progress *p) {
  clear_bar(p);
}

bool cli_parse_time(const char *text, double *seconds) {
  int part[3], n = 0, used = 0;
  for (*seconds = 0; n < 3; n++) {
    if (sscanf(text, "%9d%n", &part[n], &used) != 1 || part[n] < 0 || text[0] == '+') return false;
    *seconds = *seconds * 60 + part[n];
    text += used;
    if (!*text) return *seconds > 0;
    if (*text++ != ':') return false;
  }
  return false;
}
