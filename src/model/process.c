/* process: each worker is a child of its own, made with fork(). */
#include "crew.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned one(const struct pvt_crew_spec *spec) {
  (void)spec;
  return 1;
}

int pvt_spawn_process(struct pvt_crew *crew, unsigned carrier, void (*body)(struct pvt_crew *, unsigned)) {
  pid_t pid = fork();

  if (pid == -1)
    return -errno;
  if (pid == 0) {
    body(crew, carrier);
    _exit(0);
  }
  crew->carrier[carrier].pid = pid;
  return 0;
}

bool pvt_process_is_gone(struct pvt_crew *crew, unsigned carrier) {
  pid_t got;

  do
    got = waitpid(crew->carrier[carrier].pid, NULL, WNOHANG);
  while (got == -1 && errno == EINTR);
  return got != 0;
}

void pvt_process_kill(struct pvt_crew *crew, unsigned carrier) {
  kill(crew->carrier[carrier].pid, SIGKILL);
}

static void live(struct pvt_crew *crew, unsigned worker) {
  int status = pvt_model_neutral();

  if (status < 0)
    pvt_worker_end(crew, &crew->workers[worker], status);
  else
    pvt_worker_live(crew, worker);
}

static int make(struct pvt_crew *crew, unsigned worker) {
  return pvt_spawn_process(crew, worker, live);
}

const struct pvt_model pvt_model_process = {
    .name = "process",
    .shares_memory = false,
    .workers_per_carrier = one,
    .make = make,
    .is_gone = pvt_process_is_gone,
    .kill = pvt_process_kill,
};
