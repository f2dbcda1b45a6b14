#include "watch/launch.h"

#include "base/clock.h"
#include "base/cores.h"
#include "job/job.h"
#include "store/store_file.h"
#include "watch/events.h"
#include "watch/interrupt.h"
#include "watch/process.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const double look_interval = 0.1;
static const double end_patience = 5;       /* for mpirun to return after the sweep's end marker */
static const double stop_patience = 90;     /* for the sweep to end after it was asked to */
static const double silence_patience = 600; /* for rank 0 to renew the status file */
static const double begin_patience = 3600;  /* to load the model and verify the file */
static const double longest_pause = 60;
enum { MAX_STARTS_WITHOUT_CELL = 3, CORES_PER_WORKER = 8, MAX_ARGUMENTS = 64 };

/* One start of mpirun. */
typedef struct attempt {
  pid_t pid;
  int wait_status;
  bool begun;    /* the sweep has got as far as its status file */
  int children;  /* of mpirun, the most that were seen while it starts */
  int root;      /* process id of rank 0 if it is on this node; 0: not known */
  double broken; /* when a process was missing that the sweep cannot go on without; 0: none */
  int exit_code; /* that rank 0 has left; -1: none */
  double ended;  /* when that was seen; 0: not yet */
  double heard;  /* when the status file last changed */
  struct timespec changed;
} attempt;

typedef struct launch {
  const les_launch_options *options;
  const char *output;
  char *status_path;
  char exit_status_path[64]; /* rank 0 leaves its exit code there: mpirun's says nothing after a death */
  int ranks;                 /* 0: mpirun's choice */
  double deadline, asked;    /* asked: when the sweep was told to stop */
  int signals;               /* seen so far */
} launch;

static void note(const launch *l, const char *text) {
  if (l->options->note) l->options->note(l->options->ctx, text);
}

/* ---- starting ------------------------------------------------------------------------------------------ */

/* The program and its arguments, each as it is: no shell sees them. Texts made here lie in `scratch`. */
static void command_line(const launch *l, const char **argv, char scratch[2][32]) {
  int n = 0;
  const char *const mpirun[] = {"mpirun", "--enable-recovery", "--oversubscribe", "--bind-to", "none"};
  for (size_t i = 0; i < sizeof mpirun / sizeof *mpirun; i++) argv[n++] = mpirun[i];
  if (l->ranks > 0) {
    snprintf(scratch[0], sizeof scratch[0], "%d", l->ranks);
    argv[n++] = "-n";
    argv[n++] = scratch[0];
  }
  argv[n++] = l->options->program;
  argv[n++] = "sweep";
  for (char *const *o = l->options->sweep_options; *o && n < MAX_ARGUMENTS - 10; o++) argv[n++] = *o;
  if (l->deadline > 0) {
    snprintf(scratch[1], sizeof scratch[1], "%d", (int)fmax(1, ceil(l->deadline - les_now())));
    argv[n++] = "--time-limit";
    argv[n++] = scratch[1];
  }
  argv[n++] = "--exit-status-file";
  argv[n++] = l->exit_status_path;
  argv[n++] = "--output";
  argv[n++] = l->output;
  argv[n++] = "--";
  argv[n++] = l->options->job_path;
  argv[n] = NULL;
}

/* In the child: becomes mpirun, in a process group of its own, so that Ctrl-C reaches it through us only. */
static void become_mpirun(const char **argv, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  signal(SIGPIPE, SIG_DFL);
  if (geteuid() == 0) { /* root in a container is how many run this */
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  }
  /* MPI_Comm_spawn notices a process that died while it started: with 12 to 20 in half of that time, with
   * 10 or 30, and without, not at all (measured with Open MPI 4.1.4) */
  setenv("OMPI_MCA_pmix_base_exchange_timeout", "15", 0);
  execvp(argv[0], (char *const *)argv);
  _exit(127);
}

static les_status start(launch *l, attempt *a) {
  const char *argv[MAX_ARGUMENTS];
  char scratch[2][32];
  pid_t parent = getpid();
  if (truncate(l->exit_status_path, 0) != 0)
    return les_fail(LES_FAILED, "%s: %s", l->exit_status_path, strerror(errno));
  *a = (attempt){.exit_code = -1, .heard = les_now()};
  command_line(l, argv, scratch);
  a->pid = fork();
  if (a->pid < 0) return les_fail(LES_FAILED, "no further process can be started: %s", strerror(errno));
  if (a->pid == 0) become_mpirun(argv, parent);
  return LES_OK;
}

