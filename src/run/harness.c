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

extern char **environ;

enum { ARGUMENTS_MAX = 16, PATH_BYTES = 4096, OUTPUT_MAX = 16 << 20, RECORD_FD = 3 };

#define ROW(question) #question,
const char *const pvt_harness_questions[] = {
#include "question_rows.h"
    NULL};
#undef ROW

volatile sig_atomic_t pvt_harness_interrupted;

struct text {
  char *bytes;
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
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
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

/* Appends what there is to read; returns false at the end of the file or when it is too much. */
static bool take(int fd, struct text *text) {
  char piece[4096], *grown;
  ssize_t got = read(fd, piece, sizeof piece);

  if (got == -1 && errno == EINTR)
    return true;
  if (got <= 0 || text->length + (size_t)got > OUTPUT_MAX)
    return false;
  grown = realloc(text->bytes, text->length + (size_t)got + 1);
  if (grown == NULL)
    return false;
  memcpy(grown + text->length, piece, (size_t)got);
  text->bytes = grown;
  text->length += (size_t)got;
  grown[text->length] = '\0';
  return true;
}

/* Until both ends are closed. Returns 0, -EINTR or -ETIMEDOUT. */
static int collect(struct child *child, uint64_t deadline_ns, struct text *output, struct text *errors) {
  struct pollfd ends[2] = {{.fd = child->output, .events = POLLIN}, {.fd = child->errors, .events = POLLIN}};

  while (ends[0].fd != -1 || ends[1].fd != -1) {
    uint64_t now_ns = pvt_clock_ns();

    if (pvt_harness_interrupted)
      return -EINTR;
    if (now_ns >= deadline_ns)
      return -ETIMEDOUT;
    poll(ends, 2, 100);
    if (ends[0].fd != -1 && ends[0].revents != 0 && !take(ends[0].fd, output))
      ends[0].fd = -1;
    if (ends[1].fd != -1 && ends[1].revents != 0 && !take(ends[1].fd, errors))
      ends[1].fd = -1;
    ends[0].revents = ends[1].revents = 0;
  }
  return 0;
}

/* The last line that says something. */
static const char *last_line(struct text *errors) {
  char *line;

  if (errors->bytes == NULL)
    return "";
  while (errors->length > 0 && strchr("\n\r ", errors->bytes[errors->length - 1]) != NULL)
    errors->bytes[--errors->length] = '\0';
  line = strrchr(errors->bytes, '\n');
  return line == NULL ? errors->bytes : line + 1;
}

static int explain(const char *question, int how, struct text *errors, struct pvt_why *why) {
  if (WIFSIGNALED(how))
    return pvt_why_set(why, -ECHILD, "pvt-%s was ended by signal %d (%s) without a result", question, WTERMSIG(how),
                       strsignal(WTERMSIG(how)));
  return pvt_why_set(why, -EPROTO, "pvt-%s ended with status %d and no result: %.200s", question, WEXITSTATUS(how),
                     last_line(errors));
}

int pvt_harness_run(const struct pvt_reaper *reaper, const char *question, const char *const *arguments,
                    bool from_stdout, unsigned timeout_s, json_t **ret_json, struct pvt_why *why) {
  char program[PATH_BYTES], name[128], *argv[ARGUMENTS_MAX + 2];
  struct text output = {0}, errors = {0};
  struct child child;
  json_error_t error;
  json_t *json = NULL;
  int status, how = 0;
  unsigned count = 0;

  snprintf(name, sizeof name, "pvt-%s", question);
  status = pvt_reaper_program_path(name, program, sizeof program);
  if (status < 0)
    return pvt_why_set(why, status, "%s: %s", name, strerror(-status));
  argv[count++] = program;
  for (unsigned i = 0; arguments[i] != NULL && i < ARGUMENTS_MAX; i++)
    argv[count++] = (char *)arguments[i];
  argv[count] = NULL;
  status = spawn(program, argv, from_stdout, &child);
  if (status < 0)
    return pvt_why_set(why, status, "cannot start %s: %s: build it, or set PVT_LIBEXECDIR", program, strerror(-status));
  pvt_reaper_watch(reaper, child.pid);
  status = collect(&child, pvt_clock_ns() + (uint64_t)timeout_s * 1000000000u, &output, &errors);
  if (status < 0)
    kill(-child.pid, SIGKILL);
  while (waitpid(child.pid, &how, 0) == -1 && errno == EINTR)
    continue;
  pvt_reaper_forget(reaper, child.pid);
  close(child.output);
  close(child.errors);
  if (status == -ETIMEDOUT)
    pvt_why_set(why, status, "pvt-%s gave no result within %u s and was killed", question, timeout_s);
  if (status == 0) {
    json = output.bytes == NULL ? NULL : json_loadb(output.bytes, output.length, JSON_REJECT_DUPLICATES, &error);
    status = json == NULL ? explain(question, how, &errors, why) : 0;
  }
  if (status == 0)
    *ret_json = json;
  free(output.bytes);
  free(errors.bytes);
  return status;
}
