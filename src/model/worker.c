/* worker.c - the life of one worker, in whatever carries it. */
#include "crew.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_TOUCH_BYTES = 32 * 1024, PAGE_BYTES = 4096 };

bool pvt_worker_must_end(const struct pvt_worker *worker) {
  uint64_t deadline_ns = atomic_load_explicit(&worker->gate->deadline_ns, memory_order_relaxed);

  return atomic_load_explicit(&worker->gate->stopping, memory_order_relaxed) ||
         (deadline_ns != 0 && pvt_clock_ns() >= deadline_ns);
}

static int place(const struct pvt_crew *crew, unsigned worker) {
  const struct pvt_crew_spec *spec = &crew->spec;
  cpu_set_t set;

  if (spec->cpus == NULL || spec->cpus_count == 0)
    return 0;
  if (crew->model->shares_a_thread)
    worker /= crew->per_carrier; /* one thread has one place */
  CPU_ZERO(&set);
  CPU_SET((unsigned)spec->cpus[worker % spec->cpus_count], &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

/* A child's stack is its parent's until written: the first writes are set-up, not work. */
static __attribute__((noinline)) void touch_stack(void) {
  volatile char stack[STACK_TOUCH_BYTES];

  for (size_t i = 0; i < sizeof stack; i += 4096 / 2)
    stack[i] = 1;
}

int pvt_worker_begin(struct pvt_crew *crew, struct pvt_worker *worker) {
  int status = place(crew, worker->index);

  worker->pid = getpid();
  worker->tid = (pid_t)syscall(SYS_gettid);
  atomic_store_explicit(&crew->private_word, 1, memory_order_relaxed);
  touch_stack();
  if (status == 0 && crew->spec.prepare != NULL)
    status = crew->spec.prepare(worker);
  if (status < 0) {
    pvt_worker_end(crew, worker, status);
    return status;
  }
  atomic_store(&worker->phase, PVT_READY);
  pvt_gate_announce(crew->gate);
  return 0;
}

void pvt_worker_end(struct pvt_crew *crew, struct pvt_worker *worker, int status) {
  worker->status = status;
  if (crew->spec.finish != NULL && atomic_load(&worker->phase) != PVT_STARTING)
    crew->spec.finish(worker);
  atomic_store(&worker->phase, PVT_ENDED);
  pvt_gate_announce(crew->gate);
}

void pvt_operation_block(struct pvt_operation *operation) {
  ssize_t got = 0;

  switch (operation->kind) {
  case PVT_READ:
    got = read(operation->fd, operation->buffer, operation->bytes);
    break;
  case PVT_WRITE:
    got = write(operation->fd, operation->buffer, operation->bytes);
    break;
  case PVT_ACCEPT:
    got = accept4(operation->fd, NULL, NULL, SOCK_CLOEXEC);
    break;
  case PVT_CONNECT:
    got = connect(operation->fd, operation->buffer, (socklen_t)operation->bytes);
    break;
  case PVT_SLEEP: {
    struct timespec time = {(time_t)(operation->sleep_ns / 1000000000u), (long)(operation->sleep_ns % 1000000000u)};

    got = clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
    errno = (int)got;
    got = got == 0 ? 0 : -1;
    break;
  }
  case PVT_PREAD:
    got = pread(operation->fd, operation->buffer, operation->bytes, (off_t)operation->offset);
    break;
  case PVT_PWRITE:
    got = pwrite(operation->fd, operation->buffer, operation->bytes, (off_t)operation->offset);
    break;
  case PVT_FSYNC:
    got = fsync(operation->fd);
    break;
  }
  operation->result = got == -1 ? -errno : got;
}

int pvt_worker_verdict(const struct pvt_worker *worker, int said) {
  return said == -EINTR && pvt_worker_must_end(worker) ? 0 : said;
}

static __attribute__((noinline)) int work(struct pvt_crew *crew, struct pvt_worker *worker) {
  /* A process's stack begins at a random 16 bytes, a thread's at a page: a step whose stack happens to alias the memory
   * that it works on is slower, and that is no difference between processes and threads. All begin at the same place.
   */
  volatile char *pad = __builtin_alloca((uintptr_t)__builtin_frame_address(0) % PAGE_BYTES + 1);

  pad[0] = 0;
  for (;;) {
    int said = crew->spec.step(worker);

    if (said == PVT_AWAIT)
      pvt_operation_block(&worker->await);
    else if (said != PVT_MORE)
      return pvt_worker_verdict(worker, said);
    if (pvt_worker_must_end(worker))
      return 0;
  }
}

void pvt_worker_live(struct pvt_crew *crew, unsigned nth) {
  struct pvt_worker *worker = &crew->workers[nth];
  struct pvt_usage before, after;
  int status;

  if (pvt_worker_begin(crew, worker) < 0)
    return;
  if (!pvt_gate_pass(crew->gate)) {
    pvt_worker_end(crew, worker, 0);
    return;
  }
  atomic_store(&worker->phase, PVT_RUNNING);
  pvt_clock_usage(&before);
  worker->stamps.first_ns = pvt_clock_ns();
  status = work(crew, worker);
  worker->stamps.last_ns = pvt_clock_ns();
  pvt_clock_usage(&after);
  worker->stamps.usage = pvt_clock_usage_between(&before, &after);
  pvt_worker_end(crew, worker, status);
}
