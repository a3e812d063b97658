/*
 * reaper.h - whatever ends this process, what it started does not outlive it.
 *
 * pvt-reaper is a small program in a session of its own. It holds the reading end of a pipe (the lifeline) whose only
 * writing end is here; when that closes, by exit, crash or SIGKILL, it kills the process groups it was told to watch.
 */
#ifndef PVT_REAPER_H
#define PVT_REAPER_H

#include <sys/types.h>

struct pvt_reaper {
  int lifeline; /* close-on-exec; a forked child that lives on must close it. -1: none */
  pid_t pid;
};

/* Starts the program. Returns 0 or -errno. */
int pvt_reaper_start(const char *program, struct pvt_reaper *ret_reaper);
/* Watches, or no longer watches, a process group. Forget a group before its first process is waited for: then its
 * number is nobody else's. Returns 0 or -errno; -EPIPE when the reaper is gone. */
int pvt_reaper_watch(const struct pvt_reaper *reaper, pid_t group);
int pvt_reaper_forget(const struct pvt_reaper *reaper, pid_t group);
/* A clean end: whatever is still watched is killed. */
void pvt_reaper_end(struct pvt_reaper *reaper);

/* The path of a program of this build: beside the running one, or in PVT_LIBEXECDIR if that is set in the environment.
 * Returns 0, -ENAMETOOLONG, or -errno when this program's own place cannot be read. */
int pvt_reaper_program_path(const char *name, char *ret_path, size_t path_bytes);

#endif