/* ---- watching ------------------------------------------------------------------------------------------ */

static int root_here(const cJSON *doc) {
  char host[64] = "";
  gethostname(host, sizeof host - 1);
  const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(doc, "host"));
  const cJSON *pid = cJSON_GetObjectItem(doc, "pid");
  return name && !strcmp(name, host) && cJSON_IsNumber(pid) ? pid->valueint : 0;
}

/* The exit code that rank 0 has left, -1: none yet. */
static int read_exit_status(const launch *l) {
  int code = -1;
  FILE *f = fopen(l->exit_status_path, "r");
  if (f && fscanf(f, "%d", &code) != 1) code = -1;
  if (f) fclose(f);
  return code;
}

/* The status file, if it has changed and is of this start. */
static void look_at_status(const launch *l, attempt *a) {
  struct stat s;
  if (a->exit_code < 0 && (a->exit_code = read_exit_status(l)) >= 0) a->ended = les_now();
  if (stat(l->status_path, &s) != 0 ||
      (s.st_mtim.tv_sec == a->changed.tv_sec && s.st_mtim.tv_nsec == a->changed.tv_nsec))
    return;
  a->changed = s.st_mtim;
  cJSON *doc = les_events_read_status(l->output);
  const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(doc, "exit_status_file"));
  if (name && !strcmp(name, l->exit_status_path)) {
    a->begun = true;
    a->heard = les_now();
    a->root = root_here(doc);
  }
  cJSON_Delete(doc);
}

/* The first signal asks the sweep to stop with a good checkpoint (mpirun passes SIGUSR1 on to the ranks, but
 * would kill them at once on SIGTERM); the second one does not wait for that. */
static void pass_signals_on(launch *l, const attempt *a) {
  int signals = les_interrupt_count();
  if (signals == l->signals) return;
  kill(a->pid, l->signals == 0 ? SIGUSR1 : SIGTERM);
  if (l->signals == 0) l->asked = les_now();
  l->signals = signals;
}

/* While the ranks start, each waits for all others, and mpirun would let them: one missing is the end. Later
 * rank 0 sees to the others, and must be there itself. */
static void look_at_processes(attempt *a) {
  int n = a->begun ? 0 : les_process_children(a->pid);
  if (n > a->children) a->children = n;
  bool missing = a->begun ? a->root && les_process_state_of(a->root) == LES_PROCESS_GONE : n < a->children;
  if (!missing)
    a->broken = 0;
  else if (a->broken == 0)
    a->broken = les_now();
}

static const char *overdue(const launch *l, const attempt *a) {
  double now = les_now();
  if (a->ended > 0)
    return now - a->ended > end_patience ? "" : NULL; /* as it is after a death: nothing to tell */
  if (a->broken > 0 && now - a->broken > end_patience)
    return "a rank is gone that the sweep cannot do without";
  if (!a->begun && now - a->heard > begin_patience) return "the sweep did not begin";
  if (l->asked > 0 && now - l->asked > stop_patience) return "the sweep did not stop when it was asked to";
  if (a->begun && now - a->heard > silence_patience) return "rank 0 has given no sign of life";
  return NULL;
}

/* mpirun's children end with it, or soon after by themselves. */
static void end_mpirun(attempt *a) {
  kill(a->pid, SIGTERM);
  for (double end = les_now() + end_patience; les_now() < end; les_sleep(look_interval))
    if (waitpid(a->pid, &a->wait_status, WNOHANG) == a->pid) return;
  kill(a->pid, SIGKILL);
  waitpid(a->pid, &a->wait_status, 0);
}

static void watch(launch *l, attempt *a) {
  for (;; les_sleep(look_interval)) {
    pid_t ended = waitpid(a->pid, &a->wait_status, WNOHANG);
    look_at_status(l, a);
    if (ended == a->pid) return;
    look_at_processes(a);
    pass_signals_on(l, a);
    const char *why = overdue(l, a);
    if (!why) continue;
    if (*why) note(l, why);
    end_mpirun(a);
    return;
  }
}

/* ---- judging ------------------------------------------------------------------------------------------- */

