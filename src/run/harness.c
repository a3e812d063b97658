#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../clock.h"
#include "clean.h"

enum { ARGUMENTS_MAX = 16, PATH_BYTES = 4096, OUTPUT_MAX = 8 << 20, PIECE_BYTES = 16384, RECORD_FD = 3 };
#define DRAIN_NS 2000000000u /* what a killed harness started is gone in so long */
#define MOMENT_NS 1000000

#define ROW(question) #question,
const char *const pvt_harness_questions[] = {
#include "question_rows.h"
    NULL};
#undef ROW

volatile sig_atomic_t pvt_harness_interrupted;

struct text {
  char *bytes;
  size_t length, room;
};

/* The end of what was said on standard error. */
struct tail {
  char bytes[4096];
  size_t length;
};

struct child {
  pid_t pid;
  int output, errors; /* reading ends */
};

static int spawn(const char *program, char **arguments, bool from_stdout, struct child *ret_child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int output[2], errors[2], status;
  sigset_t none, all;

  if (pipe2(output, O_CLOEXEC) == -1)
    return -errno;
  if (pipe2(errors, O_CLOEXEC) == -1) {
    status = -errno;
    close(output[0]);
    close(output[1]);
    return status;
  }
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
  if (from_stdout)
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], RECORD_FD);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, from_stdout ? RECORD_FD : RECORD_FD + 1);
  /* Whatever this command was started with, a harness starts with nothing ignored and nothing blocked. */
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  status = -posix_spawn(&ret_child->pid, program, &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(output[1]);
  close(errors[1]);
  ret_child->output = output[0];
  ret_child->errors = errors[0];
  if (status < 0) {
    close(output[0]);
    close(errors[0]);
  }
  return status;
}

/* Appends what there is to read. Returns 1; 0 at the end of the file; or -EPROTO (it is too much), -ENOMEM, -errno. */
static int take_output(int fd, struct text *text) {
  ssize_t got;

  if (text->room - text->length < PIECE_BYTES) {
    size_t more = text->room == 0 ? 4 * PIECE_BYTES : text->room * 2;
    char *grown = realloc(text->bytes, more);

    if (grown == NULL)
      return -ENOMEM;
    text->bytes = grown;
    text->room = more;
  }
  got = read(fd, text->bytes + text->length, PIECE_BYTES);
  if (got <= 0)
    return got == 0 ? 0 : errno == EINTR ? 1 : -errno;
  text->length += (size_t)got;
  return text->length > OUTPUT_MAX ? -EPROTO : 1;
}

/* The same, but keeps only the end. */
static int take_errors(int fd, struct tail *tail) {
  size_t half = sizeof tail->bytes / 2;
  ssize_t got;

  if (tail->length > half) {
    memmove(tail->bytes, tail->bytes + tail->length - half, half);
    tail->length = half;
  }
  got = read(fd, tail->bytes + tail->length, sizeof tail->bytes - 1 - tail->length);
  if (got <= 0)
    return got == 0 ? 0 : errno == EINTR ? 1 : -errno;
  tail->length += (size_t)got;
  return 1;
}

/* It stays a zombie: nobody else can get its number, nor that of its group. */
static bool has_exited(pid_t pid) {
  siginfo_t info = {0};

  return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == pid;
}

/* Until both ends are closed and it has exited. Returns 0, -EINTR, -ETIMEDOUT, or what take_output returns. */
static int collect(struct child *child, uint64_t deadline_ns, struct text *output, struct tail *errors) {
  struct pollfd ends[2] = {{.fd = child->output, .events = POLLIN}, {.fd = child->errors, .events = POLLIN}};
  struct timespec moment = {.tv_nsec = MOMENT_NS};
  bool has_left = false;
  int status = 1;

  while (ends[0].fd != -1 || ends[1].fd != -1) {
    uint64_t now_ns = pvt_clock_ns();
    int ready;

    if (pvt_harness_interrupted)
      return -EINTR;
    if (now_ns >= deadline_ns)
      return has_left ? 0 : -ETIMEDOUT;
    ready = poll(ends, 2, 100);
    if (ready == 0 && !has_left && has_exited(child->pid)) {
      /* Something that it started holds the ends open: it had its chance. */
      has_left = true;
      kill(-child->pid, SIGKILL);
      deadline_ns = now_ns + DRAIN_NS < deadline_ns ? now_ns + DRAIN_NS : deadline_ns;
    }
    if (ready <= 0)
      continue;
    if (ends[0].fd != -1 && ends[0].revents != 0 && (status = take_output(ends[0].fd, output)) <= 0)
      ends[0].fd = -1;
    if (status < 0)
      return status;
    if (ends[1].fd != -1 && ends[1].revents != 0 && take_errors(ends[1].fd, errors) <= 0)
      ends[1].fd = -1;
  }
  while (!has_exited(child->pid)) {
    if (pvt_harness_interrupted)
      return -EINTR;
    if (pvt_clock_ns() >= deadline_ns)
      return -ETIMEDOUT;
    nanosleep(&moment, NULL);
  }
  return 0;
}

