#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../clock.h"
#include "../machine/topology.h"
#include "../reaper.h"

enum { SUBJECT_FD = 3, PATH_BYTES = 4096, APART_MAX = 5 };

struct pvt_launch {
  struct pvt_reaper reaper;
  pid_t pid;
  int fd, pidfd;              /* pidfd: readable when the subject has ended; -1 where the kernel has none */
  struct pvt_request request; /* cpus filled once */
};

/* The environment and one more, or NULL, before the others: the first of a name counts. Its memory is the caller's to
 * free, its strings are not. */
static char **environment_with(const char *more) {
  size_t count = 0, own = more != NULL;
  char **copy;

  while (environ[count] != NULL)
    count++;
  copy = calloc(count + own + 1, sizeof copy[0]);
  if (copy != NULL) {
    copy[0] = (char *)more;
    memcpy(copy + own, environ, count * sizeof copy[0]);
  }
  return copy;
}

static int spawn(const char *program, const char *environment, int fd, pid_t *ret_pid) {
  char *arguments[] = {(char *)program, NULL}, **with = environment_with(environment);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int status;

  if (with == NULL)
    return -ENOMEM;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, fd, SUBJECT_FD);
  /* Everything else, standard error apart, is the harness's own. */
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, SUBJECT_FD + 1);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  status = -posix_spawn(ret_pid, program, &actions, &attributes, arguments, with);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  free(with);
  return status;
}

static int start(struct pvt_launch *launch, const char *question, const struct pvt_row *row) {
  char program[PATH_BYTES], name[64];
  int ends[2], status, cpus[PVT_CPUS_MAX];
  unsigned count = 0;

  status = pvt_topology_cpus(cpus, PVT_CPUS_MAX, &count);
  if (status < 0)
    return status;
  for (unsigned i = 0; i < count; i++)
    launch->request.cpus[i] = cpus[i];
  launch->request.cpus_count = count;
  status = pvt_reaper_program_path("pvt-reaper", program, sizeof program);
  if (status == 0)
    status = pvt_reaper_start(program, &launch->reaper);
  if (status < 0)
    return status;
  snprintf(name, sizeof name, "pvt-%s-subject", question);
  status = pvt_reaper_program_path(name, program, sizeof program);
  if (status < 0)
    return status;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
    return -errno;
  status = spawn(program, row->environment, ends[1], &launch->pid);
  close(ends[1]);
  launch->fd = ends[0];
  if (status < 0)
    return status;
  launch->pidfd = pidfd_open(launch->pid, 0);
  return pvt_reaper_watch(&launch->reaper, launch->pid);
}

int pvt_launch_new(const char *question, const struct pvt_row *row, struct pvt_launch **ret_launch) {
  struct pvt_launch *launch = calloc(1, sizeof *launch);
  int status;

  if (launch == NULL)
    return -ENOMEM;
  launch->fd = launch->pidfd = launch->reaper.lifeline = -1;
  status = start(launch, question, row);
  if (status < 0) {
    pvt_launch_free(launch);
    return status;
  }
  *ret_launch = launch;
  return 0;
}

/* Ends the subject's whole group and returns how its first process ended. Until that is waited for, the group's number
 * is nobody else's. */
static int end(struct pvt_launch *launch) {
  siginfo_t info;
  int how = 0;

  if (launch->pid == 0)
    return 0;
  kill(-launch->pid, SIGKILL);
  while (waitid(P_PID, (id_t)launch->pid, &info, WEXITED | WNOWAIT) == -1 && errno == EINTR)
    continue;
  kill(-launch->pid, SIGKILL); /* what it made in its last moment */
  pvt_reaper_forget(&launch->reaper, launch->pid);
  while (waitpid(launch->pid, &how, 0) == -1 && errno == EINTR)
    continue;
  launch->pid = 0;
  return how;
}

void pvt_launch_free(struct pvt_launch *launch) {
  if (launch == NULL)
    return;
  if (launch->fd != -1)
    close(launch->fd);
  if (launch->pidfd != -1)
    close(launch->pidfd);
  end(launch);
  pvt_reaper_end(&launch->reaper);
  free(launch);
}

