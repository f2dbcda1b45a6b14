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

/* The bar or a line, unless the last one is too young. `always`: even then. */
static void show(cli_progress *p, int64_t done, int64_t total, double rate, double eta, bool always) {
  char left[TIME_BYTES], bar[BAR_CELLS + 1] = "";
  if (total <= 0 || (!p->terminal && !p->lines) || (!always && les_now() - p->told < p->rest)) return;
  p->told = les_now();
  format_time(eta, left);
  if (p->terminal) {
    int full = (int)(done * BAR_CELLS / total);
    for (int i = 0; i < BAR_CELLS; i++) bar[i] = i < full ? '#' : '.';
    fprintf(stderr, "\r\033[K[%s] ", bar);
  }
  fprintf(stderr, "%lld/%lld %s  %.1f/s  %s left%s", (long long)done, (long long)total, p->counted, rate,
          left, p->terminal ? "" : "\n");
  p->bar = p->terminal;
}

static void show_sweep(void *ctx, int64_t done, int64_t total, double rate, double eta) {
  show(ctx, done, total, rate, eta, false);
}

static void show_done(void *ctx, int64_t done, int64_t total) {
  cli_progress *p = ctx;
  double seconds = les_now() - p->began, rate = seconds > 0 ? (double)done / seconds : 0;
  show(p, done, total, rate, rate > 0 ? (double)(total - done) / rate : -1, !p->terminal && done == total);
}

void cli_progress_init(cli_progress *p, const char *counted, bool asked) {
  bool terminal = isatty(STDERR_FILENO);
  *p = (cli_progress){.counted = counted,
                      .terminal = terminal,
                      .lines = asked,
                      .rest = terminal ? 1 : 10,
                      .began = les_now(),
                      .told = les_now()};
}

les_progress cli_progress_teller(cli_progress *p) {
  return (les_progress){.tell = show_done, .ctx = p};
}

les_observer cli_progress_init_sweep(cli_progress *p, bool bar) {
  bool terminal = bar || isatty(STDERR_FILENO);
  *p = (cli_progress){
      .counted = "cells", .terminal = terminal, .lines = true, .rest = terminal ? 0 : 60, .told = les_now()};
  return (les_observer){.ctx = p, .lesion = show_lesion, .progress = show_sweep, .note = show_note};
}

void cli_progress_free(cli_progress *p) {
  clear_bar(p);
}