/* Until nobody holds the other ends: then what the harness had started is gone too. */
static void drain(struct child *child) {
  struct pollfd ends[2] = {{.fd = child->output, .events = POLLIN}, {.fd = child->errors, .events = POLLIN}};
  uint64_t deadline_ns = pvt_clock_ns() + DRAIN_NS;
  char piece[PIECE_BYTES];

  while ((ends[0].fd != -1 || ends[1].fd != -1) && pvt_clock_ns() < deadline_ns) {
    if (poll(ends, 2, 100) <= 0)
      continue;
    for (int i = 0; i < 2; i++) {
      ssize_t got = ends[i].fd != -1 && ends[i].revents != 0 ? read(ends[i].fd, piece, sizeof piece) : 1;

      if (got == 0 || (got == -1 && errno != EINTR))
        ends[i].fd = -1;
    }
  }
}

/* Ends the group, what is left of it, and then gives its number back. Returns how the harness ended. */
static int reap(const struct pvt_reaper *reaper, struct child *child, bool is_failed) {
  siginfo_t info;
  int how = 0;

  if (is_failed)
    kill(-child->pid, SIGKILL);
  while (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) == -1 && errno == EINTR)
    continue;
  kill(-child->pid, SIGKILL);
  pvt_reaper_forget(reaper, child->pid);
  while (waitpid(child->pid, &how, 0) == -1 && errno == EINTR)
    continue;
  if (is_failed)
    drain(child);
  close(child->output);
  close(child->errors);
  return how;
}

/* The last line that says something. */
static const char *last_line(struct tail *errors) {
  char *line;

  while (errors->length > 0 && strchr("\n\r ", errors->bytes[errors->length - 1]) != NULL)
    errors->length--;
  errors->bytes[errors->length] = '\0';
  line = strrchr(errors->bytes, '\n');
  return line == NULL ? errors->bytes : line + 1;
}

static int explain(const char *question, int how, bool has_output, struct tail *errors, struct pvt_why *why) {
  const char *what = has_output ? "no JSON" : "no result", *said = last_line(errors);

  if (WIFSIGNALED(how))
    return pvt_why_set(why, -ECHILD, "pvt-%s was ended by signal %d (%s) and gave %s: run it by hand", question,
                       WTERMSIG(how), strsignal(WTERMSIG(how)), what);
  return pvt_why_set(why, -EPROTO, "pvt-%s ended with status %d and gave %s: %.200s", question, WEXITSTATUS(how), what,
                     said[0] == '\0' ? "run it by hand" : said);
}

static int explain_failure(const char *question, int status, unsigned timeout_s, struct pvt_why *why) {
  switch (status) {
  case -EINTR:
    return pvt_why_set(why, status, "interrupted");
  case -ETIMEDOUT:
    return pvt_why_set(why, status, "pvt-%s gave no result within %u s and was killed: run it by hand", question,
                       timeout_s);
  case -EPROTO:
    return pvt_why_set(why, status, "pvt-%s wrote more than %d MiB and was killed: run it by hand", question,
                       OUTPUT_MAX >> 20);
  case -EPIPE:
    return pvt_why_set(why, status, "pvt-reaper was ended from outside, and nothing is started without it");
  default:
    return pvt_why_set(why, status, "pvt-%s: %s", question, strerror(-status));
  }
}

int pvt_harness_run(const struct pvt_reaper *reaper, const char *question, const char *const *arguments,
                    bool from_stdout, unsigned timeout_s, json_t **ret_json, struct pvt_why *why) {
  char program[PATH_BYTES], name[128], *argv[ARGUMENTS_MAX + 2];
  struct text output = {0};
  struct tail errors = {.length = 0};
  struct child child;
  json_error_t error;
  json_t *json = NULL;
  int status, how;
  unsigned count = 0;

  snprintf(name, sizeof name, "pvt-%s", question);
  status = pvt_reaper_program_path(name, program, sizeof program);
  if (status < 0)
    return pvt_why_set(why, -ECHILD, "%s: %s: set PVT_LIBEXECDIR", name, strerror(-status));
  argv[count++] = program;
  for (unsigned i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++)
    argv[count++] = (char *)arguments[i];
  argv[count] = NULL;
  status = spawn(program, argv, from_stdout, &child);
  if (status < 0)
    return pvt_why_set(why, -ECHILD, "cannot start %.300s: %s: %s", program, strerror(-status), pvt_why_mend(status));
  status = pvt_reaper_watch(reaper, child.pid);
  if (status == 0)
    status = collect(&child, pvt_clock_ns() + (uint64_t)timeout_s * 1000000000u, &output, &errors);
  how = reap(reaper, &child, status < 0);
  if (status < 0)
    explain_failure(question, status, timeout_s, why);
  else {
    json = output.length == 0 ? NULL : json_loadb(output.bytes, output.length, JSON_REJECT_DUPLICATES, &error);
    status =
        json_is_object(json) && pvt_clean_json(json) == 0 ? 0 : explain(question, how, output.length > 0, &errors, why);
  }
  if (status == 0)
    *ret_json = json;
  else
    json_decref(json);
  free(output.bytes);
  return status;
}