/* The subject closed its end: it has ended or is about to. */
static int explain_death(struct pvt_launch *launch, struct pvt_measure *measure) {
  struct timespec moment = {.tv_nsec = 10000000};
  bool has_ended = false;
  int how;

  for (int tries = 0; tries < 100 && !has_ended; tries++) {
    siginfo_t info = {0};

    has_ended = waitid(P_PID, (id_t)launch->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == launch->pid;
    if (!has_ended)
      nanosleep(&moment, NULL);
  }
  how = end(launch); /* and the workers it may have left */
  if (!has_ended)
    return pvt_measure_fail(measure, -ECHILD, "the subject closed its connection without an answer");
  if (WIFSIGNALED(how))
    return pvt_measure_fail(measure, -ECHILD, "the subject was ended by signal %d (%s)", WTERMSIG(how),
                            strsignal(WTERMSIG(how)));
  return pvt_measure_fail(measure, -ECHILD, "the subject ended with status %d and no answer", WEXITSTATUS(how));
}

/* The answer; -ECONNRESET when the subject has ended without one, even if its workers live on and hold its end of the
 * connection; -ETIMEDOUT. Sleeps all the while: this process must cost those that are measured nothing. */
static int await_answer(struct pvt_launch *launch, unsigned timeout_s, struct pvt_measure *ret_measure) {
  struct pollfd ends[2] = {{.fd = launch->fd, .events = POLLIN}, {.fd = launch->pidfd, .events = POLLIN}};
  uint64_t deadline_ns = pvt_clock_ns() + timeout_s * UINT64_C(1000000000), now_ns;

  while ((now_ns = pvt_clock_ns()) < deadline_ns) {
    uint64_t left_ms = (deadline_ns - now_ns) / 1000000 + 1;

    if (poll(ends, 2, left_ms > INT_MAX ? INT_MAX : (int)left_ms) == -1 && errno != EINTR)
      return -errno;
    if (ends[0].revents != 0)
      return pvt_wire_receive(launch->fd, ret_measure, sizeof *ret_measure);
    if (ends[1].revents != 0)
      return -ECONNRESET;
  }
  return -ETIMEDOUT;
}

static int measure_once(struct pvt_launch *launch, const struct pvt_row *row, uint64_t operations, uint64_t window_ns,
                        unsigned timeout_s, struct pvt_measure *ret_measure) {
  const char *missing;
  int status;

  memset(ret_measure, 0, sizeof *ret_measure);
  if (launch->pid == 0)
    return pvt_measure_fail(ret_measure, -ECHILD, "the subject has ended before");
  snprintf(launch->request.row, sizeof launch->request.row, "%s", row->name);
  launch->request.operations = row->timing == PVT_COUNTED ? operations : 0;
  launch->request.window_ns = row->timing == PVT_WINDOWED ? window_ns : 0;
  status = pvt_wire_send(launch->fd, &launch->request, sizeof launch->request);
  if (status == 0)
    status = await_answer(launch, timeout_s, ret_measure);
  if (status == -ETIMEDOUT) {
    end(launch);
    return pvt_measure_fail(ret_measure, -ETIMEDOUT, "no answer within %u s: killed", timeout_s);
  }
  if (status < 0)
    return explain_death(launch, ret_measure);
  ret_measure->why[sizeof ret_measure->why - 1] = '\0';
  if (ret_measure->status < 0)
    return ret_measure->status;
  missing = pvt_proof_missing(row->proofs, ret_measure->proofs);
  if (missing != NULL)
    return pvt_measure_fail(ret_measure, -EPROTO, "%s (%llu of %llu operations, overlap %.2f)", missing,
                            (unsigned long long)ret_measure->operations, (unsigned long long)launch->request.operations,
                            ret_measure->overlap);
  if (ret_measure->operations == 0 || ret_measure->span_ns == 0)
    return pvt_measure_fail(ret_measure, -EPROTO, "nothing was done");
  return 0;
}

int pvt_launch_measure(struct pvt_launch *launch, const struct pvt_row *row, uint64_t operations, uint64_t window_ns,
                       unsigned timeout_s, struct pvt_measure *ret_measure) {
  int status = measure_once(launch, row, operations, window_ns, timeout_s, ret_measure);

  /* Workers that something kept apart have not measured what the row is about, whatever the value: once more. */
  for (int tries = 1; tries < APART_MAX && status == -EPROTO; tries++) {
    if ((row->proofs & ~ret_measure->proofs) != PVT_PROOF_OVERLAP)
      break;
    status = measure_once(launch, row, operations, window_ns, timeout_s, ret_measure);
  }
  return status;
}

uint64_t pvt_launch_window_ns(const struct pvt_row *row, const struct pvt_host *host) {
  uint64_t shortest_ns = 20000000u, workers = row->workers == 0 ? 1 : row->workers, turns;

  /* Workers of one row may all be placed on one CPU. */
  turns = 20 * host->slice_ns * workers;
  return turns > shortest_ns ? turns : shortest_ns;
}

int pvt_launch_calibrate(struct pvt_launch *launch, const struct pvt_row *row, uint64_t target_ns, unsigned timeout_s,
                         struct pvt_measure *measure, uint64_t *ret_operations) {
  uint64_t first_ns = row->operation_ns == 0 ? 1000 : row->operation_ns, operations = target_ns / first_ns / 10 + 1;

  for (int tries = 0; tries < 20; tries++) {
    double took_ns;
    int status = pvt_launch_measure(launch, row, operations, 0, timeout_s, measure);

    if (status < 0)
      return status;
    took_ns = (double)measure->span_ns;
    if (took_ns >= 0.7 * (double)target_ns || operations >= UINT64_C(1) << 40) {
      /* The second reading of a warm subject: close enough to scale once more. */
      operations = (uint64_t)((double)operations * (double)target_ns / took_ns);
      *ret_operations = operations == 0 ? 1 : operations;
      return 0;
    }
    operations =
        (uint64_t)((double)operations * (took_ns * 20 < (double)target_ns ? 10 : (double)target_ns / took_ns)) + 1;
  }
  return pvt_measure_fail(measure, -EDOM, "no number of operations takes %llu ns", (unsigned long long)target_ns);
}
