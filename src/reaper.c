#include "reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int pvt_reaper_program_path(const char *name, char *ret_path, size_t path_bytes) {
  const char *folder = getenv("PVT_LIBEXECDIR");
  char own[4096];
  int printed;

  if (folder == NULL || folder[0] == '\0') {
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);

    if (length == -1)
      return -errno;
    own[length] = '\0';
    *strrchr(own, '/') = '\0';
    folder = own;
  }
  printed = snprintf(ret_path, path_bytes, "%s/%s", folder, name);
  return printed < 0 || (size_t)printed >= path_bytes ? -ENAMETOOLONG : 0;
}

int pvt_reaper_start(const char *program, struct pvt_reaper *ret_reaper) {
  char *arguments[] = {(char *)program, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int ends[2], status;
  pid_t pid;

  if (pipe2(ends, O_CLOEXEC) == -1)
    return -errno;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
  /* Whoever reads what this process writes must not have to wait for the reaper's end too. */
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  status = -posix_spawn(&pid, program, &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[0]);
  if (status < 0) {
    close(ends[1]);
    return status;
  }
  *ret_reaper = (struct pvt_reaper){.lifeline = ends[1], .pid = pid};
  return 0;
}

static int tell(const struct pvt_reaper *reaper, char sign, pid_t group) {
  char line[32];
  int length = snprintf(line, sizeof line, "%c%d\n", sign, (int)group);
  ssize_t written;

  do
    written = write(reaper->lifeline, line, (size_t)length);
  while (written == -1 && errno == EINTR);
  return written == length ? 0 : -errno;
}

int pvt_reaper_watch(const struct pvt_reaper *reaper, pid_t group) {
  return group > 1 ? tell(reaper, '+', group) : -EINVAL;
}

int pvt_reaper_forget(const struct pvt_reaper *reaper, pid_t group) {
  return tell(reaper, '-', group);
}

void pvt_reaper_end(struct pvt_reaper *reaper) {
  if (reaper->lifeline == -1)
    return;
  close(reaper->lifeline);
  reaper->lifeline = -1;
  while (waitpid(reaper->pid, NULL, 0) == -1 && errno == EINTR)
    continue;
}
