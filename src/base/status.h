/* How a function of the library reports failure: a status to pass up and one message for the user. */
#ifndef LES_BASE_STATUS_H
#define LES_BASE_STATUS_H

enum { LES_MESSAGE_BYTES = 1024 };

typedef enum les_status {
  LES_OK = 0,
  LES_FAILED,  /* the message says what, where and what to do about it */
  LES_USAGE,   /* the request itself is wrong: a lesion that no model has, an unknown option */
  LES_STOPPED, /* ended early on request, with a good checkpoint */
} les_status;

/* Records the message of a failure for this thread and returns `status`. The message is one line, without a
 * full stop or newline at its end; it is cut at 1023 bytes. */
les_status les_fail(les_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* LES_FAILED with the message "out of memory for WHAT": what every failed allocation becomes. Say what the
 * memory was for: les_no_memory("the logits of %d rows", n). */
les_status les_no_memory(const char *what, ...) __attribute__((format(printf, 1, 2)));

/* Puts "context: " in front of the recorded message and returns `status`, so that a caller can add the name
 * of the file that a callee did not know. */
les_status les_fail_in(les_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The process's exit code for a status: 0, 1, 2, and for LES_STOPPED 75 (EX_TEMPFAIL: start it again). */
int les_exit_code(les_status status);

/* The last message recorded on this thread; "" if there was none. Owned by the library. */
const char *les_message(void);

/* Passes a failure of `call` up to the caller. For functions that own nothing yet; others go to their exit
 * path. */
#define LES_TRY(call)                                                                                        \
  do {                                                                                                       \
    les_status les_try_status_ = (call);                                                                     \
    if (les_try_status_ != LES_OK) return les_try_status_;                                                   \
  } while (0)

/* Stores the status of `call` in `status` and jumps to `label` on failure: the one exit path of a function.
 */
#define LES_GOTO(status, call, label)                                                                        \
  do {                                                                                                       \
    (status) = (call);                                                                                       \
    if ((status) != LES_OK) goto label;                                                                      \
  } while (0)

#endif
