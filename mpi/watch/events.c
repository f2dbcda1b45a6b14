#include "watch/events.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct les_events {
  int log;
  char *log_path, *status_path, *aside_path;
  bool failed, told;
  char failure[512];
};

les_status les_events_open(les_events **out, const char *path) {
  les_events *e = *out = calloc(1, sizeof *e);
  if (!e) return les_no_memory("the log of events");
  e->log = -1;
  if (asprintf(&e->log_path, "%s.events.jsonl", path) < 0 ||
      asprintf(&e->status_path, "%s.status", path) < 0 ||
      asprintf(&e->aside_path, "%s.status.new", path) < 0) {
    les_events_close(out);
    return les_no_memory("the log of events");
  }
  e->log = open(e->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (e->log >= 0) return LES_OK;
  les_status status = les_fail(LES_FAILED, "%s cannot be written: %s", e->log_path, strerror(errno));
  les_events_close(out);
  return status;
}

void les_events_close(les_events **events) {
  les_events *e = *events;
  if (!e) return;
  if (e->log >= 0) close(e->log);
  free(e->log_path);
  free(e->status_path);
  free(e->aside_path);
  free(e);
  *events = NULL;
}

static void note_failure(les_events *e, const char *path) {
  if (e->failed) return;
  e->failed = true;
  snprintf(e->failure, sizeof e->failure, "%s cannot be written: %s; the sweep goes on without it", path,
           strerror(errno));
}

const char *les_events_failure(les_events *e) {
  if (!e->failed || e->told) return "";
  e->told = true;
  return e->failure;
}

static bool write_all(int fd, const char *text, size_t n) {
  while (n > 0) {
    ssize_t put = write(fd, text, n);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text += put;
    n -= (size_t)put;
  }
  return true;
}

/* errno says why if it fails. */
static bool write_json(int fd, const cJSON *doc) {
  char *text = cJSON_PrintUnformatted(doc);
  if (!text) return errno = ENOMEM, false;
  size_t n = strlen(text);
  text[n] = '\n'; /* in place of the null: a line goes out in one write */
  bool good = write_all(fd, text, n + 1);
  int error = errno;
  cJSON_free(text);
  errno = error;
  return good;
}

cJSON *les_event_make(const char *name) {
  char date[LES_DATE_BYTES];
  les_date(date);
  cJSON *event = cJSON_CreateObject();
  les_json_add_string(event, "time", date);
  les_json_add_string(event, "event", name);
  return event;
}

void les_events_add(les_events *e, cJSON *event) {
  if (!write_json(e->log, event)) note_failure(e, e->log_path);
  cJSON_Delete(event);
}

static bool replace_status(les_events *e, const cJSON *doc) {
  unlink(e->aside_path);
  int fd = open(e->aside_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return false;
  bool good = write_json(fd, doc);
  int error = errno;
  close(fd);
  errno = error;
  return good && rename(e->aside_path, e->status_path) == 0;
}

void les_events_status(les_events *e, cJSON *doc) {
  if (!replace_status(e, doc)) {
    note_failure(e, e->status_path);
    unlink(e->aside_path);
  }
  cJSON_Delete(doc);
}

cJSON *les_events_read_status(const char *path) {
  enum { LARGEST = 64 << 20 }; /* 10,000 workers need about two */
  char *name, *text = NULL;
  cJSON *doc = NULL;
  if (asprintf(&name, "%s.status", path) < 0) return NULL;
  FILE *f = fopen(name, "r");
  struct stat s;
  if (f && fstat(fileno(f), &s) == 0 && s.st_size > 0 && s.st_size < LARGEST &&
      (text = calloc((size_t)s.st_size + 1, 1)) && fread(text, 1, (size_t)s.st_size, f) == (size_t)s.st_size)
    doc = cJSON_Parse(text);
  free(text);
  free(name);
  if (f) fclose(f);
  return doc;
}
