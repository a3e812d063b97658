/* event_loop_uring: one thread carries all workers by turns and hands their operations to the kernel by io_uring. */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop.h"

/* Marks what is no worker's: the deadline, and cancellations. */
#define NOBODY UINT64_MAX
#define CURRENT_POSITION UINT64_MAX

/* Raw system calls: measured programs link libc only. Ring indexes are the kernel's on one side, ours on the other. */
struct uring {
  int fd;
  unsigned *sq_head, *sq_tail, *sq_array, sq_mask, sq_entries;
  unsigned *cq_head, *cq_tail, cq_mask;
  struct io_uring_sqe *sqes;
  struct io_uring_cqe *cqes;
  void *ring;
  size_t ring_bytes, sqes_bytes;
  unsigned tail; /* ours; published when the kernel is entered */
  struct __kernel_timespec *sleeps;
  struct __kernel_timespec deadline;
  bool has_deadline;
};

static int uring_setup(unsigned entries, struct io_uring_params *params) {
  return (int)syscall(SYS_io_uring_setup, entries, params);
}

static const char *cannot(void) {
  struct io_uring_params params = {.flags = 0};
  int fd = uring_setup(2, &params);

  if (fd == -1 && errno == ENOSYS)
    return "this kernel has no io_uring";
  if (fd == -1 && errno == EPERM)
    return "io_uring is forbidden here (kernel.io_uring_disabled, or a container's filter)";
  if (fd == -1)
    return "io_uring cannot be set up here";
  close(fd);
  return params.features & IORING_FEAT_FAST_POLL ? NULL : "this kernel's io_uring is too old: Linux 5.7 is needed";
}

/* One thread submits, and takes completions only when it asks for them: what a loop wants, where the kernel has it. */
static int open_ring(struct uring *own, unsigned entries, struct io_uring_params *params) {
  static const unsigned flags[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 0};

  for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++) {
    *params = (struct io_uring_params){.flags = flags[i] | IORING_SETUP_CLAMP};
    own->fd = uring_setup(entries, params);
    if (own->fd != -1)
      return 0;
    if (errno != EINVAL)
      break;
  }
  return -errno;
}

static int map_ring(struct uring *own, const struct io_uring_params *params) {
  size_t sq_bytes = params->sq_off.array + params->sq_entries * sizeof(unsigned);
  size_t cq_bytes = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
  char *ring;

  own->ring_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
  own->sqes_bytes = params->sq_entries * sizeof(struct io_uring_sqe);
  ring = mmap(NULL, own->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, own->fd, IORING_OFF_SQ_RING);
  if (ring == MAP_FAILED)
    return -errno;
  own->ring = ring;
  own->sqes = mmap(NULL, own->sqes_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, own->fd, IORING_OFF_SQES);
  if (own->sqes == MAP_FAILED) {
    own->sqes = NULL;
    return -errno;
  }
  own->sq_head = (unsigned *)(ring + params->sq_off.head);
  own->sq_tail = (unsigned *)(ring + params->sq_off.tail);
  own->sq_array = (unsigned *)(ring + params->sq_off.array);
  own->sq_mask = *(unsigned *)(ring + params->sq_off.ring_mask);
  own->sq_entries = params->sq_entries;
  own->cq_head = (unsigned *)(ring + params->cq_off.head);
  own->cq_tail = (unsigned *)(ring + params->cq_off.tail);
  own->cq_mask = *(unsigned *)(ring + params->cq_off.ring_mask);
  own->cqes = (struct io_uring_cqe *)(ring + params->cq_off.cqes);
  for (unsigned i = 0; i < own->sq_entries; i++)
    own->sq_array[i] = i;
  own->tail = *own->sq_tail;
  return 0;
}

static int init(struct pvt_loop *loop) {
  struct uring *own = calloc(1, sizeof *own);
  struct io_uring_params params;
  int status;

  if (own == NULL)
    return -ENOMEM;
  loop->own = own;
  /* An operation of each worker, and the deadline; completions have twice the room, enough for cancellations too. */
  status = open_ring(own, loop->count + 1, &params);
  if (status == 0)
    status = map_ring(own, &params);
  own->sleeps = calloc(loop->count, sizeof *own->sleeps);
  return status == 0 && own->sleeps == NULL ? -ENOMEM : status;
}

static void done(struct pvt_loop *loop) {
  struct uring *own = loop->own;

  if (own == NULL)
    return;
  if (own->sqes != NULL)
    munmap(own->sqes, own->sqes_bytes);
  if (own->ring != NULL)
    munmap(own->ring, own->ring_bytes);
  if (own->fd != -1)
    close(own->fd);
  free(own->sleeps);
  free(own);
}

/* Hands over what was prepared and, if asked, waits for a completion. 0 (a signal included) or -errno. */
static int enter(struct uring *own, bool wait) {
  unsigned prepared = own->tail - __atomic_load_n(own->sq_head, __ATOMIC_ACQUIRE);

  __atomic_store_n(own->sq_tail, own->tail, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, own->fd, prepared, wait ? 1 : 0, IORING_ENTER_GETEVENTS, NULL, 0) != -1)
    return 0;
  /* EBUSY and EAGAIN: completions must be taken first. */
  return errno == EINTR || errno == EBUSY || errno == EAGAIN ? 0 : -errno;
}

/* An empty entry; the kernel is entered when there is none. */
static struct io_uring_sqe *prepare(struct uring *own, uint8_t opcode, int fd, uint64_t user_data) {
  struct io_uring_sqe *sqe;

  while (own->tail - __atomic_load_n(own->sq_head, __ATOMIC_ACQUIRE) == own->sq_entries)
    if (enter(own, false) < 0)
      return NULL;
  sqe = &own->sqes[own->tail++ & own->sq_mask];
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = opcode;
  sqe->fd = fd;
  sqe->user_data = user_data;
  return sqe;
}

