#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[LES_MESSAGE_BYTES];

les_status les_fail(les_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  return status;
}

les_status les_no_memory(const char *what, ...) {
  static const char phrase[] = "out of memory for ";
  va_list args;
  va_start(args, what);
  memcpy(message, phrase, sizeof phrase);
  vsnprintf(message + sizeof phrase - 1, sizeof message - sizeof phrase + 1, what, args);
  va_end(args);
  return LES_FAILED;
}

les_status les_fail_in(les_status status, const char *format, ...) {
  char rest[sizeof message];
  memcpy(rest, message, sizeof rest);
  va_list args;
  va_start(args, format);
  int n = vsnprintf(message, sizeof message, format, args);
  va_end(args);
  if (n >= 0 && (size_t)n < sizeof message) snprintf(message + n, sizeof message - (size_t)n, ": %s", rest);
  return status;
}

int les_exit_code(les_status status) {
  static const int codes[] = {[LES_OK] = 0, [LES_FAILED] = 1, [LES_USAGE] = 2, [LES_STOPPED] = 75};
  return codes[status];
}

const char *les_message(void) {
  return message;
}