/* The sweep's exit code, from the file first; -1: it came to none and may be started again. */
static int outcome(const launch *l, const attempt *a, const les_store_count *count) {
  if (count->total > 0 && count->done + count->failed == count->total)
    return a->exit_code >= 0 ? a->exit_code : count->failed > 0;
  if (l->asked > 0 || a->exit_code == 75) return 75;
  if (!a->begun && a->exit_code > 0) return a->exit_code; /* refused before work: it would be again */
  if (!a->begun && WIFEXITED(a->wait_status) && WEXITSTATUS(a->wait_status) == 1 && a->children == 0)
    return 1; /* mpirun has found no place for the ranks, and said so */
  return -1;
}

static void describe_end(const attempt *a, char *text, size_t bytes) {
  if (a->exit_code >= 0)
    snprintf(text, bytes, "the sweep ended with %d", a->exit_code);
  else if (WIFSIGNALED(a->wait_status))
    snprintf(text, bytes, "mpirun was ended by signal %d", WTERMSIG(a->wait_status));
  else
    snprintf(text, bytes, "the sweep crashed (mpirun ended with %d)", WEXITSTATUS(a->wait_status));
}

static les_status give_up(const launch *l, const char *end, int starts, const les_store_count *count,
                          bool no_cell) {
  return les_fail(
      LES_FAILED,
      "%s: given up after %d starts%s with %lld of %lld cells done: %s; the finished cells are kept",
      l->output, starts, no_cell ? ", the last ones without a finished cell," : "", (long long)count->done,
      (long long)count->total, end);
}

static void pause_before(const launch *l, double seconds, const char *end, int ranks) {
  char text[256];
  snprintf(text, sizeof text, "%s; starting again in %.0f s%s", end, seconds,
           ranks != l->ranks ? " with one rank less" : "");
  note(l, text);
  for (double until = les_now() + seconds; les_now() < until && les_interrupt_count() == l->signals;)
    les_sleep(look_interval);
}

static les_status run(launch *l, int *code) {
  int without_cell = 0;
  double pause = 1;
  les_store_count before, count;
  LES_TRY(les_store_count_cells(l->output, &before));
  for (int starts = 1;; starts++) {
    attempt a;
    char end[128];
    LES_TRY(start(l, &a));
    watch(l, &a);
    if (WIFEXITED(a.wait_status) && WEXITSTATUS(a.wait_status) == 127)
      return les_fail(LES_FAILED, "mpirun cannot be started: install Open MPI (package openmpi-bin)");
    LES_TRY(les_store_count_cells(l->output, &count));
    *code = outcome(l, &a, &count);
    if (*code >= 0) return LES_OK;
    describe_end(&a, end, sizeof end);
    bool progress = count.done + count.failed > before.done + before.failed;
    without_cell = progress ? 0 : without_cell + 1;
    if (starts > l->options->retries || without_cell == MAX_STARTS_WITHOUT_CELL)
      return give_up(l, end, starts, &count, without_cell > 0);
    pause = progress ? 1 : fmin(2 * pause, longest_pause);
    int ranks = !progress && l->ranks > 2 ? l->ranks - 1 : l->ranks; /* memory may be what was short */
    pause_before(l, pause, end, ranks);
    if (les_interrupt_count() > 0) return *code = 75, LES_OK;
    l->ranks = ranks;
    before = count;
  }
}

static les_status make_exit_status_file(launch *l) {
  strcpy(l->exit_status_path, "/tmp/lesion-launch-XXXXXX");
  int fd = mkostemp(l->exit_status_path, O_CLOEXEC);
  if (fd < 0) return les_fail(LES_FAILED, "no file can be made in /tmp: %s", strerror(errno));
  close(fd);
  return LES_OK;
}

les_status les_launch_run(const les_launch_options *o, int *code) {
  les_job *job = NULL;
  launch l = {.options = o, .ranks = o->ranks};
  *code = 1;
  LES_TRY(les_job_open(&job, o->job_path));
  les_status status = LES_OK;
  l.output = o->output ? o->output : job->output;
  if (l.ranks == 0 && !o->allocated)
    l.ranks = 1 + (les_cores_online() + CORES_PER_WORKER - 1) / CORES_PER_WORKER;
  if (o->time_limit > 0) l.deadline = les_now() + o->time_limit;
  les_interrupt_watch();
  if (asprintf(&l.status_path, "%s.status", l.output) < 0) {
    l.status_path = NULL;
    status = les_no_memory("a file name");
  } else if ((status = make_exit_status_file(&l)) == LES_OK) {
    status = run(&l, code);
    unlink(l.exit_status_path);
  }
  free(l.status_path);
  les_job_close(&job);
  return status;
}