static void set_sleep(struct io_uring_sqe *sqe, struct __kernel_timespec *time, uint64_t ns, unsigned flags) {
  time->tv_sec = (int64_t)(ns / 1000000000u);
  time->tv_nsec = (long long)(ns % 1000000000u);
  sqe->addr = (uintptr_t)time;
  sqe->len = 1;
  sqe->timeout_flags = flags;
}

static const uint8_t opcodes[] = {
    [PVT_READ] = IORING_OP_READ,       [PVT_WRITE] = IORING_OP_WRITE,   [PVT_ACCEPT] = IORING_OP_ACCEPT,
    [PVT_CONNECT] = IORING_OP_CONNECT, [PVT_SLEEP] = IORING_OP_TIMEOUT, [PVT_PREAD] = IORING_OP_READ,
    [PVT_PWRITE] = IORING_OP_WRITE,    [PVT_FSYNC] = IORING_OP_FSYNC,
};

static void begin(struct pvt_loop *loop, struct pvt_task *task) {
  struct pvt_operation *operation = &task->worker->await;
  struct uring *own = loop->own;
  uint64_t nth = (uint64_t)(task - loop->tasks);
  struct io_uring_sqe *sqe;

  if ((unsigned)operation->kind >= sizeof opcodes ||
      (sqe = prepare(own, opcodes[operation->kind], operation->fd, nth)) == NULL) {
    pvt_loop_took(loop, task, -EINVAL);
    return;
  }
  switch (operation->kind) {
  case PVT_SLEEP:
    sqe->fd = -1;
    set_sleep(sqe, &own->sleeps[nth], operation->sleep_ns, 0);
    break;
  case PVT_ACCEPT:
    sqe->accept_flags = SOCK_CLOEXEC;
    break;
  case PVT_CONNECT:
    sqe->addr = (uintptr_t)operation->buffer;
    sqe->off = operation->bytes;
    break;
  case PVT_FSYNC:
    break;
  case PVT_READ:
  case PVT_WRITE:
  case PVT_PREAD:
  case PVT_PWRITE: {
    bool is_at = operation->kind == PVT_PREAD || operation->kind == PVT_PWRITE;
    size_t left = operation->bytes - task->moved_bytes;

    sqe->addr = (uintptr_t)operation->buffer + task->moved_bytes;
    sqe->len = left > INT32_MAX ? INT32_MAX : (uint32_t)left;
    sqe->off = is_at ? operation->offset : CURRENT_POSITION;
    break;
  }
  }
}

static bool has_completions(const struct uring *own) {
  return *own->cq_head != __atomic_load_n(own->cq_tail, __ATOMIC_ACQUIRE);
}

static void take_completions(struct pvt_loop *loop) {
  struct uring *own = loop->own;

  while (has_completions(own)) {
    const struct io_uring_cqe *cqe = &own->cqes[*own->cq_head & own->cq_mask];
    struct pvt_task *task = cqe->user_data == NOBODY ? NULL : &loop->tasks[cqe->user_data];
    ssize_t got = cqe->res;

    __atomic_store_n(own->cq_head, *own->cq_head + 1, __ATOMIC_RELEASE);
    if (task == NULL)
      continue;
    if (task->worker->await.kind == PVT_SLEEP && got == -ETIME)
      got = 0;
    if (got == -ECANCELED)
      got = -EINTR;
    if (!pvt_loop_took(loop, task, got))
      begin(loop, task);
  }
}

static void set_deadline(struct pvt_loop *loop) {
  struct uring *own = loop->own;
  uint64_t deadline_ns = atomic_load_explicit(&loop->crew->gate->deadline_ns, memory_order_relaxed);
  struct io_uring_sqe *sqe;

  if (own->has_deadline || deadline_ns == 0)
    return;
  own->has_deadline = true;
  sqe = prepare(own, IORING_OP_TIMEOUT, -1, NOBODY);
  if (sqe != NULL)
    set_sleep(sqe, &own->deadline, deadline_ns, IORING_TIMEOUT_ABS);
}

/* Operations on files that the kernel hands to its own threads (io-wq) cost CPU time that stands in no worker's usage.
 */
static int poll_completions(struct pvt_loop *loop, bool may_block) {
  struct uring *own = loop->own;
  int status;

  set_deadline(loop);
  status = enter(own, may_block && !has_completions(own));
  take_completions(loop);
  return status;
}

static void cancel(struct pvt_loop *loop) {
  struct uring *own = loop->own;

  for (unsigned i = 0; i < loop->count; i++) {
    struct io_uring_sqe *sqe;

    if (!loop->tasks[i].is_waiting)
      continue;
    sqe = prepare(own, IORING_OP_ASYNC_CANCEL, -1, NOBODY);
    if (sqe != NULL)
      sqe->addr = i;
  }
  while (loop->waiting > 0 && enter(own, !has_completions(own)) == 0)
    take_completions(loop);
}

static const struct pvt_loop_kind kind = {init, begin, poll_completions, cancel, done};

static void live(struct pvt_crew *crew, unsigned carrier) {
  pvt_loop_live(crew, carrier, &kind);
}

static int make(struct pvt_crew *crew, unsigned carrier) {
  return pvt_spawn_thread(crew, carrier, live);
}

const struct pvt_model pvt_model_event_loop_uring = {
    .name = "event_loop_uring",
    .shares_memory = true,
    .shares_a_thread = true,
    .cannot = cannot,
    .workers_per_carrier = pvt_loop_workers,
    .make = make,
    .is_gone = pvt_thread_is_gone,
};
